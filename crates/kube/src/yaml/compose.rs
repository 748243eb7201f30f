//! A tree → the value that kubectl makes of it: aliases, merge keys, keys that are no text, duplicates.

use super::scalar::{Scalar, core_tag};
use super::tree::{Id, Kind, Style, Tree};
use serde_json::{Map, Value};

/// What is wrong, and at which node.
pub(super) struct Wrong {
    pub(super) at: Id,
    pub(super) what: String,
}

/// The document's value.
pub(super) fn compose(tree: &Tree) -> Result<Value, Wrong> {
    Composer::of(tree).value(tree.root())
}

/// What a node means as a key; `None`: it cannot be one.
pub(super) fn key(tree: &Tree, id: Id) -> Option<String> {
    Composer::of(tree).key(id).ok()
}

/// Whether a key is `<<`.
pub(super) fn is_merge(tree: &Tree, key: Id) -> bool {
    Composer::of(tree).is_merge(key)
}

impl Tree {
    /// This key is read as that text: `on:` as "true".
    pub(crate) fn is_key(&self, id: Id, wanted: &str) -> bool {
        key(self, id).is_some_and(|key| key == wanted)
    }

    /// This key merges what is behind it into its mapping.
    pub(crate) fn is_merge(&self, key: Id) -> bool {
        is_merge(self, key)
    }
}

pub(super) struct Composer<'a> {
    tree: &'a Tree,
    /// The anchored nodes whose aliases are being followed.
    inside: Vec<Id>,
    steps: u32,
    alias_steps: u32,
}

impl<'a> Composer<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        Self { tree, inside: Vec::new(), steps: 0, alias_steps: 0 }
    }

    pub(super) fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// Counts a node, and refuses as go-yaml does when too many of them come from aliases: ten lines can stand for a
    /// thousand million nodes.
    pub(super) fn step(&mut self, at: Id) -> Result<(), Wrong> {
        const SMALL: f64 = 400_000.0;
        const LARGE: f64 = 4_000_000.0;
        self.steps += 1;
        if !self.inside.is_empty() {
            self.alias_steps += 1;
        }
        let (steps, of_aliases) = (f64::from(self.steps), f64::from(self.alias_steps));
        let allowed = 0.99 - 0.89 * ((steps - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
        if self.alias_steps > 100 && self.steps > 1_000 && of_aliases / steps > allowed {
            return Err(Wrong { at, what: "aliases stand for far more than what is written".to_owned() });
        }
        Ok(())
    }

    fn follow<T>(
        &mut self,
        at: Id,
        (name, to): (&str, Id),
        work: impl FnOnce(&mut Self) -> Result<T, Wrong>,
    ) -> Result<T, Wrong> {
        if self.inside.contains(&to) {
            return Err(Wrong { at, what: format!("what &{name} stands for contains itself") });
        }
        self.inside.push(to);
        let result = work(self);
        self.inside.pop();
        result
    }

    pub(super) fn value(&mut self, id: Id) -> Result<Value, Wrong> {
        self.step(id)?;
        let tree = self.tree;
        let node = tree.node(id);
        match &node.kind {
            Kind::Alias { name, to } => self.follow(id, (name, *to), |composer| composer.value(*to)),
            Kind::Scalar { .. } => self.scalar(id)?.into_value().map_err(|what| Wrong { at: id, what }),
            Kind::Sequence(items) => {
                // No more room than it takes: a large file has millions of them.
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(self.value(*item)?);
                }
                Ok(Value::Array(list))
            }
            Kind::Mapping(entries) => {
                let mut object = Map::with_capacity(entries.len());
                self.entries(entries, &mut object)?;
                Ok(Value::Object(object))
            }
        }
    }

    /// In the order of the text: a later key, merged or not, wins.
    fn entries(&mut self, entries: &[(Id, Id)], object: &mut Map<String, Value>) -> Result<(), Wrong> {
        for (key, value) in entries {
            if self.is_merge(*key) {
                self.merge(*value, object)?;
            } else {
                let key = self.key(*key)?;
                let value = self.value(*value)?;
                object.insert(key, value);
            }
        }
        Ok(())
    }

    pub(super) fn is_merge(&self, key: Id) -> bool {
        let node = self.tree.node(key);
        match (&node.kind, node.tag.as_deref()) {
            (Kind::Scalar { text, style: Style::Plain }, None) => **text == *"<<",
            (Kind::Scalar { text, .. }, Some(tag)) => **text == *"<<" && core_tag(tag) == Some("merge"),
            (Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Mapping(_) | Kind::Alias { .. }, _) => false,
        }
    }

    fn merge(&mut self, id: Id, object: &mut Map<String, Value>) -> Result<(), Wrong> {
        let wrong = || Wrong { at: id, what: "`<<` takes a mapping, or a list of mappings".to_owned() };
        let tree = self.tree;
        let mapping = |id: Id| match &tree.node(id).kind {
            Kind::Mapping(entries) => Some(entries),
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Alias { .. } => None,
        };
        match &tree.node(id).kind {
            Kind::Mapping(entries) => {
                self.step(id)?;
                self.entries(entries, object)
            }
            Kind::Alias { name, to } => {
                let entries = mapping(*to).ok_or_else(wrong)?;
                self.step(id)?;
                self.follow(id, (name, *to), |composer| {
                    composer.step(*to)?;
                    composer.entries(entries, object)
                })
            }
            Kind::Sequence(items) => {
                let is_mapping = |id: &Id| match &tree.node(*id).kind {
                    Kind::Mapping(_) => true,
                    Kind::Alias { to, .. } => mapping(*to).is_some(),
                    Kind::Scalar { .. } | Kind::Sequence(_) => false,
                };
                if !items.iter().all(is_mapping) {
                    return Err(wrong());
                }
                // The first one of the list wins.
                items.iter().rev().try_for_each(|item| self.merge(*item, object))
            }
            Kind::Scalar { .. } => Err(wrong()),
        }
    }

    pub(super) fn key(&mut self, id: Id) -> Result<String, Wrong> {
        let tree = self.tree;
        match &tree.node(id).kind {
            Kind::Alias { name, to } => self.follow(id, (name, *to), |composer| composer.key(*to)),
            Kind::Scalar { .. } => self.scalar(id)?.into_key().map_err(|what| Wrong { at: id, what }),
            Kind::Sequence(_) | Kind::Mapping(_) => {
                Err(Wrong { at: id, what: "a list or a mapping cannot be a key".to_owned() })
            }
        }
    }

    fn scalar(&self, id: Id) -> Result<Scalar, Wrong> {
        let node = self.tree.node(id);
        match &node.kind {
            Kind::Scalar { text, style } => {
                Scalar::resolve(text, *style == Style::Plain, node.tag.as_deref())
                    .map_err(|what| Wrong { at: id, what })
            }
            Kind::Sequence(_) | Kind::Mapping(_) | Kind::Alias { .. } => Ok(Scalar::Null),
        }
    }
}
