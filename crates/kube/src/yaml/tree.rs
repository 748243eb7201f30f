//! One document as nodes with their places, as libyaml's events tell them.

use super::guard::guarded;
use super::{Error, fault};
use libyaml_safer::{Encoding, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;

/// A node of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: it may mean a number, a boolean or null.
    Plain,
    /// In quotes.
    Quoted,
    /// `|` or `>`.
    Block,
}

/// What a node is. Boxes, as a large file has millions of them: a `String` has room for more, and a length for that.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Text.
    Scalar {
        /// Without quotes and escapes.
        text: Box<str>,
        /// How it is written.
        style: Style,
    },
    /// A list.
    Sequence(Box<[Id]>),
    /// Keys and values, as written: a key may occur several times.
    Mapping(Box<[(Id, Id)]>),
    /// Another node once more.
    Alias {
        /// The anchor's name.
        name: Box<str>,
        /// The node with that anchor.
        to: Id,
    },
}

/// A part of a document.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// In brackets or braces.
    pub flow: bool,
    /// It has an anchor.
    pub anchored: bool,
    /// Its tag, if one is written.
    pub tag: Option<Box<str>>,
    start: u32,
    end: u32,
    column: u32,
}

impl Node {
    /// Bytes of the file. Of a block collection: from its first entry to the last one's end.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        wide(self.start)..wide(self.end)
    }

    /// Characters before it in its line.
    #[must_use]
    pub fn column(&self) -> usize {
        wide(self.column)
    }
}

/// Files are far smaller than four GiB.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn wide(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// A document.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    root: Id,
}

/// Deeper than any manifest, and less than our stack bears.
const DEEPEST: usize = 1_000;

/// More than the largest dump of a cluster has. Each takes some 100 bytes, and two bytes of text can be one.
const MOST: usize = 4_000_000;

impl Tree {
    /// Reads the first document of a chunk, which begins at this byte and this line of the file. `None`: there is none.
    pub(super) fn parse(chunk: &str, base: usize, first_line: usize) -> Result<Option<Self>, Error> {
        let last_line = Cell::new(first_line);
        guarded(|| Self::events(chunk, base, first_line, &last_line)).unwrap_or_else(|| {
            let what =
                "it cannot be read from here on: the reader of YAML gave up; please report it".to_owned();
            Err(Error { line: last_line.get(), what })
        })
    }

    /// The same of JSON, whose values are read elsewhere.
    pub(super) fn parse_json(source: &str, base: usize, first_line: usize) -> Result<Option<Self>, Error> {
        Self::parse(&without_pairs(source), base, first_line)
    }

    fn events(
        chunk: &str,
        base: usize,
        first_line: usize,
        last_line: &Cell<usize>,
    ) -> Result<Option<Self>, Error> {
        // kubectl appends a line feed as well, and libyaml-safer wants one at the end.
        let text = if chunk.ends_with('\n') { Cow::from(chunk) } else { Cow::from(format!("{chunk}\n")) };
        let mut bytes = text.as_bytes();
        let mut parser = Parser::new();
        parser.set_input_string(&mut bytes);
        // Told nothing, it guesses by the first byte: it refuses U+F000 to U+FFFF there, and its places leave out the three bytes
        // of a byte order mark.
        parser.set_encoding(Encoding::Utf8);
        let mut builder = Builder { nodes: Vec::new(), open: Vec::new(), anchors: HashMap::new() };
        let mut root = None;
        loop {
            let event = parser.parse().map_err(|error| {
                let mark = error.problem_mark().or_else(|| error.context_mark());
                let line = mark.map_or(0, |mark| usize::try_from(mark.line).unwrap_or_default());
                Error {
                    line: first_line + line,
                    what: fault::words(&error, |line| text.lines().nth(line).unwrap_or_default()),
                }
            })?;
            let at = |index: u64| base + usize::try_from(index).unwrap_or(usize::MAX).min(chunk.len());
            let place = Place {
                span: at(event.start_mark.index)..at(event.end_mark.index),
                column: usize::try_from(event.start_mark.column).unwrap_or_default(),
            };
            let line = first_line + usize::try_from(event.start_mark.line).unwrap_or_default();
            last_line.set(line);
            let wrong = |what: String| Error { line, what };
            if builder.nodes.len() >= MOST {
                return Err(wrong(format!("one document with more than {MOST} values")));
            }
            let node = match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => continue,
                EventData::StreamEnd | EventData::DocumentEnd { .. } => {
                    let Some(root) = root else { return Ok(None) };
                    return Ok(Some(Self { nodes: builder.nodes, root }));
                }
                EventData::Scalar { anchor, tag, value, style, .. } => {
                    let style = match style {
                        ScalarStyle::Plain | ScalarStyle::Any => Style::Plain,
                        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                        _ => Style::Quoted,
                    };
                    let id = builder.begin(Kind::Scalar { text: value.into(), style }, place, false, tag);
                    builder.anchor(anchor, id);
                    Some(id)
                }
                EventData::Alias { anchor } => {
                    let to = builder.anchors.get(&anchor).copied();
                    let to =
                        to.ok_or_else(|| wrong(format!("there is no anchor &{anchor} before this alias")))?;
                    Some(builder.begin(Kind::Alias { name: anchor.into(), to }, place, false, None))
                }
                EventData::SequenceStart { anchor, tag, style, .. } => {
                    let flow = style == SequenceStyle::Flow;
                    let id = builder.begin(Kind::Sequence(Box::default()), place, flow, tag);
                    builder.anchor(anchor, id);
                    builder.open(id).map_err(wrong)?;
                    None
                }
                EventData::MappingStart { anchor, tag, style, .. } => {
                    let flow = style == MappingStyle::Flow;
                    let id = builder.begin(Kind::Mapping(Box::default()), place, flow, tag);
                    builder.anchor(anchor, id);
                    builder.open(id).map_err(wrong)?;
                    None
                }
                EventData::SequenceEnd | EventData::MappingEnd => builder.close(place.span.end, &text, base),
            };
            if let Some(node) = node
                && builder.add(node)
            {
                root = Some(node);
            }
        }
    }

    /// The document itself.
    #[must_use]
    pub fn root(&self) -> Id {
        self.root
    }

    /// Whether an alias stands for this node as well, so that a change of it would be one of another place too.
    #[must_use]
    pub fn is_shared(&self, id: Id) -> bool {
        let is_it = |node: &Node| matches!(node.kind, Kind::Alias { to, .. } if to == id);
        self.node(id).anchored && self.nodes.iter().any(is_it)
    }

    /// All nodes: keys before their values, collections before what they hold.
    pub fn ids(&self) -> impl Iterator<Item = Id> {
        (0..narrow(self.nodes.len())).map(Id)
    }

    /// A node.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "only this tree makes its ids")]
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[wide(id.0)]
    }
}

