//! Where things stand in a text: lines, dashes, colons, comments, ends.

use super::super::compose;
use super::super::scalar::is_null;
use super::super::{Id, Kind, Style, Tree};
use super::splice::{Wrong, wrong};
use std::ops::Range;

/// A key, its value, and its place among its mapping's entries.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) position: usize,
    pub(super) key: Id,
    pub(super) value: Id,
}

/// A text and its parse. The text ends with a line end.
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    pub(super) tree: &'a Tree,
    pub(super) line_end: &'a str,
    pub(super) json: bool,
}

impl<'a> Page<'a> {
    pub(super) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    pub(super) fn start(&self, id: Id) -> usize {
        self.tree.node(id).span().start
    }

    pub(super) fn items(&self, list: Id) -> &'a [Id] {
        match &self.tree.node(list).kind {
            Kind::Sequence(items) => items,
            Kind::Scalar { .. } | Kind::Mapping(_) | Kind::Alias { .. } => &[],
        }
    }

    pub(super) fn entries(&self, mapping: Id) -> &'a [(Id, Id)] {
        match &self.tree.node(mapping).kind {
            Kind::Mapping(entries) => entries,
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Alias { .. } => &[],
        }
    }

    /// Of keys that occur several times, the last one: it is the one that counts.
    pub(super) fn find(&self, mapping: Id, key: &str) -> Option<Entry> {
        let is_it =
            |id: Id| !compose::is_merge(self.tree, id) && compose::key(self.tree, id).as_deref() == Some(key);
        let mut entries = self.entries(mapping).iter().copied().enumerate().rev();
        entries.find(|(_, (key, _))| is_it(*key)).map(|(position, (key, value))| Entry {
            position,
            key,
            value,
        })
    }

    pub(super) fn merges(&self, mapping: Id) -> bool {
        self.entries(mapping).iter().any(|(key, _)| compose::is_merge(self.tree, *key))
    }

    pub(super) fn is_null(&self, id: Id) -> bool {
        let node = self.tree.node(id);
        matches!(&node.kind, Kind::Scalar { text, style: Style::Plain } if node.tag.is_none() && is_null(text))
    }

    /// Refuses what is not written here alone.
    pub(super) fn own(&self, id: Id) -> Result<(), Wrong> {
        if let Kind::Alias { name, .. } = &self.tree.node(id).kind {
            let why =
                format!("*{name} stands here for what is written, and perhaps needed as it is, elsewhere");
            return Err(wrong(self.start(id), why));
        }
        if self.tree.is_shared(id) {
            let why = "what is written here is used elsewhere, too, by an alias".to_owned();
            return Err(wrong(self.start(id), why));
        }
        Ok(())
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.slice(0..at).rfind('\n').map_or(0, |found| found + 1)
    }

    /// Behind the line's end.
    pub(super) fn line_after(&self, at: usize) -> usize {
        self.slice(at..self.text.len()).find('\n').map_or(self.text.len(), |found| at + found + 1)
    }

    /// The line that begins here.
    fn line(&self, start: usize) -> &'a str {
        self.slice(start..self.line_after(start))
    }

    pub(super) fn is_first_on_its_line(&self, at: usize) -> bool {
        self.slice(self.line_start(at)..at).trim().is_empty()
    }

    /// The column of a line's comment, if it has nothing else.
    fn comment(&self, start: usize) -> Option<usize> {
        let line = self.line(start);
        let rest = line.trim_start();
        rest.starts_with('#').then(|| line.len() - rest.len())
    }

    /// Where a node's own text ends. Behind a block scalar's last line.
    pub(super) fn end(&self, id: Id) -> usize {
        let node = self.tree.node(id);
        let last = match &node.kind {
            Kind::Scalar { style: Style::Block, .. } => return self.block_scalar_end(&node.span()),
            Kind::Scalar { .. } | Kind::Alias { .. } => None,
            Kind::Sequence(items) => items.last().copied(),
            Kind::Mapping(entries) => entries.last().map(|entry| entry.1),
        };
        match last {
            Some(last) if !node.flow => self.end(last),
            Some(_) | None => node.span().end,
        }
    }

    /// Blank lines at its end are its own only with `+`.
    fn block_scalar_end(&self, span: &Range<usize>) -> usize {
        let first = self.line_after(span.start);
        let header = self.slice(span.start..first);
        let keeps = keeps_blank_lines(header);
        let mut end = span.end.max(first);
        if self.slice(self.line_start(end)..end).trim().is_empty() {
            end = self.line_start(end);
        }
        while !keeps && end > first && self.line(self.line_start(end - 1)).trim().is_empty() {
            end = self.line_start(end - 1);
        }
        end
    }

    /// Behind the last line of a part of a block collection.
    pub(super) fn after(&self, id: Id) -> usize {
        let end = self.end(id);
        let is_line_start = end > 0 && self.slice(0..end).ends_with('\n');
        if is_line_start { end } else { self.line_after(end) }
    }

    /// The same, and behind the comments below it that are further in than `column`: they are about it.
    pub(super) fn after_with_comments(&self, id: Id, column: usize) -> usize {
        self.behind_comments(self.after(id), column)
    }

    /// Behind the comments that are further in than this.
    pub(super) fn behind_comments(&self, mut at: usize, column: usize) -> usize {
        while self.comment(at).is_some_and(|found| found > column) {
            at = self.line_after(at);
        }
        at
    }

    pub(super) fn behind_blank_lines(&self, mut at: usize) -> usize {
        while at < self.text.len() && self.line(at).trim().is_empty() {
            at = self.line_after(at);
        }
        at
    }

    /// Where the comments begin that stand right above this line.
    pub(super) fn comments_above(&self, line: usize, floor: usize) -> usize {
        let mut at = line;
        while at > floor {
            let above = self.line_start(at - 1);
            if above < floor || self.comment(above).is_none() {
                break;
            }
            at = above;
        }
        at
    }

    /// The dash of an item of a block list.
    pub(super) fn dash(&self, list: Id, index: usize) -> Result<usize, Wrong> {
        let before = index.checked_sub(1).and_then(|index| self.items(list).get(index));
        let mut at = before.map_or(self.start(list), |item| self.end(*item));
        loop {
            let rest = self.slice(at..self.text.len());
            at += rest.len() - rest.trim_start().len();
            at = match rest.trim_start().chars().next() {
                Some('-') => return Ok(at),
                Some('#') => self.line_after(at),
                Some('&' | '!') if before.is_none() => {
                    at + self.slice(at..self.text.len()).find(char::is_whitespace).unwrap_or_default()
                }
                Some(_) | None => return Err(wrong(at, "this list is written in an unusual way".to_owned())),
            };
        }
    }

    /// Behind the colon of a key.
    pub(super) fn colon(&self, key: Id) -> Result<usize, Wrong> {
        let end = self.end(key);
        let rest = self.slice(end..self.text.len());
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest.get(blanks..).is_some_and(|rest| rest.starts_with(':')) {
            return Ok(end + blanks + 1);
        }
        Err(wrong(end, "this key is written in an unusual way".to_owned()))
    }

    /// Refuses `? key`, whose lines have other rules.
    pub(super) fn plain_keys(&self, mapping: Id) -> Result<(), Wrong> {
        for (key, _) in self.entries(mapping) {
            let at = self.start(*key);
            if self.slice(self.line_start(at)..at).trim_end().ends_with('?') {
                return Err(wrong(at, "a key is written with `? ` here".to_owned()));
            }
        }
        Ok(())
    }
}

/// Whether this line begins a block scalar with `+`, to which the blank lines at its end belong.
pub(super) fn keeps_blank_lines(header: &str) -> bool {
    header.split('#').next().unwrap_or_default().trim_end().ends_with(['+'])
        || header.contains("|+")
        || header.contains(">+")
}
