//! What is to become of an object, as a list of changes: carried out on its value here, on its text by `yaml::edit`, and as a
//! JSON patch by `patch`. All three must come to the same object.

use serde_json::{Map, Value};
use std::fmt;

/// The way from an object's root to a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// One step of a way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl Path {
    /// The way through these keys.
    #[must_use]
    pub fn keys(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    /// This way, and one key further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    /// This way, and one item further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// This way, and then that one.
    #[must_use]
    pub fn join(&self, further: &Self) -> Self {
        Self(self.0.iter().chain(&further.0).cloned().collect())
    }

    /// Reads a way as `--pod-path` gives it: `spec.driver.template`, `spec.groups[0].template`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (key, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            if key.is_empty() {
                return None;
            }
            steps.push(Step::Key(key.to_owned()));
            while !rest.is_empty() {
                let (index, behind) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(Step::Index(index.parse().ok()?));
                rest = behind;
            }
        }
        Some(Self(steps))
    }

    /// The part of this object.
    #[must_use]
    pub fn of<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(object, |part, step| match step {
            Step::Key(key) => part.get(key),
            Step::Index(index) => part.get(index),
        })
    }

    /// The part of this object, to be changed.
    pub fn of_mut<'a>(&self, object: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(object, |part, step| match step {
            Step::Key(key) => part.get_mut(key),
            Step::Index(index) => part.get_mut(index),
        })
    }
}

/// As users write it: `spec.template.spec.containers[0]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.contains(['.', '/', '[']) => write!(f, "[{key:?}]")?,
                Step::Key(key) if position == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

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
        /// The list that it leaves, which has other items too.
        from: (String, usize),
        /// The list to which it goes, made if it is missing, and before which item there.
        to: (String, usize),
        /// The key that it gets with this value, or loses.
        key: (String, Option<Value>),
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

/// A change has no place in the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlace(pub Path);

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not of the kind that the change needs", self.0)
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
            Self::Move { mapping, from: (from, index), to: (to, at), key: (key, value) } => {
                let source = list_at(object, &mapping.key(from))?;
                if *index >= source.len() {
                    return Err(NoPlace(mapping.key(from).index(*index)));
                }
                let mut item = source.remove(*index);
                let entries = item.as_object_mut().ok_or_else(|| NoPlace(mapping.key(from).index(*index)))?;
                match value {
                    Some(value) => {
                        entries.insert(key.clone(), value.clone());
                    }
                    None => {
                        entries.shift_remove(key);
                    }
                }
                let target = list_at(object, &mapping.key(to))?;
                if *at > target.len() {
                    return Err(NoPlace(mapping.key(to).index(*at)));
                }
                target.insert(*at, item);
                drop_if_empty(object, &mapping.key(from))?;
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
    let Some((Step::Key(key), parent)) = list.0.split_last() else { return Err(wrong()) };
    let parent = Path(parent.to_vec()).of_mut(object).and_then(Value::as_object_mut).ok_or_else(wrong)?;
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