struct Place {
    span: Range<usize>,
    column: usize,
}

/// A collection whose end has not come.
struct Open {
    id: Id,
    /// Its items, or its keys and values in turn.
    parts: Vec<Id>,
}

struct Builder {
    nodes: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<String, Id>,
}

impl Builder {
    fn begin(&mut self, kind: Kind, place: Place, flow: bool, tag: Option<String>) -> Id {
        let id = Id(narrow(self.nodes.len()));
        self.nodes.push(Node {
            kind,
            flow,
            anchored: false,
            tag: tag.map(Into::into),
            start: narrow(place.span.start),
            end: narrow(place.span.end),
            column: narrow(place.column),
        });
        id
    }

    fn anchor(&mut self, name: Option<String>, id: Id) {
        if let Some(name) = name {
            self.anchors.insert(name, id);
            if let Some(node) = self.nodes.get_mut(wide(id.0)) {
                node.anchored = true;
            }
        }
    }

    fn open(&mut self, id: Id) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        self.open.push(Open { id, parts: Vec::new() });
        Ok(())
    }

    fn close(&mut self, end: usize, text: &str, base: usize) -> Option<Id> {
        let Open { id, parts } = self.open.pop()?;
        let (first, last) = (parts.first().copied(), parts.last().copied());
        let node = self.nodes.get_mut(wide(id.0))?;
        let (flow, start) = (node.flow, wide(node.start));
        let is_mapping = matches!(node.kind, Kind::Mapping(_));
        node.kind = if is_mapping {
            Kind::Mapping(
                parts.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect(),
            )
        } else {
            Kind::Sequence(parts.into_boxed_slice())
        };
        let place_of = |id: Id| self.nodes.get(wide(id.0)).map(|node| (node.span(), node.column));
        // A flow collection begins behind its anchor and tag; a block mapping, at its first key.
        let start_and_column = if flow {
            let properties = text.get(start - base..).and_then(|rest| rest.find(['[', '{'])).unwrap_or(0);
            (start + properties, None)
        } else {
            first
                .filter(|_| is_mapping)
                .and_then(place_of)
                .map_or((start, None), |(span, column)| (span.start, Some(column)))
        };
        // libyaml ends a block collection where the next token begins.
        let end = if flow { end } else { last.and_then(place_of).map_or(end, |(span, _)| span.end) };
        let node = self.nodes.get_mut(wide(id.0))?;
        node.start = narrow(start_and_column.0);
        node.end = narrow(end.max(start_and_column.0));
        if let Some(column) = start_and_column.1 {
            node.column = column;
        }
        Some(id)
    }

    /// Gives a whole node to the collection that is open; true if there is none.
    fn add(&mut self, child: Id) -> bool {
        let Some(open) = self.open.last_mut() else { return true };
        open.parts.push(child);
        false
    }
}

/// JSON writes what is above U+FFFF as two escapes, a surrogate pair, which no YAML reader takes. Other characters, as many as
/// they have, stand for them while places are looked for.
fn without_pairs(json: &str) -> Cow<'_, str> {
    const PAIR: usize = r"\ud83d\ude00".len();
    let mut result = String::new();
    let (mut taken, mut at) = (0, 0);
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        let pair = json.get(at..at + PAIR).filter(|pair| is_pair(pair.as_bytes()));
        if pair.is_some() {
            result.push_str(json.get(taken..at).unwrap_or_default());
            result.push_str(&"x".repeat(PAIR));
            taken = at + PAIR;
        }
        // What is behind a backslash may be one itself.
        at += if pair.is_some() { PAIR } else { 2 };
    }
    if taken == 0 {
        return Cow::from(json);
    }
    result.push_str(json.get(taken..).unwrap_or_default());
    Cow::from(result)
}

fn is_pair(text: &[u8]) -> bool {
    let [
        b'\\',
        b'u',
        b'd' | b'D',
        b'8' | b'9' | b'a' | b'A' | b'b' | b'B',
        high @ ..,
        b'\\',
        b'u',
        b'd' | b'D',
        third,
        fourth,
        fifth,
    ] = text
    else {
        return false;
    };
    let is_low = matches!(third, b'c'..=b'f' | b'C'..=b'F');
    is_low && high.iter().chain([fourth, fifth]).all(u8::is_ascii_hexdigit)
}
