//! Where the pods of an object are: a Pod, a Job, a CronJob, a List of them, and whatever has a pod template at the same
//! place.

use super::Pod;
use crate::change::Path;
use serde_json::Value;

/// A pod, or a pod template, within an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The way from the document's root to the pod or the template.
    pub pod: Path,
    /// The way from the document's root to the object itself: in a List it is an item.
    pub object: Path,
    /// `Job`.
    pub kind: String,
    /// The object's name, or `generateName` and a star.
    pub name: String,
}

impl Workload {
    /// As users name it: `job/report`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind.to_ascii_lowercase(), self.name)
    }

    /// The pod, and the spec of its Job, in the document that it was found in.
    #[must_use]
    pub fn of<'a>(&self, root: &'a Value) -> Option<(Pod<'a>, Option<&'a Value>)> {
        Some((Pod(self.pod.of(root)?), self.job_spec().and_then(|way| way.of(root))))
    }

    /// The way to the spec of the Job, where it is one or makes some.
    #[must_use]
    pub fn job_spec(&self) -> Option<Path> {
        match self.kind.as_str() {
            "Job" => Some(self.object.key("spec")),
            "CronJob" => Some(self.object.key("spec").key("jobTemplate").key("spec")),
            _ => None,
        }
    }
}

/// The ways to a pod template that kinds of all projects have in common.
const TEMPLATES: [&[&str]; 2] = [&["spec", "template"], &["spec", "jobTemplate", "spec", "template"]];

/// The pods of a document. `extra`: ways to a pod or a template in kinds that we do not know, as `--pod-path` gives them.
#[must_use]
pub fn find(document: &Value, extra: &[Path]) -> Vec<Workload> {
    let mut found = Vec::new();
    visit(document, Path::default(), extra, &mut found);
    found
}

fn visit(object: &Value, at: Path, extra: &[Path], found: &mut Vec<Workload>) {
    let kind = text(object, &["kind"]);
    if let Some(items) = object.get("items").and_then(Value::as_array)
        && kind.is_some_and(|kind| kind.ends_with("List"))
    {
        for (index, item) in items.iter().enumerate() {
            visit(item, at.key("items").index(index), extra, found);
        }
        return;
    }
    let Some(kind) = kind else { return };
    let mut add = |pod: Path| {
        let named = text(object, &["metadata", "name"]).map(str::to_owned);
        let generated = || text(object, &["metadata", "generateName"]).map(|name| format!("{name}*"));
        found.push(Workload {
            pod,
            object: at.clone(),
            kind: kind.to_owned(),
            name: named.or_else(generated).unwrap_or_default(),
        });
    };
    if kind == "Pod" && is_pod(object) {
        return add(at.clone());
    }
    let templates = TEMPLATES.iter().map(|keys| Path::keys(keys)).chain(extra.iter().cloned());
    let mut ways: Vec<Path> = Vec::new();
    for way in templates {
        // `--pod-path spec.template` leads to what a Job has there anyway.
        if way.of(object).is_some_and(is_pod) && !ways.contains(&way) {
            add(at.join(&way));
            ways.push(way);
        }
    }
}

/// It has containers.
fn is_pod(value: &Value) -> bool {
    value.get("spec").and_then(|spec| spec.get("containers")).is_some_and(Value::is_array)
}

fn text<'a>(object: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().try_fold(object, |part, key| part.get(key))?.as_str()
}
