//! Whether what is written has a value. The value of what is written is not made for that: of a list of thousands of pods, it
//! would be the largest thing in memory.

use super::Tree;
use super::compose::{Composer, Wrong};
use super::tree::{Id, Kind};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Whether a tree has this value, as [`same`] compares.
pub(super) fn agrees(tree: &Tree, value: &Value) -> Result<bool, Wrong> {
    Composer::of(tree).agrees(tree.root(), value)
}

impl Composer<'_> {
    fn agrees(&mut self, id: Id, value: &Value) -> Result<bool, Wrong> {
        match (&self.tree().node(id).kind, value) {
            (Kind::Sequence(items), Value::Array(values)) => {
                self.step(id)?;
                let mut is_same = items.len() == values.len();
                for (item, value) in items.iter().zip(values) {
                    is_same = is_same && self.agrees(*item, value)?;
                }
                Ok(is_same)
            }
            (Kind::Mapping(entries), Value::Object(object)) => match self.keys(entries)? {
                Some(keys) => {
                    self.step(id)?;
                    self.entries_agree(entries, &keys, object)
                }
                None => Ok(same(&self.value(id)?, value)),
            },
            _ => Ok(same(&self.value(id)?, value)),
        }
    }

    /// The keys; `None`: one stands twice, or others are merged.
    fn keys(&mut self, entries: &[(Id, Id)]) -> Result<Option<Vec<String>>, Wrong> {
        let mut keys = Vec::with_capacity(entries.len());
        for (key, _) in entries {
            if self.is_merge(*key) {
                return Ok(None);
            }
            keys.push(self.key(*key)?);
        }
        let distinct: HashSet<&String> = keys.iter().collect();
        Ok((distinct.len() == keys.len()).then_some(keys))
    }

    fn entries_agree(
        &mut self,
        entries: &[(Id, Id)],
        keys: &[String],
        object: &Map<String, Value>,
    ) -> Result<bool, Wrong> {
        let mut found = 0;
        for (key, (_, written)) in keys.iter().zip(entries) {
            let is_same = match object.get(key) {
                Some(value) => {
                    found += 1;
                    self.agrees(*written, value)?
                }
                None => is_empty(&self.value(*written)?),
            };
            if !is_same {
                return Ok(false);
            }
        }
        let is_written = |key: &String| keys.contains(key);
        Ok(found == object.len() || object.iter().all(|(key, value)| is_empty(value) || is_written(key)))
    }
}

/// Empty lists and those that are not there count as equal: a list in brackets stays when its last item goes.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let covers = |one: &Map<String, Value>, other: &Map<String, Value>| {
                one.iter().all(|(key, value)| is_empty(value) || other.contains_key(key))
            };
            let agree =
                |(key, value): (&String, &Value)| right.get(key).is_none_or(|other| same(value, other));
            covers(left, right) && covers(right, left) && left.iter().all(agree)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (left, right) => left == right,
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}
