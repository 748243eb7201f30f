//! An item goes from one list of a mapping to another, as it is written: with all that stands between it
//! and the one before, comments and blank lines. Only so does it find its place again on the way back.

use super::page::{Entry, Page, keeps_blank_lines};
use super::splice::{Splice, Wrong, splice, wrong};
use super::write::Flow;
use crate::change::{Item, KeyChange};
use crate::yaml::{Id, Kind};
use serde_json::Value;
use std::ops::Range;

impl Page<'_> {
    /// The item's `key` gets this value, or goes. `item` is its value before.
    pub(super) fn carry(
        &self,
        mapping: Id,
        (source, index): (Entry, usize),
        to: &Item,
        (key, becomes): (&str, &KeyChange),
        mut item_value: Value,
    ) -> Result<Vec<Splice>, Wrong> {
        let Some(item) = self.items(source.value).get(index).copied() else { return Ok(Vec::new()) };
        self.own(item)?;
        let Kind::Mapping(_) = self.tree.node(item).kind else {
            return Err(wrong(self.start(item), "it is no mapping".to_owned()));
        };
        let own_change = match (becomes, self.find(item, key)) {
            (KeyChange::Set(value), _) => self.set(item, key, value)?,
            (KeyChange::Remove, Some(entry)) => self.remove(item, entry)?,
            (KeyChange::Remove, None) => Vec::new(),
        };
        let (to, at) = (to.list.as_str(), to.index);
        let target = self.find(mapping, to);
        let in_flow = |list: Id| self.tree.node(list).flow;
        let target_in_flow = in_flow(mapping)
            || target.is_some_and(|target| in_flow(target.value) && !self.items(target.value).is_empty());
        if !in_flow(source.value) && !target_in_flow {
            return self.carry_lines(mapping, (source, index, item), target.ok_or(to), at, own_change);
        }
        let text = if in_flow(item) {
            self.changed(self.tree.node(item).span(), own_change)
        } else {
            if let Some(entries) = item_value.as_object_mut() {
                becomes.apply_to(entries, key);
            }
            self.flow(source.value).value(&item_value)
        };
        if let Some((cut, comment)) = self.with_comment(source.value, index)
            && let Some(place) = self.place_with_comment(mapping, target.ok_or(to), at, &text, &comment)?
        {
            let cut = cut.map_or_else(|| self.take(mapping, source, index..index + 1), Ok)?;
            return Ok(cut.into_iter().chain(place).collect());
        }
        let mut splices = self.take(mapping, source, index..index + 1)?;
        splices.extend(match target {
            None if in_flow(mapping) => self.new_flow_list(mapping, to, &text)?,
            None => vec![self.new_list_of_one(mapping, to, &text)?],
            Some(target) if self.is_null(target.value) => {
                let span = self.tree.node(target.value).span();
                let blank = if span.is_empty() { " " } else { "" };
                vec![Splice { range: span, with: format!("{blank}[{text}]") }]
            }
            Some(target) if in_flow(target.value) => self.insert_flow(target.value, at, &[text])?,
            Some(target) => vec![self.new_line(target, at, &text)?],
        });
        Ok(splices)
    }

    /// A list of lines, with one.
    fn new_list_of_one(&self, mapping: Id, to: &str, item: &str) -> Result<Splice, Wrong> {
        let column = self.tree.node(mapping).column();
        let dash = column + self.habit(mapping).list;
        let head = format!("{}{}", " ".repeat(column), Flow::YAML.key(to).trim_end());
        let lines = format!("{head}{end}{}- {item}{end}", " ".repeat(dash), end = self.line_end);
        Ok(Splice::insert(self.new_key_place(mapping, to)?, lines))
    }

    fn new_line(&self, list: Entry, at: usize, item: &str) -> Result<Splice, Wrong> {
        let dash = self.column(list.value)?;
        let line = format!("{}- {item}{}", " ".repeat(dash), self.line_end);
        Ok(Splice::insert(self.item_floor(list, at)?, line))
    }

    /// The comment behind an item in brackets that has lines of its own, and what cuts both out of brackets. Out of a list
    /// of lines, they go together anyhow.
    fn with_comment(&self, list: Id, index: usize) -> Option<(Option<Vec<Splice>>, String)> {
        let items = self.items(list);
        let behind = self.behind(*items.get(index)?)?;
        let comment = self.slice(behind.comment.clone()).to_owned();
        if comment.is_empty() {
            return None;
        }
        let cut = if self.tree.node(list).flow { Some(self.cut_line(list, index, &behind)?) } else { None };
        Some((cut, comment))
    }

    /// What puts an item and its comment there; `None` where no comment can stand.
    fn place_with_comment(
        &self,
        mapping: Id,
        target: Result<Entry, &str>,
        at: usize,
        item: &str,
        comment: &str,
    ) -> Result<Option<Vec<Splice>>, Wrong> {
        let line = format!("{item}{comment}");
        Ok(match target {
            Err(_) if self.tree.node(mapping).flow => None,
            Err(to) => Some(vec![self.new_list_of_one(mapping, to, &line)?]),
            Ok(target) if self.is_null(target.value) => None,
            Ok(target) if self.tree.node(target.value).flow => {
                self.insert_flow_line(target.value, at, item, comment)
            }
            Ok(target) => Some(vec![self.new_line(target, at, &line)?]),
        })
    }

    /// From lines to lines.
    fn carry_lines(
        &self,
        mapping: Id,
        (source, index, item): (Entry, usize, Id),
        target: Result<Entry, &str>,
        at: usize,
        own_change: Vec<Splice>,
    ) -> Result<Vec<Splice>, Wrong> {
        let column = self.column(source.value)?;
        let floor = self.item_floor(source, index)?;
        let end = self.after_with_comments(item, column);
        let is_last_one = self.items(source.value).len() == 1;
        let key_start = self.start(source.key);
        let mut splices = match is_last_one {
            false => vec![Splice::cut(floor..end)],
            true if self.is_first_on_its_line(key_start) && self.entries(mapping).len() > 1 => {
                vec![Splice::cut(self.line_start(key_start)..end)]
            }
            true => self.remove(mapping, source)?,
        };
        let lines = self.changed(floor..end, own_change);
        match target {
            Ok(target) if !self.items(target.value).is_empty() => {
                let lines = shifted(&lines, column, self.column(target.value)?);
                let mut place = self.item_floor(target, at)?;
                // The blank lines below would become its own.
                if lines.lines().any(keeps_blank_lines) {
                    place = self.behind_blank_lines(place);
                }
                splices.push(Splice::insert(place, lines));
            }
            // Null or `[]`: comments cannot stand in brackets, so that it becomes a list of lines.
            Ok(target) => {
                let old = self.tree.node(target.value).span();
                splices.push(Splice::insert(self.line_after(old.end), lines));
                splices.push(Splice::cut(self.colon(target.key)?..old.end));
            }
            Err(to) => {
                let head = " ".repeat(self.tree.node(mapping).column()) + Flow::YAML.key(to).trim_end();
                let place = self.new_key_place(mapping, to)?;
                splices.push(Splice::insert(place, format!("{head}{}{lines}", self.line_end)));
            }
        }
        Ok(splices)
    }

    /// A part of the text, with these changes within it.
    fn changed(&self, range: Range<usize>, splices: Vec<Splice>) -> String {
        let within = |at: usize| at.clamp(range.start, range.end) - range.start;
        let splices = splices.into_iter().map(|splice| Splice {
            range: within(splice.range.start)..within(splice.range.end),
            with: splice.with,
        });
        splice(self.slice(range.clone()), 0, splices.collect())
    }
}

/// Lines further in or out. Those that are less far in than the first column stand where they are: within quotes or
/// brackets it does not matter where, and blank lines would gain bytes.
fn shifted(lines: &str, from: usize, to: usize) -> String {
    let shift = |line: &str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        match line.get(from..) {
            Some(rest) if indent >= from && (indent > from || !rest.trim().is_empty()) => {
                format!("{}{rest}", " ".repeat(to))
            }
            Some(_) | None => line.to_owned(),
        }
    };
    if from == to { lines.to_owned() } else { lines.split_inclusive('\n').map(shift).collect() }
}
