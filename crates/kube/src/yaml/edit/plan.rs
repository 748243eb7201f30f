//! Which changes one parse can bear: those that have nothing to do with each other. A parse for each change would take a
//! list of three hundred pods half a minute.

use super::Edit;
use super::page::Page;
use super::splice::{Splice, Wrong, wrong};
use super::work::Work;
use crate::change::{self, Change, Path, Step};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is still to be done.
pub(super) struct Plan<'a> {
    edits: Vec<(&'a Path, &'a [Change])>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(edits: &'a [Edit]) -> Self {
        let edits = edits.iter().map(|edit| (&edit.at, edit.changes.as_slice()));
        Self { edits: edits.filter(|(_, changes)| !changes.is_empty()).collect() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.edits.is_empty()
    }

    /// Carries out what this parse can bear, on the document's value as well. Of each object, the changes stay in order.
    pub(super) fn round(&mut self, page: &Page<'_>, value: &mut Value) -> Result<Vec<Splice>, Wrong> {
        let mut round = Round::default();
        let mut waiting = Ways::default();
        for (at, changes) in &mut self.edits {
            while let Some((change, rest)) = changes.split_first() {
                let none = || wrong(0, format!("there is no {at}"));
                let object = at.of_mut(value).ok_or_else(none)?;
                let touched = touched(at, change, object);
                if waiting.meet(at) || round.touched.meet(&touched) {
                    break;
                }
                let splices = Work { page, at, object }.splices(change)?;
                if !round.take(splices) {
                    break;
                }
                round.touched.0.insert(touched);
                let one = std::slice::from_ref(change);
                change::apply(object, one).map_err(|error| wrong(0, error.to_string()))?;
                *changes = rest;
            }
            if !changes.is_empty() {
                waiting.0.insert(at.clone());
            }
        }
        self.edits.retain(|(_, changes)| !changes.is_empty());
        Ok(round.splices)
    }
}

#[derive(Default)]
struct Round {
    splices: Vec<Splice>,
    /// Their starts and ends.
    places: BTreeMap<usize, usize>,
    touched: Ways,
}

impl Round {
    /// Takes these splices, unless they touch others: of two at the same place, the order would matter.
    fn take(&mut self, splices: Vec<Splice>) -> bool {
        let touches = |splice: &Splice| {
            let before = self.places.range(..=splice.range.end).next_back();
            before.is_some_and(|(_, end)| *end >= splice.range.start)
        };
        if splices.iter().any(touches) {
            return false;
        }
        self.places.extend(splices.iter().map(|splice| (splice.range.start, splice.range.end)));
        self.splices.extend(splices);
        true
    }
}

/// Ways in their order: what is below one follows it.
#[derive(Default)]
struct Ways(BTreeSet<Path>);

impl Ways {
    /// Whether this way leads through one of these, or one of these through it.
    fn meet(&self, way: &Path) -> bool {
        let mut above = Path::default();
        let below = self.0.range(way..).next();
        below.is_some_and(|below| below.0.starts_with(&way.0))
            || self.0.contains(&above)
            || way.0.iter().any(|step| {
                above.0.push(step.clone());
                self.0.contains(&above)
            })
    }
}

/// The part of the document that is another one after this change.
fn touched(at: &Path, change: &Change, object: &Value) -> Path {
    let is_there = |path: &Path| path.of(object).is_some_and(|value| !value.is_null());
    let part = match change {
        Change::Set { mapping, key, .. } if is_there(mapping) => mapping.key(key),
        Change::Insert { list, .. } => list.clone(),
        // The first one that is there: all that is missing below it is made.
        Change::Set { mapping, .. } => {
            let lengths = (0..mapping.0.len()).rev();
            let mut parents = lengths.map(|length| Path(mapping.0.iter().take(length).cloned().collect()));
            parents.find(is_there).unwrap_or_default()
        }
        Change::Remove { mapping, .. } | Change::Move { mapping, .. } => mapping.clone(),
        // It may take its key with it.
        Change::Take { list, .. } => {
            let parent: Vec<Step> = list.0.iter().take(list.0.len().saturating_sub(1)).cloned().collect();
            Path(parent)
        }
    };
    Path(at.0.iter().chain(&part.0).cloned().collect())
}
