//! The way to a part of an object → the place of that part in the text.

use crate::change::{Path, Spot, Step};
use crate::yaml::{Id, Kind, Tree};
use std::ops::Range;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters of that line are meant, at least 1.
    pub width: usize,
    /// That line, or the part of a long one that is about the place.
    pub excerpt: String,
    /// Where in the excerpt it begins, in characters from 0.
    pub offset: usize,
}

/// More of a line is not shown: a file of JSON may be one line.
const WIDEST: usize = 160;

/// The lines of a text; found when they are asked for, as most files have nothing to tell.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// The byte that was asked for last, the start of its line, and the characters between them. A file of JSON may be one
    /// line of megabytes with a finding in each of thousands of objects.
    last: (usize, usize, usize),
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, starts: Vec::new(), last: (0, 0, 0) }
    }

    fn starts(&mut self) -> &[usize] {
        if self.starts.is_empty() {
            let feeds =
                self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
            self.starts = std::iter::once(0).chain(feeds).collect();
        }
        &self.starts
    }

    /// How many characters stand between the start of a line and a byte of it.
    fn column(&mut self, start: usize, at: usize) -> usize {
        let count = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default().chars().count();
        let (last, line, before) = self.last;
        let column = match last {
            _ if line != start => count(start, at),
            last if last <= at => before + count(last, at),
            last => before - count(at, last),
        };
        self.last = (at, start, column);
        column
    }

    /// Where the spot is; the line of the document where its text has no tree, or the spot is not in it.
    pub(super) fn place(&mut self, tree: Option<&Tree>, document: usize, spot: &Spot) -> Place {
        match tree.and_then(|tree| span(tree, self.text, spot)) {
            Some(span) => self.place_of(&span),
            None => {
                let line = self.first_content(document);
                let starts = self.starts();
                let start = starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
                self.place_of(&(start..start))
            }
        }
    }

    fn place_of(&mut self, span: &Range<usize>) -> Place {
        let text = self.text;
        let line = self.starts().partition_point(|start| *start <= span.start);
        let start = self.starts().get(line.saturating_sub(1)).copied().unwrap_or_default();
        let next = self.starts().get(line).copied().unwrap_or(text.len());
        let whole = text.get(start..next).unwrap_or_default().trim_end_matches(['\r', '\n']);
        let end = span.end.min(start + whole.len()).max(span.start);
        let width = text.get(span.start..end).unwrap_or_default().trim_end().chars().count().max(1);
        let left = text.get(start..span.start).unwrap_or_default();
        let is_long = whole.chars().nth(WIDEST).is_some();
        let skipped = if is_long { left.char_indices().rev().nth(WIDEST / 4) } else { None };
        let skipped = skipped.map_or(0, |(at, _)| at);
        let excerpt: String = whole.get(skipped..).unwrap_or_default().chars().take(WIDEST).collect();
        let offset = left.get(skipped..).unwrap_or_default().chars().count();
        Place { line, column: self.column(start, span.start) + 1, width, excerpt, offset }
    }

    /// The first line from this one on that is neither blank nor a comment.
    pub(super) fn first_content(&mut self, line: usize) -> usize {
        let text = self.text;
        let start = self.starts().get(line.saturating_sub(1)).copied().unwrap_or_default();
        let lines = text.get(start..).unwrap_or_default().lines();
        let above = lines.take_while(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#') || line == "---"
        });
        line + above.count()
    }
}

/// The bytes of the file that the spot is about: of the deepest part of its way that is there.
fn span(tree: &Tree, text: &str, spot: &Spot) -> Option<Range<usize>> {
    let (key, value) = follow(tree, &spot.path)?;
    let node = tree.node(value);
    match &node.kind {
        // What can be pointed at is the key: the whole mapping below it is none of the reader's trouble.
        Kind::Mapping(_) | Kind::Sequence(_) if let Some(key) = key => Some(tree.node(key).span()),
        Kind::Mapping(entries) => {
            // An item of a list: its name says which one it is.
            let name = entries.iter().find(|(key, _)| tree.is_key(*key, "name"));
            Some(tree.node(name.map_or(value, |(_, name)| *name)).span())
        }
        Kind::Sequence(_) => Some(node.span()),
        Kind::Alias { .. } => Some(node.span()),
        Kind::Scalar { .. } if spot.key => key.map(|key| tree.node(key).span()),
        Kind::Scalar { text: plain, .. } => {
            let within = spot.within.as_ref().and_then(|within| written(text, &node.span(), plain, within));
            Some(within.unwrap_or_else(|| node.span()))
        }
    }
}

/// A part of a word, as it is written: quoted or in a block it is found again by how often it was there before. One that
/// is escaped or folded has no such place.
fn written(text: &str, span: &Range<usize>, plain: &str, within: &Range<usize>) -> Option<Range<usize>> {
    let (source, part) = (text.get(span.clone())?, plain.get(within.clone())?);
    let before = plain.get(..within.start)?.matches(part).count();
    let (at, _) = source.match_indices(part).nth(before).filter(|_| !part.is_empty())?;
    Some(span.start + at..span.start + at + part.len())
}

/// The nodes at the end of a way: the key, if it ends in a mapping, and the value. As far as there is one.
fn follow(tree: &Tree, path: &Path) -> Option<(Option<Id>, Id)> {
    let mut at = (None, tree.root());
    for step in &path.0 {
        let Some(next) = child(tree, at.1, step) else { break };
        at = next;
    }
    Some(at)
}

fn child(tree: &Tree, at: Id, step: &Step) -> Option<(Option<Id>, Id)> {
    match (&tree.node(at).kind, step) {
        (Kind::Alias { to, .. }, _) => child(tree, *to, step),
        (Kind::Sequence(items), Step::Index(index)) => items.get(*index).map(|item| (None, *item)),
        (Kind::Mapping(entries), Step::Key(wanted)) => {
            // The last of several counts, merged ones among them.
            entries.iter().rev().find_map(|(key, value)| {
                if tree.is_key(*key, wanted) {
                    return Some((Some(*key), *value));
                }
                tree.is_merge(*key).then(|| merged(tree, *value, step)).flatten()
            })
        }
        (Kind::Sequence(_) | Kind::Mapping(_) | Kind::Scalar { .. }, _) => None,
    }
}

/// `<<`: a mapping, or a list of them of which the first wins.
fn merged(tree: &Tree, at: Id, step: &Step) -> Option<(Option<Id>, Id)> {
    match &tree.node(at).kind {
        Kind::Sequence(items) => items.iter().find_map(|item| child(tree, *item, step)),
        Kind::Mapping(_) | Kind::Alias { .. } | Kind::Scalar { .. } => child(tree, at, step),
    }
}
