//! An item goes from one list of a mapping to another, as it is written: with all that stands between it
//! and the one before, comments and blank lines. Only so does it find its place again on the way back.

use super::page::{Entry, Page};
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
        let mut splices = self.take(mapping, source, index..index + 1)?;
        splices.extend(match target {
            None if in_flow(mapping) => self.new_flow_list(mapping, to, &text)?,
            None => {
                let column = self.tree.node(mapping).column();
                let dash = column + self.habit(mapping).list;
                let head = format!("{}{}", " ".repeat(column), Flow::YAML.key(to).trim_end());
                let lines = format!("{head}{end}{}- {text}{end}", " ".repeat(dash), end = self.line_end);
                vec![Splice::insert(self.new_key_place(mapping, to)?, lines)]
            }
            Some(target) if self.is_null(target.value) => {
                let span = self.tree.node(target.value).span();
                let blank = if span.is_empty() { " " } else { "" };
                vec![Splice { range: span, with: format!("{blank}[{text}]") }]
            }
            Some(target) if in_flow(target.value) => self.insert_flow(target.value, at, &[text])?,
            Some(target) => {
                let dash = self.column(target.value)?;
                let line = format!("{}- {text}{}", " ".repeat(dash), self.line_end);
                vec![Splice::insert(self.item_floor(target, at)?, line)]
            }
        });
        Ok(splices)
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
                splices.push(Splice::insert(self.item_floor(target, at)?, lines));
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
