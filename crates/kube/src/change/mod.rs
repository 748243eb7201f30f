//! What is to become of an object, as a list of changes: carried out on its value here, on its text by `yaml::edit`, and as a
//! JSON patch by `patch`. All three must come to the same object.

mod path;

pub use path::{Path, Spot, Step};

use serde_json::{Map, Value};
use std::fmt;

/// One change. The ways and places are those that the changes before it have left.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A key that is not there, or has another value, gets this one. The mapping is made if it is missing.
    Set {
        /// The mapping.
        mapping: Path,
        /// The key.
        key: String,
        /// Its value.
        value: Value,
    },
    /// Items come into a list, which is made if it is missing or null; the mapping that has the list is there.
    Insert {
        /// The list.
        list: Path,
        /// Before which item; at the end for its length.
        at: usize,
        /// What comes in.
        items: Vec<Value>,
    },
    /// An item goes to another list of the same mapping, and gets or loses a key on the way.
    Move {
        /// The mapping that has both lists.
        mapping: Path,
        /// The list that it leaves, and where in it the item is.
        from: Item,
        /// The list to which it goes, made if it is missing, and before which item there.
        to: Item,
        /// The key that it gets or loses.
        key: String,
        /// Which of the two.
        becomes: KeyChange,
    },
    /// A key goes, if it is there.
    Remove {
        /// The mapping.
        mapping: Path,
        /// The key.
        key: String,
    },
    /// Items go out of a list. A list that is empty then goes as well, unless it is written in brackets.
    Take {
        /// The list.
        list: Path,
        /// The first of them.
        at: usize,
        /// How many.
        count: usize,
    },
}

/// An item of a list that stands in the mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The list's key.
    pub list: String,
    /// From 0.
    pub index: usize,
}

impl Item {
    /// This one of that list.
    #[must_use]
    pub fn of(list: &str, index: usize) -> Self {
        Self { list: list.to_owned(), index }
    }

    /// The way to it, from where the mapping is.
    #[must_use]
    pub fn path(&self, mapping: &Path) -> Path {
        mapping.key(&self.list).index(self.index)
    }
}

/// What becomes of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyChange {
    /// It gets this value.
    Set(Value),
    /// It goes, if it is there.
    Remove,
}

impl KeyChange {
    /// Carries it out.
    pub fn apply_to(&self, entries: &mut Map<String, Value>, key: &str) {
        match self {
            Self::Set(value) => drop(entries.insert(key.to_owned(), value.clone())),
            Self::Remove => drop(entries.shift_remove(key)),
        }
    }
}

/// A change has no place in the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlace(pub Path);

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not of the kind that the change needs; please report it", self.0)
    }
}

impl std::error::Error for NoPlace {}

/// Carries changes out.
///
/// # Errors
/// When one has no place; the object is half-changed then.
pub fn apply(object: &mut Value, changes: &[Change]) -> Result<(), NoPlace> {
    changes.iter().try_for_each(|change| change.apply(object))
}

impl Change {
    /// The same change of an object that has this one there.
    #[must_use]
    pub fn under(&self, at: &Path) -> Self {
        let mut change = self.clone();
        match &mut change {
            Self::Set { mapping, .. } | Self::Move { mapping, .. } | Self::Remove { mapping, .. } => {
                *mapping = at.join(mapping);
            }
            Self::Insert { list, .. } | Self::Take { list, .. } => *list = at.join(list),
        }
        change
    }

    fn apply(&self, object: &mut Value) -> Result<(), NoPlace> {
        match self {
            Self::Set { mapping, key, value } => {
                mapping_at(object, mapping)?.insert(key.clone(), value.clone());
            }
            Self::Insert { list, at, items } => {
                let list_value = list_at(object, list)?;
                let at = *at;
                if at > list_value.len() {
                    return Err(NoPlace(list.index(at)));
                }
                list_value.splice(at..at, items.iter().cloned());
            }
            Self::Move { mapping, from, to, key, becomes } => {
                let source = list_at(object, &mapping.key(&from.list))?;
                if from.index >= source.len() {
                    return Err(NoPlace(from.path(mapping)));
                }
                let mut item = source.remove(from.index);
                let entries = item.as_object_mut().ok_or_else(|| NoPlace(from.path(mapping)))?;
                becomes.apply_to(entries, key);
                let target = list_at(object, &mapping.key(&to.list))?;
                if to.index > target.len() {
                    return Err(NoPlace(to.path(mapping)));
                }
                target.insert(to.index, item);
                drop_if_empty(object, &mapping.key(&from.list))?;
            }
            Self::Remove { mapping, key } => {
                let value = mapping.of_mut(object).and_then(Value::as_object_mut);
                value.ok_or_else(|| NoPlace(mapping.clone()))?.shift_remove(key);
            }
            Self::Take { list, at, count } => {
                let value = list.of_mut(object).and_then(Value::as_array_mut);
                let value = value.ok_or_else(|| NoPlace(list.clone()))?;
                let range = *at..at.saturating_add(*count);
                if range.end > value.len() {
                    return Err(NoPlace(list.index(range.end)));
                }
                value.drain(range);
                drop_if_empty(object, list)?;
            }
        }
        Ok(())
    }
}

/// The list, made if it is missing or null.
fn list_at<'a>(object: &'a mut Value, list: &Path) -> Result<&'a mut Vec<Value>, NoPlace> {
    let wrong = || NoPlace(list.clone());
    let Some((parent, Step::Key(key))) = list.parent_mut(object) else { return Err(wrong()) };
    let parent = parent.as_object_mut().ok_or_else(wrong)?;
    let value = parent.entry(key.clone()).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut().ok_or_else(wrong)
}

/// The mapping, made if it is missing or null.
fn mapping_at<'a>(object: &'a mut Value, mapping: &Path) -> Result<&'a mut Map<String, Value>, NoPlace> {
    let wrong = || NoPlace(mapping.clone());
    let part = mapping.0.iter().try_fold(object, |part, step| match step {
        Step::Key(key) => {
            if part.is_null() {
                *part = Value::Object(Map::new());
            }
            Some(part.as_object_mut()?.entry(key.clone()).or_insert(Value::Null))
        }
        Step::Index(index) => part.get_mut(index),
    });
    let part = part.ok_or_else(wrong)?;
    if part.is_null() {
        *part = Value::Object(Map::new());
    }
    part.as_object_mut().ok_or_else(wrong)
}

/// A list that a change has emptied goes.
fn drop_if_empty(object: &mut Value, list: &Path) -> Result<(), NoPlace> {
    if list.of(object).and_then(Value::as_array).is_some_and(Vec::is_empty)
        && let Some((Step::Key(key), parent)) = list.0.split_last()
    {
        Change::Remove { mapping: Path(parent.to_vec()), key: key.clone() }.apply(object)?;
    }
    Ok(())
}
