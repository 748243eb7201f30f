//! A change → the nodes that it is about, and what has to become of them.

use super::page::{Entry, Page};
use super::splice::{Splice, Wrong, wrong};
use crate::change::{Change, Item, KeyChange, Path, Step};
use crate::yaml::{Id, Kind};
use serde_json::{Map, Value};

/// One change, on one parse.
pub(super) struct Work<'a> {
    pub(super) page: &'a Page<'a>,
    /// The way to the object.
    pub(super) at: &'a Path,
    /// The object's value, as the changes before have left it.
    pub(super) object: &'a Value,
}

impl Work<'_> {
    pub(super) fn splices(&self, change: &Change) -> Result<Vec<Splice>, Wrong> {
        match change {
            Change::Set { mapping, key, value } => self.set(mapping, key, value),
            Change::Insert { list, at, items } => self.insert(list, *at, items),
            Change::Remove { mapping, key } => self.remove(mapping, key),
            Change::Take { list, at, count } => self.take(list, *at, *count),
            Change::Move { mapping, from, to, key, becomes } => {
                self.move_item(mapping, from, to, (key, becomes))
            }
        }
    }

    fn set(&self, mapping: &Path, key: &str, value: &Value) -> Result<Vec<Splice>, Wrong> {
        let page = self.page;
        let (node, missing) = self.walk(mapping)?;
        // From the inside out: the mappings that are not there yet.
        let mut steps = missing.iter().rev().map(|step| match step {
            Step::Key(key) => Ok(key.clone()),
            Step::Index(_) => Err(wrong(page.start(node), format!("there is no {mapping}"))),
        });
        let (mut key, mut value) = (key.to_owned(), value.clone());
        while let Some(outer) = steps.next().transpose()? {
            value = Value::Object(Map::from_iter([(key, value)]));
            key = outer;
        }
        if page.is_null(node) {
            return page.fill(node, &Value::Object(Map::from_iter([(key, value)])));
        }
        self.brought(node, written(mapping, missing), &key)?;
        page.set(node, &key, &value)
    }

    fn insert(&self, list: &Path, at: usize, items: &[Value]) -> Result<Vec<Splice>, Wrong> {
        let page = self.page;
        let (mapping, key) = self.owner(list)?;
        let value = Value::Array(items.to_vec());
        match page.find(mapping, key) {
            None => {
                self.brought(
                    mapping,
                    written(list, list.0.get(list.0.len() - 1..).unwrap_or_default()),
                    key,
                )?;
                page.new_key(mapping, key, &value)
            }
            Some(entry) if page.is_null(entry.value) => page.fill(entry.value, &value),
            Some(entry) => {
                let items_there = self.items(entry.value)?;
                if at > items_there.len() {
                    return Err(wrong(page.start(entry.value), format!("there is no {}", list.index(at))));
                }
                if page.tree.node(entry.value).flow {
                    let texts = page.item_texts(entry.value, items);
                    page.insert_flow(entry.value, at, &texts)
                } else {
                    page.insert_block(entry, at, items)
                }
            }
        }
    }

    fn remove(&self, mapping: &Path, key: &str) -> Result<Vec<Splice>, Wrong> {
        let page = self.page;
        let (node, missing) = self.walk(mapping)?;
        match page.find(node, key) {
            Some(entry) if missing.is_empty() => page.remove(node, entry),
            Some(_) | None => self.brought(node, &mapping.0, key).map(|()| Vec::new()),
        }
    }

    fn take(&self, list: &Path, at: usize, count: usize) -> Result<Vec<Splice>, Wrong> {
        let page = self.page;
        let (mapping, key) = self.owner(list)?;
        let entry = self.entry(mapping, key)?;
        let range = at..at.saturating_add(count);
        if range.end > self.items(entry.value)?.len() {
            return Err(wrong(page.start(entry.value), format!("there is no {}", list.index(range.end))));
        }
        if range.is_empty() {
            return Ok(Vec::new());
        }
        page.take(mapping, entry, range)
    }

    fn move_item(
        &self,
        mapping: &Path,
        from: &Item,
        to: &Item,
        (key, becomes): (&str, &KeyChange),
    ) -> Result<Vec<Splice>, Wrong> {
        let page = self.page;
        let (node, missing) = self.walk(mapping)?;
        let source = self.entry(node, &from.list)?;
        if !missing.is_empty() || from.index >= self.items(source.value)?.len() {
            return Err(wrong(page.start(node), format!("there is no {}", from.path(mapping))));
        }
        match page.find(node, &to.list) {
            None => self.brought(node, &mapping.0, &to.list)?,
            Some(entry) if page.is_null(entry.value) => {}
            Some(entry) => {
                self.items(entry.value)?;
            }
        }
        let item = from.path(mapping).of(self.object).cloned().unwrap_or_default();
        page.carry(node, (source, from.index), to, (key, becomes), item)
    }

    /// The node at the end of this way or, if a part of it is not written, the last one that is and the steps that are not.
    fn walk<'p>(&self, path: &'p Path) -> Result<(Id, &'p [Step]), Wrong> {
        let page = self.page;
        let mut node = page.tree.root();
        page.own(node)?;
        for (step, missing) in self
            .at
            .0
            .iter()
            .map(|step| (step, None))
            .chain(path.0.iter().enumerate().map(|(position, step)| (step, path.0.get(position..))))
        {
            let next = match (step, &page.tree.node(node).kind) {
                (Step::Key(key), _) => page.find(node, key).map(|entry| entry.value),
                (Step::Index(index), Kind::Sequence(items)) => items.get(*index).copied(),
                (Step::Index(_), Kind::Scalar { .. } | Kind::Mapping(_) | Kind::Alias { .. }) => None,
            };
            match (next, missing) {
                (Some(next), _) => node = next,
                (None, Some(missing)) => {
                    if let Step::Key(key) = step {
                        self.brought(node, written(path, missing), key)?;
                    }
                    return Ok((node, missing));
                }
                (None, None) => {
                    return Err(wrong(
                        page.start(node),
                        format!("{} is brought by `<<` or an alias", self.at),
                    ));
                }
            }
            page.own(node)?;
        }
        Ok((node, &[]))
    }

    /// The mapping that has this list, and its key.
    fn owner<'p>(&self, list: &'p Path) -> Result<(Id, &'p str), Wrong> {
        let Some((Step::Key(key), parent)) = list.0.split_last() else {
            return Err(wrong(0, format!("{list} is no list of a mapping")));
        };
        let parent = Path(parent.to_vec());
        let (node, missing) = self.walk(&parent)?;
        if !missing.is_empty() {
            return Err(wrong(self.page.start(node), format!("there is no {parent}")));
        }
        Ok((node, key))
    }

    fn entry(&self, mapping: Id, key: &str) -> Result<Entry, Wrong> {
        let page = self.page;
        page.find(mapping, key)
            .ok_or_else(|| wrong(page.start(mapping), format!("`{key}` is not written here")))
    }

    fn items(&self, list: Id) -> Result<&[Id], Wrong> {
        self.page.own(list)?;
        match &self.page.tree.node(list).kind {
            Kind::Sequence(items) => Ok(items),
            Kind::Scalar { .. } | Kind::Mapping(_) | Kind::Alias { .. } => {
                Err(wrong(self.page.start(list), "it is no list".to_owned()))
            }
        }
    }

    /// Refuses a key that is not written in this mapping, and yet there.
    fn brought(&self, mapping: Id, steps: &[Step], key: &str) -> Result<(), Wrong> {
        let page = self.page;
        let is_there = || Path(steps.to_vec()).key(key).of(self.object).is_some();
        if page.merges(mapping) && page.find(mapping, key).is_none() && is_there() {
            return Err(wrong(page.start(mapping), format!("`{key}` is brought by `<<`")));
        }
        Ok(())
    }
}

/// The steps before those that are missing.
fn written<'p>(path: &'p Path, missing: &[Step]) -> &'p [Step] {
    path.0.get(..path.0.len() - missing.len()).unwrap_or_default()
}
