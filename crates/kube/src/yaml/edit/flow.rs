//! Changes of collections in brackets and braces, JSON among them.

use super::page::{Entry, Page};
use super::splice::{Splice, Wrong, wrong};
use super::write::Flow;
use crate::yaml::{Id, Kind, Style};
use serde_json::Value;
use std::ops::Range;

/// What stands behind a part of a flow collection on its last line.
pub(super) struct Behind {
    pub(super) comma: Option<usize>,
    /// Up to the line's end, with the blanks before it; it may be nothing.
    pub(super) comment: Range<usize>,
}

impl Page<'_> {
    /// How flow collections are written around here.
    pub(super) fn flow(&self, near: Id) -> Flow {
        if let Some(first) = self.items(near).first().filter(|_| self.entries(near).is_empty()) {
            return Flow { quoted: self.quotes(near), ..self.flow(*first) };
        }
        let Some((key, _)) = self.entries(near).first() else {
            return Flow { json: self.json, ..Flow::YAML };
        };
        // As in JSON, also where YAML stands above or below it.
        let json = self.json || self.slice(self.start(*key)..self.text.len()).starts_with('"');
        let is_tight = self.colon(*key).is_ok_and(|colon| !self.slice(colon..colon + 1).trim().is_empty());
        Flow { json, quoted: false, tight: json && is_tight }
    }

    /// Whether a list's texts stand in quotes without need.
    pub(super) fn quotes(&self, list: Id) -> bool {
        self.items(list).first().is_some_and(|item| {
            let is_quoted = matches!(self.tree.node(*item).kind, Kind::Scalar { style: Style::Quoted, .. });
            is_quoted && self.slice(self.start(*item)..self.text.len()).starts_with(['"', '\''])
        })
    }

    /// What stands between two parts: a line of its own for each, where they have one.
    fn separator(&self, part: Id, flow: Flow) -> String {
        let start = self.start(part);
        let before = self.slice(0..start);
        let blanks = before.len() - before.trim_end().len();
        let blanks = self.slice(start - blanks..start);
        match blanks.rfind('\n') {
            Some(at) => format!(",{}{}", self.line_end, blanks.get(at + 1..).unwrap_or_default()),
            None => flow.comma().to_owned(),
        }
    }

    /// Items as they are written in this list.
    pub(super) fn item_texts(&self, list: Id, items: &[Value]) -> Vec<String> {
        let flow = self.flow(list);
        let pretty = self.items(list).first().filter(|item| flow.json && self.is_spread(**item));
        let text = |item: &Value| match pretty {
            Some(neighbour) => {
                let (indent, unit) = self.indents(*neighbour);
                flow.lines(item, &indent, &unit, self.line_end)
            }
            None => flow.value(item),
        };
        items.iter().map(text).collect()
    }

    /// Whether a collection's parts stand on lines of their own.
    fn is_spread(&self, collection: Id) -> bool {
        let first = self.entries(collection).first().map(|entry| entry.0);
        let first = first.or_else(|| self.items(collection).first().copied());
        first.is_some_and(|first| self.slice(self.start(collection)..self.start(first)).contains('\n'))
    }

    /// The indentation of a spread collection's line, and how much further in its parts are.
    fn indents(&self, collection: Id) -> (String, String) {
        let first = self.entries(collection).first().map(|entry| entry.0);
        let first = first.or_else(|| self.items(collection).first().copied());
        let blanks = |at: usize| {
            let line = self.slice(self.line_start(at)..self.text.len());
            line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
        };
        let outer = blanks(self.start(collection));
        let inner = first.map_or("", |first| blanks(self.start(first)));
        (outer.to_owned(), inner.strip_prefix(outer).unwrap_or("  ").to_owned())
    }

    pub(super) fn insert_flow(&self, list: Id, at: usize, texts: &[String]) -> Result<Vec<Splice>, Wrong> {
        let items = self.items(list);
        let flow = self.flow(list);
        Ok(vec![match (items.get(at), items.last()) {
            (Some(next), _) => {
                let separator = self.separator(*next, flow);
                Splice::insert(self.start(*next), format!("{}{separator}", texts.join(&separator)))
            }
            (None, Some(last)) => {
                let separator = self.separator(*last, flow);
                Splice::insert(self.end(*last), format!("{separator}{}", texts.join(&separator)))
            }
            (None, None) => Splice::insert(self.start(list) + 1, texts.join(flow.comma())),
        }])
    }

    /// Whether we made this list: there is a blank behind its bracket, which a list that was filled does not get.
    pub(super) fn goes_when_empty(&self, list: Id) -> bool {
        let open = self.start(list) + 1;
        self.slice(open..self.text.len()).starts_with(char::is_whitespace)
    }

    /// Items out of a list that stays.
    pub(super) fn cut_flow(&self, list: Id, range: &Range<usize>) -> Option<Splice> {
        let items = self.items(list);
        let part = self.start(*items.get(range.start)?)..self.end(*items.get(range.end.checked_sub(1)?)?);
        let before = range.start.checked_sub(1).and_then(|before| items.get(before));
        Some(self.cut_part(
            part,
            before.map(|id| self.end(*id)),
            items.get(range.end).map(|id| self.start(*id)),
        ))
    }

    /// With the comma behind it or, of the last one, the comma before it. Comments between two parts stay.
    fn cut_part(&self, part: Range<usize>, end_before: Option<usize>, next_start: Option<usize>) -> Splice {
        let has_comment = |range: Range<usize>| self.slice(range).contains('#');
        let rest = self.slice(part.end..self.text.len());
        let behind = rest.trim_start();
        let comma = if behind.starts_with(',') { part.end + rest.len() - behind.len() + 1 } else { part.end };
        Splice::cut(match (end_before, next_start) {
            (_, Some(next)) if has_comment(part.end..next) => part.start..comma,
            (_, Some(next)) => part.start..next,
            (Some(before), None) if has_comment(before..part.start) => part.start..comma,
            (Some(before), None) => before..part.end,
            (None, None) => part.start..comma,
        })
    }

    /// What stands behind a part that begins a line, if that is no other part.
    pub(super) fn behind(&self, part: Id) -> Option<Behind> {
        let (start, end) = (self.start(part), self.end(part));
        let before = self.slice(self.line_start(start)..start).trim();
        let line = self.slice(end..self.line_after(end)).trim_end_matches(['\r', '\n']);
        let rest = line.trim_start();
        let has_comma = rest.starts_with(',');
        let comma = end + line.len() - rest.len();
        let from = if has_comma { comma + 1 } else { end };
        let comment = from..end + line.len();
        let text = self.slice(comment.clone());
        let is_comment = text.trim().is_empty() || text.trim_start_matches([' ', '\t']).starts_with('#');
        let ends_in_line = !self.slice(start..end).ends_with('\n');
        (matches!(before, "" | "-") && is_comment && ends_in_line)
            .then_some(Behind { comma: has_comma.then_some(comma), comment })
    }

    /// An item with its line, and the comma before it where it was the last.
    pub(super) fn cut_line(&self, list: Id, index: usize, behind: &Behind) -> Option<Vec<Splice>> {
        let items = self.items(list);
        // A list that is emptied has a rule of its own.
        let item = *items.get(index).filter(|_| items.len() > 1)?;
        let line = Splice::cut(self.line_start(self.start(item))..self.line_after(self.end(item)));
        if behind.comma.is_some() {
            return Some(vec![line]);
        }
        let before = *items.get(index.checked_sub(1)?)?;
        let comma = self.behind(before)?.comma?;
        (index + 1 == items.len()).then(|| vec![Splice::cut(comma..comma + 1), line])
    }

    /// An item and the comment behind it, on a line between others.
    pub(super) fn insert_flow_line(
        &self,
        list: Id,
        at: usize,
        item: &str,
        comment: &str,
    ) -> Option<Vec<Splice>> {
        let items = self.items(list);
        let neighbour = *items.get(at).or(items.last())?;
        let start = self.line_start(self.start(neighbour));
        let indent = self.slice(start..self.start(neighbour));
        let behind = self.behind(neighbour).filter(|_| indent.trim().is_empty())?;
        let (place, comma) = if at < items.len() {
            (start, ",")
        } else {
            (self.line_after(self.end(neighbour)), behind.comma.map_or("", |_| ","))
        };
        let mut splices =
            vec![Splice::insert(place, format!("{indent}{item}{comma}{comment}{}", self.line_end))];
        if comma.is_empty() {
            splices.push(Splice::insert(self.end(neighbour), ",".to_owned()));
        }
        Some(splices)
    }

    pub(super) fn new_flow_key(&self, mapping: Id, key: &str, value: &Value) -> Result<Vec<Splice>, Wrong> {
        let flow = self.flow(mapping);
        let text = if flow.json && self.is_spread(mapping) {
            let (outer, unit) = self.indents(mapping);
            flow.lines(value, &format!("{outer}{unit}"), &unit, self.line_end)
        } else if let Some(items) = value.as_array().filter(|items| !items.is_empty()) {
            let items: Vec<String> = items.iter().map(|item| flow.value(item)).collect();
            format!("[ {} ]", items.join(flow.comma()))
        } else {
            flow.value(value)
        };
        self.new_flow_text(mapping, key, &text)
    }

    /// A list of texts in a mapping that has no such key.
    pub(super) fn new_flow_list(&self, mapping: Id, key: &str, item: &str) -> Result<Vec<Splice>, Wrong> {
        let text = if self.is_spread(mapping) {
            let (outer, unit) = self.indents(mapping);
            let end = self.line_end;
            format!("[{end}{outer}{unit}{unit}{item}{end}{outer}{unit}]")
        } else {
            format!("[ {item} ]")
        };
        self.new_flow_text(mapping, key, &text)
    }

    fn new_flow_text(&self, mapping: Id, key: &str, value: &str) -> Result<Vec<Splice>, Wrong> {
        let start = self.start(mapping);
        if !self.slice(start..self.text.len()).starts_with('{') {
            return Err(wrong(start, "this mapping is written without braces".to_owned()));
        }
        let flow = self.flow(mapping);
        let text = format!("{}{value}", flow.key(key));
        Ok(vec![match self.entries(mapping).last() {
            None => Splice::insert(start + 1, text),
            Some((last_key, last)) => {
                let separator = self.separator(*last_key, flow);
                Splice::insert(self.end(*last).max(self.end(*last_key)), format!("{separator}{text}"))
            }
        }])
    }

    pub(super) fn remove_flow(&self, mapping: Id, entry: Entry) -> Splice {
        let entries = self.entries(mapping);
        let end = |(key, value): &(Id, Id)| self.end(*value).max(self.end(*key));
        let before = entry.position.checked_sub(1).and_then(|before| entries.get(before));
        let next = entries.get(entry.position + 1).map(|(key, _)| self.start(*key));
        self.cut_part(self.start(entry.key)..end(&(entry.key, entry.value)), before.map(end), next)
    }
}
