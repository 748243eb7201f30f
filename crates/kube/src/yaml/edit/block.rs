//! Changes of what is written in lines, and of keys and lists whichever way they are written.

use super::page::{Entry, Page};
use super::splice::{Splice, Wrong, wrong};
use super::write::{Block, Flow, in_style_of};
use crate::yaml::{Id, Kind, Style};
use serde_json::Value;
use std::ops::Range;

/// Keys that people write above others: for all else, the end of the mapping is its place.
const ABOVE: [(&str, &str); 2] = [("initContainers", "containers"), ("command", "args")];

impl Page<'_> {
    /// How this file indents; what this collection itself shows goes first.
    pub(super) fn habit(&self, near: Id) -> Block {
        let mut habit = Block { step: 2, list: 0, gap: 2, flow_lists: true, quoted: self.quotes(near) };
        let (mut step, mut list, mut gap) = (None, None, None);
        for id in std::iter::once(near).chain(self.tree.ids()) {
            let node = self.tree.node(id);
            if node.flow {
                continue;
            }
            match &node.kind {
                Kind::Mapping(entries) => {
                    for (_, value) in entries {
                        let child = self.tree.node(*value);
                        if child.flow {
                            continue;
                        }
                        match &child.kind {
                            Kind::Mapping(_) if step.is_none() => {
                                step = child.column().checked_sub(node.column())
                            }
                            Kind::Sequence(_) if list.is_none() => {
                                list = self
                                    .column(*value)
                                    .ok()
                                    .and_then(|column| column.checked_sub(node.column()));
                            }
                            Kind::Mapping(_)
                            | Kind::Sequence(_)
                            | Kind::Scalar { .. }
                            | Kind::Alias { .. } => {}
                        }
                    }
                }
                Kind::Sequence(items) if gap.is_none() => {
                    let item = items.first().map(|item| self.tree.node(*item)).filter(|item| !item.flow);
                    if let (Some(item), Ok(dash)) = (item, self.dash(id, 0))
                        && self.line_start(dash) == self.line_start(item.span().start)
                        && matches!(item.kind, Kind::Mapping(_))
                    {
                        gap = Some(item.span().start - dash);
                    }
                }
                Kind::Sequence(_) | Kind::Scalar { .. } | Kind::Alias { .. } => {}
            }
            if step.is_some() && list.is_some() && gap.is_some() {
                break;
            }
        }
        habit.step = step.unwrap_or(habit.step).max(1);
        habit.list = list.unwrap_or(habit.list);
        habit.gap = gap.unwrap_or(habit.gap).max(2);
        habit
    }

    /// The column of a block list's dashes.
    pub(super) fn column(&self, list: Id) -> Result<usize, Wrong> {
        let dash = self.dash(list, 0)?;
        if !self.is_first_on_its_line(dash) {
            return Err(wrong(dash, "this list begins within another line".to_owned()));
        }
        Ok(dash - self.line_start(dash))
    }

    fn join(&self, lines: &[String]) -> String {
        lines.iter().flat_map(|line| [line.as_str(), self.line_end]).collect()
    }

    /// Where the lines of an item begin. Whose a comment between two items is: below an item and further in than the dashes, it is
    /// that item's; else it is the next one's.
    pub(super) fn item_start(&self, entry: Entry, index: usize) -> Result<usize, Wrong> {
        let dash = self.dash(entry.value, index)?;
        Ok(self.comments_above(self.line_start(dash), self.item_floor(entry, index)?))
    }

    /// Behind the item before, or behind the key's line.
    pub(super) fn item_floor(&self, entry: Entry, index: usize) -> Result<usize, Wrong> {
        match index.checked_sub(1).and_then(|before| self.items(entry.value).get(before)) {
            Some(before) => Ok(self.after_with_comments(*before, self.column(entry.value)?)),
            None => Ok(self.line_after(self.colon(entry.key)?)),
        }
    }

    pub(super) fn insert_block(
        &self,
        entry: Entry,
        at: usize,
        items: &[Value],
    ) -> Result<Vec<Splice>, Wrong> {
        let column = self.column(entry.value)?;
        let place = if at < self.items(entry.value).len() {
            self.item_start(entry, at)?
        } else {
            self.item_floor(entry, at)?
        };
        let mut lines = Vec::new();
        self.habit(entry.value).items(items, column, &mut lines);
        Ok(vec![Splice::insert(place, self.join(&lines))])
    }

    /// A value in the place of null.
    pub(super) fn fill(&self, null: Id, value: &Value) -> Result<Vec<Splice>, Wrong> {
        let node = self.tree.node(null);
        if node.anchored {
            return Err(wrong(node.span().start, "there is an anchor at what has to be replaced".to_owned()));
        }
        let text = Flow { json: self.json, ..Flow::YAML }.value(value);
        let blank = if node.span().is_empty() { " " } else { "" };
        Ok(vec![Splice { range: node.span(), with: format!("{blank}{text}") }])
    }

    pub(super) fn new_key(&self, mapping: Id, key: &str, value: &Value) -> Result<Vec<Splice>, Wrong> {
        let node = self.tree.node(mapping);
        if !matches!(node.kind, Kind::Mapping(_)) {
            return Err(wrong(node.span().start, format!("`{key}` needs a mapping here")));
        }
        if node.flow {
            return self.new_flow_key(mapping, key, value);
        }
        let mut lines = Vec::new();
        self.habit(mapping).entry(key, value, node.column(), &mut lines);
        if value.is_null() {
            // As it stands where nobody has written anything.
            lines.iter_mut().for_each(|line| line.truncate(line.trim_end_matches(" null").len()));
        }
        Ok(vec![Splice::insert(self.new_key_place(mapping, key)?, self.join(&lines))])
    }

    /// Where the lines of a new key of a block mapping go.
    pub(super) fn new_key_place(&self, mapping: Id, key: &str) -> Result<usize, Wrong> {
        self.plain_keys(mapping)?;
        let column = self.tree.node(mapping).column();
        for (_, below) in ABOVE.iter().filter(|(above, _)| *above == key) {
            if let Some(entry) = self.find(mapping, below)
                && self.is_first_on_its_line(self.start(entry.key))
            {
                let before =
                    entry.position.checked_sub(1).and_then(|before| self.entries(mapping).get(before));
                let floor = before.map_or(0, |(_, before)| self.after_with_comments(*before, column));
                let start = self.comments_above(self.line_start(self.start(entry.key)), floor);
                return Ok(self.behind_comments(start, column));
            }
        }
        let last = self.entries(mapping).last().map_or(mapping, |entry| entry.1);
        Ok(self.after_with_comments(last, column))
    }

    /// A key gets a value, whether it has one or not.
    pub(super) fn set(&self, mapping: Id, key: &str, value: &Value) -> Result<Vec<Splice>, Wrong> {
        let Some(entry) = self.find(mapping, key) else { return self.new_key(mapping, key, value) };
        if self.tree.is_shared(entry.value) {
            self.own(entry.value)?;
        }
        if self.is_null(entry.value) {
            return self.fill(entry.value, value);
        }
        let node = self.tree.node(entry.value);
        let flow = self.flow(entry.value);
        let in_one_line = flow.value(value);
        let in_block = !self.tree.node(mapping).flow;
        if value.is_null()
            && in_block
            && (node.flow || matches!(node.kind, Kind::Scalar { style: Style::Plain, .. }))
        {
            // As it stands where nobody has written anything: `annotations:`
            return Ok(vec![Splice::cut(self.colon(entry.key)?..node.span().end)]);
        }
        Ok(vec![match &node.kind {
            Kind::Scalar { style: Style::Block, .. } => Splice {
                range: node.span().start..self.end(entry.value),
                with: format!("{in_one_line}{}", self.line_end),
            },
            Kind::Mapping(_) | Kind::Sequence(_) if !node.flow => {
                let (mut lines, habit) = (Vec::new(), self.habit(entry.value));
                let (start, column) = match (&node.kind, value) {
                    (Kind::Mapping(_), Value::Object(entries)) if !entries.is_empty() => {
                        habit.entries(entries, node.column(), &mut lines);
                        (node.span().start, node.column())
                    }
                    (Kind::Sequence(_), Value::Array(items)) if !items.is_empty() => {
                        let column = self.column(entry.value)?;
                        habit.items(items, column, &mut lines);
                        (self.dash(entry.value, 0)?, column)
                    }
                    _ => {
                        lines.push(if value.is_null() { String::new() } else { format!(" {in_one_line}") });
                        (self.colon(entry.key)?, 0)
                    }
                };
                let end = self.after(entry.value);
                let text = self.join(&lines);
                Splice { range: start..end, with: text.get(column..).unwrap_or_default().to_owned() }
            }
            Kind::Scalar { style: Style::Plain | Style::Quoted, .. } => {
                let source = self.slice(node.span());
                let own = value.as_str().and_then(|text| in_style_of(source, text));
                Splice { range: node.span(), with: own.unwrap_or(in_one_line) }
            }
            Kind::Mapping(_) | Kind::Sequence(_) | Kind::Alias { .. } => {
                Splice { range: node.span(), with: in_one_line }
            }
        }])
    }

    /// A key goes.
    pub(super) fn remove(&self, mapping: Id, entry: Entry) -> Result<Vec<Splice>, Wrong> {
        let node = self.tree.node(mapping);
        if node.flow {
            return Ok(vec![self.remove_flow(mapping, entry)]);
        }
        self.plain_keys(mapping)?;
        let start = self.start(entry.key);
        Ok(vec![match self.entries(mapping).get(entry.position + 1) {
            _ if self.entries(mapping).len() == 1 => {
                Splice { range: start..self.after(entry.value), with: format!("{{}}{}", self.line_end) }
            }
            Some((next, _)) if !self.is_first_on_its_line(start) => Splice::cut(start..self.start(*next)),
            Some(_) | None => Splice::cut(self.line_start(start)..self.after(entry.value)),
        }])
    }

    /// Items go out of a list, and a block list that has no other with its key.
    pub(super) fn take(&self, mapping: Id, entry: Entry, range: Range<usize>) -> Result<Vec<Splice>, Wrong> {
        let list = entry.value;
        let all = range.len() == self.items(list).len();
        if self.tree.node(list).flow {
            if all && self.goes_when_empty(list) {
                return self.remove(mapping, entry);
            }
            return Ok(self.cut_flow(list, &range).into_iter().collect());
        }
        if all {
            return self.remove(mapping, entry);
        }
        let last = self.items(list).get(range.end - 1).copied().unwrap_or(list);
        Ok(vec![Splice::cut(self.item_start(entry, range.start)?..self.after(last))])
    }
}
