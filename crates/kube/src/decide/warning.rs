//! What is odd about a pod's label and annotations: they count as not set then.

use super::{ANNOTATIONS, COMMAND, INJECT, PREFIX};
use crate::change::Path;
use crate::pod::{Container, Pod};
use std::fmt;

/// Something odd that the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The label or annotation, from the pod; `None`: an option of the command line.
    pub at: Option<Path>,
    /// In words.
    pub what: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Warning {
    pub(super) fn of_annotation(key: &str, what: impl fmt::Display) -> Self {
        Self { at: Some(Path::keys(&["metadata", "annotations", key])), what: format!("{key}: {what}") }
    }

    pub(super) fn of_option(option: &str, what: impl fmt::Display) -> Self {
        Self { at: None, what: format!("{option}: {what}") }
    }
}

/// Our label, and annotations that look like ours.
pub(super) fn unknown(pod: Pod<'_>) -> Vec<Warning> {
    // One that nobody knows is a typo, and its meaning is lost.
    let known = |key: &str| ANNOTATIONS.contains(&key) || key.starts_with(COMMAND);
    let annotations =
        pod.annotations().filter(|(key, _)| key.starts_with(PREFIX) && !known(key)).map(|(key, _)| Warning {
            at: Some(Path::keys(&["metadata", "annotations", key])),
            what: format!("{key} is no annotation of lastout's, and counts as not set"),
        });
    let label = pod.label(INJECT).filter(|value| !["true", "false"].contains(value)).map(|value| Warning {
        at: Some(Path::keys(&["metadata", "labels", INJECT])),
        what: format!("{INJECT}: {value:?} is neither \"true\" nor \"false\", and counts as not set"),
    });
    let mut all: Vec<Warning> = annotations.chain(label).collect();
    // kubectl refuses what is no text; `inject: false` without quotes is the likeliest.
    let of_ours = |key: &str| key == INJECT || ANNOTATIONS.contains(&key) || key.starts_with(COMMAND);
    for group in ["labels", "annotations"] {
        for (key, value) in pod.texts(group).filter(|(key, value)| of_ours(key) && !value.is_string()) {
            let mend = if value.is_array() || value.is_object() {
                String::new()
            } else {
                format!(": write \"{value}\"")
            };
            all.push(Warning {
                at: Some(Path::keys(&["metadata", group, key])),
                what: format!("{key}: {value} is no text, and counts as not set{mend}"),
            });
        }
    }
    all
}

/// Names in an annotation that no container has.
pub(super) fn unknown_names(key: &str, names: &[&str], containers: &[Container<'_>]) -> Vec<Warning> {
    let is_known = |name: &str| containers.iter().any(|container| container.name() == name);
    let unknown = names.iter().filter(|name| !is_known(name));
    unknown
        .map(|name| {
            Warning::of_annotation(
                key,
                format!("there is no container {name}, and the name counts as not set"),
            )
        })
        .collect()
}
