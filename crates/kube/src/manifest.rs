//! A manifest file: its documents, the decisions on its pods, and its text with changes carried out.

use crate::change::{Change, Path, apply};
use crate::decide::{Context, Decision, Options, Stays, decide, images_wanted, undo};
use crate::pod::{Pod, Workload, find};
use crate::yaml::{self, Document, Edit, Refused};
use serde_json::Value;

/// The documents of a file, or one of them.
#[derive(Debug)]
pub struct Manifest {
    documents: Vec<Document>,
}

/// A pod of a manifest, and what is to become of it.
#[derive(Debug)]
pub struct Judged {
    /// Which document of the file, from 0.
    pub document: usize,
    /// Where the pod is.
    pub workload: Workload,
    /// What is to become of it.
    pub decision: Decision,
}

impl Manifest {
    /// Reads a file's text.
    ///
    /// # Errors
    /// At the first thing that kubectl would not read.
    pub fn read(text: &str) -> Result<Self, yaml::Error> {
        let (documents, error) = yaml::read(text);
        documents.iter().try_for_each(expect_manifest)?;
        match error {
            Some(error) => Err(error),
            None => Ok(Self { documents }),
        }
    }

    /// Its documents.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Its pods: which document, and where in it.
    pub fn workloads<'a>(&'a self, extra: &'a [Path]) -> impl Iterator<Item = (usize, Workload)> + 'a {
        let of = move |(index, document): (usize, &Document)| {
            find(&document.value, extra).into_iter().map(move |workload| (index, workload))
        };
        self.documents.iter().enumerate().flat_map(of)
    }

    /// The images that must be known for its pods to be changed. `base`: what is known of all of them.
    #[must_use]
    pub fn images_wanted(&self, base: Context<'_>, options: &Options, extra: &[Path]) -> Vec<String> {
        let of = |(document, workload): (usize, Workload)| {
            let (pod, context) = self.asked(document, &workload, base)?;
            Some(images_wanted(pod, context, options))
        };
        self.workloads(extra).filter_map(of).flatten().collect()
    }

    /// The names of the containers of all its pods, but for init containers.
    #[must_use]
    pub fn container_names(&self, extra: &[Path]) -> Vec<String> {
        let of = |(document, workload): (usize, Workload)| {
            let pod = workload.pod.of(&self.documents.get(document)?.value)?;
            let names = Pod(pod).containers().into_iter().map(|container| container.name().to_owned());
            Some(names.collect::<Vec<_>>())
        };
        self.workloads(extra).filter_map(of).flatten().collect()
    }

    /// A pod, and what is known beside it.
    fn asked<'a>(
        &'a self,
        document: usize,
        workload: &Workload,
        base: Context<'a>,
    ) -> Option<(Pod<'a>, Context<'a>)> {
        let (pod, job) = workload.of(&self.documents.get(document)?.value)?;
        Some((pod, base.of_job(job)))
    }

    /// What is to become of its pods, one after the other: what is decided takes more memory than a pod. `base`: what is
    /// known of all of them.
    pub fn judge<'a>(
        &'a self,
        base: Context<'a>,
        options: &'a Options,
        extra: &'a [Path],
    ) -> impl Iterator<Item = Judged> + 'a {
        self.workloads(extra).filter_map(move |(document, workload)| {
            let (pod, context) = self.asked(document, &workload, base)?;
            Some(Judged { document, workload, decision: decide(pod, context, options) })
        })
    }

    /// The changes that take lastout out of its pods again: which document, where the pod is, and the changes, or why it
    /// stays.
    #[must_use]
    pub fn undo(&self, extra: &[Path]) -> Vec<(usize, Workload, Result<Vec<Change>, Stays>)> {
        self.workloads(extra)
            .filter_map(|(document, workload)| {
                let (pod, _) = workload.of(&self.documents.get(document)?.value)?;
                let changes = undo(pod);
                Some((document, workload, changes))
            })
            .collect()
    }
}

/// The text with the changes that are made of each document: where a pod is in it, and its changes. What cannot be edited in
/// place is written anew. One document after the other, as its value, its tree and its changes take many times the memory of
/// its text.
///
/// # Errors
/// At the first thing that kubectl would not read; when a change has no place, a fault of ours.
pub fn edited(
    before: String,
    mut changes_of: impl FnMut(&Manifest) -> Vec<(Path, Vec<Change>)>,
) -> Result<Edited, yaml::Error> {
    let (mut after, mut refused) = (String::with_capacity(before.len()), Vec::new());
    let (mut is_empty, mut end) = (true, 0);
    for document in yaml::stream(&before) {
        let document = document?;
        expect_manifest(&document)?;
        let mut manifest = Manifest { documents: vec![document] };
        is_empty = false;
        let changes = changes_of(&manifest).into_iter().filter(|(_, changes)| !changes.is_empty());
        let edits: Vec<Edit> = changes.map(|(at, changes)| Edit { at, changes }).collect();
        let Some(document) = manifest.documents.pop() else { continue };
        after.push_str(before.get(end..document.span.start).unwrap_or_default());
        end = document.span.end;
        let source = before.get(document.span.clone()).unwrap_or_default();
        if edits.is_empty() {
            after.push_str(source);
            continue;
        }
        let (line, json) = (document.line, document.json);
        match yaml::edit(&before, document, &edits) {
            Ok(new) => after.push_str(&new),
            Err(why) => {
                after.push_str(&anew(source, line, json, &edits)?);
                refused.push(why);
            }
        }
    }
    after.push_str(before.get(end..).unwrap_or_default());
    Ok(Edited { is_empty, before, after, refused })
}

/// A document written by its value.
fn anew(source: &str, line: usize, json: bool, edits: &[Edit]) -> Result<String, yaml::Error> {
    let mut value = yaml::reread(source, line, json)?;
    for Edit { at, changes } in edits {
        let changes: Vec<Change> = changes.iter().map(|change| change.under(at)).collect();
        apply(&mut value, &changes)
            .map_err(|error| yaml::Error { line, what: format!("{error}: nothing is changed") })?;
    }
    Ok(rendered(&value, source))
}

/// A file's text, and what has become of it. The documents are not kept: they take many times the memory of the text.
#[derive(Debug)]
pub struct Edited {
    /// There is no document in it.
    pub is_empty: bool,
    /// As it was.
    pub before: String,
    /// As it is to be.
    pub after: String,
    /// What could not be edited in place.
    pub refused: Vec<Refused>,
}

/// What is none cannot be applied, and is a mistake: a file of another kind, a template that was not rendered.
///
/// # Errors
/// When it is a single value.
pub(crate) fn expect_manifest(document: &Document) -> Result<(), yaml::Error> {
    let is = match &document.value {
        Value::Object(_) | Value::Array(_) => return Ok(()),
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
    };
    let what = format!("a manifest is a mapping that begins with apiVersion and kind, and this is {is}");
    Err(yaml::Error { line: document.line, what })
}

/// JSON stays JSON.
fn rendered(value: &Value, source: &str) -> String {
    if source.trim_start().starts_with('{') {
        return format!("{value:#}\n");
    }
    yaml::render(value)
}
