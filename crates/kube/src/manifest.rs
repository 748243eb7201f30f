//! A manifest file: its documents, the decisions on its pods, and its text with changes carried out.

use crate::change::{Change, Path, apply};
use crate::decide::{Context, Decision, Options, decide, images_wanted, undo};
use crate::pod::{Pod, Workload, find};
use crate::yaml::{self, Document, Edit, Refused};
use serde_json::Value;
use std::collections::BTreeMap;

/// A file's text and its documents.
#[derive(Debug)]
pub struct Manifest {
    text: String,
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
    pub fn read(text: String) -> Result<Self, yaml::Error> {
        let (documents, error) = yaml::read(&text);
        documents.iter().try_for_each(expect_manifest)?;
        match error {
            Some(error) => Err(error),
            None => Ok(Self { text, documents }),
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

    /// The changes that take lastout out of its pods again: which document, where the pod is, and the changes.
    #[must_use]
    pub fn undo(&self, extra: &[Path]) -> Vec<(usize, Workload, Vec<Change>)> {
        self.workloads(extra)
            .filter_map(|(document, workload)| {
                let (pod, _) = workload.of(&self.documents.get(document)?.value)?;
                let changes = undo(pod);
                Some((document, workload, changes))
            })
            .collect()
    }

    /// The text with these edits, by the number of the document. What cannot be edited in place is written anew.
    ///
    /// # Errors
    /// In words, when a change has no place: a fault of ours.
    pub fn edited(self, edits: &BTreeMap<usize, Vec<Edit>>) -> Result<Edited, String> {
        let Self { text: before, documents } = self;
        let mut edited =
            Edited { is_empty: documents.is_empty(), before, after: String::new(), refused: Vec::new() };
        let mut end = 0;
        for (index, document) in documents.into_iter().enumerate() {
            let text = &edited.before;
            edited.after.push_str(text.get(end..document.span.start).unwrap_or_default());
            end = document.span.end;
            let source = text.get(document.span.clone()).unwrap_or_default();
            let Some(own) = edits.get(&index) else {
                edited.after.push_str(source);
                continue;
            };
            let (line, json) = (document.line, document.json);
            match yaml::edit(text, document, own) {
                Ok(new) => edited.after.push_str(&new),
                Err(why) => {
                    let mut value = yaml::reread(source, line, json).map_err(|error| error.to_string())?;
                    for Edit { at, changes } in own {
                        let changes: Vec<Change> = changes.iter().map(|change| change.under(at)).collect();
                        apply(&mut value, &changes).map_err(|error| error.to_string())?;
                    }
                    edited.after.push_str(&rendered(&value, source));
                    edited.refused.push(why);
                }
            }
        }
        edited.after.push_str(edited.before.get(end..).unwrap_or_default());
        Ok(edited)
    }
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
