//! `lastout.dev/status`: our note of what was done, for people, and for the way back where no fact tells it.
//!
//! ```text
//! native VERSION NAME=INDEX …               the sidecars, and where each stood in `containers`
//! wrap VERSION command=NAME pinned=NAME …   the mains that had no `command`, and those whose image got its digest
//! helper VERSION
//! ```
//! Behind that `empty=metadata` or `empty=annotations`, where that mapping was there and empty, and `null=annotations`,
//! `null=volumes`, `null=volumeMounts/NAME` …, where what is changed was there and null, as Helm's output often has it.

use super::{Mode, STATUS};
use crate::change::{Change, Path, Step};
use crate::pod::Pod;
use serde_json::Value;

/// What was done to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Sidecars became native ones.
    Native {
        /// Their names, and where they stood.
        moved: Vec<(String, usize)>,
    },
    /// lastout runs the mains.
    Wrap {
        /// Those that had no `command`.
        given: Vec<Given>,
    },
    /// A helper container came in.
    Helper,
}

/// A main that got a `command`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) name: String,
    /// Its image got its digest as well.
    pub(crate) pinned: bool,
}

impl Status {
    /// The annotation's text.
    pub(crate) fn text(&self) -> String {
        let mut words = vec![self.mode().word().to_owned(), env!("CARGO_PKG_VERSION").to_owned()];
        match self {
            Self::Native { moved } => {
                words.extend(moved.iter().map(|(name, index)| format!("{name}={index}")))
            }
            Self::Wrap { given } => {
                for Given { name, pinned } in given {
                    words.push(format!("command={name}"));
                    words.extend(pinned.then(|| format!("pinned={name}")));
                }
            }
            Self::Helper => {}
        }
        words.join(" ")
    }

    /// Reads it; of a word that is none of ours nothing is kept. `None`: nothing of ours at all.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mode = Mode::read(words.next()?)?;
        let noted = words.filter_map(|word| word.split_once('='));
        match mode {
            Mode::Native => {
                let moved = noted.filter_map(|(name, index)| Some((name.to_owned(), index.parse().ok()?)));
                Some(Self::Native { moved: moved.collect() })
            }
            Mode::Wrap => {
                let mut given: Vec<Given> = Vec::new();
                for (what, name) in noted {
                    match what {
                        "command" => given.push(Given { name: name.to_owned(), pinned: false }),
                        "pinned" => {
                            given
                                .iter_mut()
                                .filter(|given| given.name == name)
                                .for_each(|given| given.pinned = true);
                        }
                        _ => {}
                    }
                }
                Some(Self::Wrap { given })
            }
            Mode::Helper => Some(Self::Helper),
            Mode::Auto => None,
        }
    }

    /// The change that notes it. `others`: those before it.
    pub(super) fn change(&self, pod: Pod<'_>, others: &[Change]) -> Change {
        let mut text = self.text();
        for what in nulls(pod, others) {
            text.push_str(NULL);
            text.push_str(&what);
        }
        if let Some(mapping) = empty_mapping(pod) {
            text.push_str(EMPTY);
            text.push_str(mapping);
        }
        Change::Set {
            mapping: Path::keys(&["metadata", "annotations"]),
            key: STATUS.to_owned(),
            value: Value::String(text),
        }
    }

    fn mode(&self) -> Mode {
        match self {
            Self::Native { .. } => Mode::Native,
            Self::Wrap { .. } => Mode::Wrap,
            Self::Helper => Mode::Helper,
        }
    }
}

/// What follows names the mapping that was there, and empty.
const EMPTY: &str = " empty=";

/// A mapping that holds nothing but our note goes with it, unless it was there before: `metadata: {}`.
fn empty_mapping(pod: Pod<'_>) -> Option<&'static str> {
    let is_empty = |keys: &[&str]| {
        Path::keys(keys).of(pod.0).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
    };
    if is_empty(&["metadata"]) {
        return Some("metadata");
    }
    is_empty(&["metadata", "annotations"]).then_some("annotations")
}

/// What follows names what was there, and null.
const NULL: &str = " null=";

/// What was null, and will not be.
fn nulls(pod: Pod<'_>, changes: &[Change]) -> Vec<String> {
    let containers = pod.containers();
    let name_of = |index: usize| containers.get(index).map(|container| container.name());
    let changed = changes.iter().filter_map(|change| match change {
        Change::Insert { list, .. } => Some(list.clone()),
        Change::Move { mapping, to, .. } => Some(mapping.key(&to.list)),
        Change::Set { mapping, key, .. } => Some(mapping.key(key)),
        Change::Remove { .. } | Change::Take { .. } => None,
    });
    let metadata = [&["metadata"][..], &["metadata", "annotations"]].map(Path::keys);
    let mut all = Vec::new();
    for path in metadata.into_iter().chain(changed).filter(|path| path.of(pod.0) == Some(&Value::Null)) {
        let what = match path.0.as_slice() {
            [Step::Key(key)] | [Step::Key(_), Step::Key(key)] => key.clone(),
            [.., Step::Index(index), Step::Key(key)] => match name_of(*index) {
                Some(name) => format!("{key}/{name}"),
                None => continue,
            },
            _ => continue,
        };
        if !all.contains(&what) {
            all.push(what);
        }
    }
    all
}

/// What was null before, as the note says: a key, and the name of its container if it is one's.
pub(super) fn was_null(text: &str) -> Vec<(&str, Option<&str>)> {
    let words = text.split(' ').filter_map(|word| word.strip_prefix(NULL.trim_start()));
    words.map(|word| word.split_once('/').map_or((word, None), |(key, name)| (key, Some(name)))).collect()
}

/// The mapping that was empty before, as the note says.
pub(super) fn was_empty(text: &str) -> Option<&str> {
    text.rsplit_once(EMPTY).map(|(_, mapping)| mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let given = |name: &str, pinned| Given { name: name.to_owned(), pinned };
        for status in [
            Status::Native { moved: vec![("istio-proxy".to_owned(), 0), ("command".to_owned(), 3)] },
            Status::Wrap { given: vec![given("a", false), given("b", true)] },
            Status::Wrap { given: Vec::new() },
            Status::Helper,
        ] {
            assert_eq!(Status::read(&status.text()), Some(status));
        }
        assert_eq!(Status::read(""), None);
        let odd = Status::read("native 1.0 a=b c=1 d").unwrap();
        assert_eq!(odd, Status::Native { moved: vec![("c".to_owned(), 1)] });
    }
}
