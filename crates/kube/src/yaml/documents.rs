//! A file → its documents, cut as apimachinery cuts a stream: by lines, before any YAML is read.

use super::agree::{agrees, same};
use super::compose::{Wrong, compose};
use super::fault::template;
use super::{BOM, BREAKS, Error, Tree};
use serde_json::Value;
use std::ops::Range;

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its bytes in the file, without separators.
    pub span: Range<usize>,
    /// The line of the file where it begins, from 1.
    pub line: usize,
    /// It was read as JSON, not as YAML.
    pub json: bool,
    /// What kubectl would send.
    pub value: Value,
    /// Where its parts stand. JSON that is no YAML has none.
    pub tree: Option<Tree>,
}

/// The documents of a file, without those that are empty or null; those before an error, and the error.
pub fn read(text: &str) -> (Vec<Document>, Option<Error>) {
    let mut documents = Vec::new();
    for document in stream(text) {
        match document {
            Ok(document) => documents.push(document),
            Err(error) => return (documents, Some(error)),
        }
    }
    (documents, None)
}

/// The same, one after the other, so that no more than one of them need be kept. Nothing comes after an error.
pub fn stream(text: &str) -> impl Iterator<Item = Result<Document, Error>> {
    let mut json = JsonStream::of(text);
    let mut chunks = if json.is_some() { Vec::new() } else { chunks(text, 0) }.into_iter();
    let (mut failed, mut count) = (false, 0);
    std::iter::from_fn(move || {
        while !failed {
            let next = match json.as_mut().map(JsonStream::next) {
                Some(Next::Document(document)) => Ok(Some(document)),
                Some(Next::Wrong(error)) => Err(error),
                Some(Next::YamlFrom(rest)) => {
                    count = json.take().map_or(0, |json| json.count);
                    chunks = self::chunks(text, rest).into_iter();
                    continue;
                }
                None => {
                    let chunk = chunks.next()?;
                    count += 1;
                    chunk.and_then(|chunk| document(text, &chunk)).map_err(|error| error.of(count))
                }
            };
            failed = next.is_err();
            if let Some(next) = next.transpose() {
                return Some(next);
            }
        }
        None
    })
}

/// Reads the text of one document again, the same way as the first time.
pub(crate) fn reread(text: &str, line: usize, json: bool) -> Result<Value, Error> {
    if json {
        return serde_json::from_str(text)
            .map_err(|error| Error { line: line + error.line() - 1, what: format!("no JSON: {error}") });
    }
    let found = document(text, &Chunk::whole(text, line))?;
    Ok(found.map_or(Value::Null, |document| document.value))
}

/// Whether the text of one document, read again, has this value.
pub(super) fn has_value(text: &str, line: usize, json: bool, value: &Value) -> Result<bool, Error> {
    if json {
        return Ok(same(&reread(text, line, json)?, value));
    }
    let Some(tree) = tree(text, &Chunk::whole(text, line))? else { return Ok(value.is_null()) };
    agrees(&tree, value).map_err(|wrong| {
        let error = placed(text, &tree, wrong);
        Error { line: line - 1 + error.line, ..error }
    })
}

/// Text between two separators.
struct Chunk {
    /// A separator that has nothing before it stays in kubectl's chunk: a byte order mark behind it is not the chunk's first.
    is_behind_separator: bool,
    span: Range<usize>,
    line: usize,
}

impl Chunk {
    fn whole(text: &str, line: usize) -> Self {
        Self { is_behind_separator: false, span: 0..text.len(), line }
    }
}

fn document(text: &str, chunk: &Chunk) -> Result<Option<Document>, Error> {
    let Some(tree) = tree(text, chunk)? else { return Ok(None) };
    let value = compose(&tree).map_err(|wrong| placed(text, &tree, wrong))?;
    Ok((!value.is_null()).then(|| Document {
        span: chunk.span.clone(),
        line: chunk.line,
        json: false,
        value,
        tree: Some(tree),
    }))
}

fn tree(text: &str, chunk: &Chunk) -> Result<Option<Tree>, Error> {
    let source = text.get(chunk.span.clone()).unwrap_or_default();
    let (source, base) = match source.strip_prefix(BOM) {
        Some(rest) if !chunk.is_behind_separator => (rest, chunk.span.start + BOM.len()),
        _ => (source, chunk.span.start),
    };
    if let Some(line) = line_with_mark(source) {
        let what = "the line begins with a byte order mark (U+FEFF) that kubectl does not skip: take it out";
        return Err(Error { line: chunk.line + line, what: what.to_owned() });
    }
    Tree::parse(source, base, chunk.line)
}

/// The first line, from 0, that begins with a byte order mark. Between two words libyaml-safer skips it; for kubectl it is text.
fn line_with_mark(source: &str) -> Option<usize> {
    source.match_indices(BOM).find_map(|(at, _)| {
        let before = source.get(..at)?;
        (before.is_empty() || before.ends_with(BREAKS)).then(|| before.matches('\n').count())
    })
}

fn placed(text: &str, tree: &Tree, wrong: Wrong) -> Error {
    let line = line_of(text, tree.node(wrong.at).span().start);
    let written = text.lines().nth(line - 1).unwrap_or_default();
    Error { line, what: wrong.what + template(&[written]).unwrap_or_default() }
}

/// The line of the file in which this byte stands, from 1.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// Each line that begins with `---` separates; nothing but a comment may follow it.
fn chunks(text: &str, from: usize) -> Vec<Result<Chunk, Error>> {
    let mut chunks = Vec::new();
    let (mut start, mut start_line) = (from, line_of(text, from));
    let (mut at, mut line) = (start, start_line);
    let mut is_behind_separator = false;
    let rest = text.get(from..).unwrap_or_default();
    for content in rest.split_inclusive('\n') {
        let next = at + content.len();
        if let Some(behind) = content.strip_prefix("---") {
            let behind = behind.trim();
            if !behind.is_empty() && !behind.starts_with('#') {
                let what = format!(
                    "`---` separates documents, and kubectl takes nothing behind it but a comment: move `{behind}` to the next line"
                );
                chunks.push(Err(Error { line, what }));
                return chunks;
            }
            if at > start {
                chunks.push(Ok(Chunk { is_behind_separator, span: start..at, line: start_line }));
            }
            is_behind_separator = at == start && !is_behind_separator;
            (start, start_line) = (next, line + 1);
        }
        (at, line) = (next, line + 1);
    }
    if at > start {
        chunks.push(Ok(Chunk { is_behind_separator, span: start..at, line: start_line }));
    }
    chunks
}

/// A text that begins with `{` is tried as a stream of JSON first.
struct JsonStream<'a> {
    text: &'a str,
    values: serde_json::StreamDeserializer<'a, serde_json::de::StrRead<'a>, Value>,
    /// How many documents there were.
    count: usize,
    /// Where the last one ended.
    end: usize,
    /// The line, from 1, in which this byte stands.
    line: (usize, usize),
}

/// What comes next in a stream of JSON.
enum Next {
    Document(Document),
    Wrong(Error),
    /// No JSON any more: YAML, at the very start of the text where the first value is no JSON.
    YamlFrom(usize),
}

impl<'a> JsonStream<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let values = serde_json::Deserializer::from_str(text).into_iter();
        let is_json = text.trim_start().starts_with('{');
        is_json.then_some(Self { text, values, count: 0, end: 0, line: (1, 0) })
    }

    fn next(&mut self) -> Next {
        let text = self.text;
        loop {
            match self.values.next() {
                None => return Next::YamlFrom(text.len()),
                Some(Ok(value)) => {
                    let start = self.end + leading_blanks(text.get(self.end..).unwrap_or_default());
                    let span = start..self.values.byte_offset();
                    self.end = span.end;
                    if value.is_null() {
                        continue;
                    }
                    let (line, counted) = self.line;
                    let feeds = text.get(counted..start).unwrap_or_default().matches('\n').count();
                    // A stream of a million values has a million lines.
                    let line = line + feeds;
                    self.line = (line, start);
                    self.count += 1;
                    let source = text.get(span.clone()).unwrap_or_default();
                    let tree = Tree::parse_json(source, span.start, line).ok().flatten();
                    return Next::Document(Document { span, line, json: true, value, tree });
                }
                Some(Err(error)) if self.count > 1 => {
                    return Next::Wrong(Error { line: error.line(), what: format!("no JSON: {error}") });
                }
                // What follows the JSON is YAML, from the next line on.
                Some(Err(_)) => {
                    let rest = text.get(self.end..).unwrap_or_default();
                    let blanks = leading_blanks(rest);
                    let line_feed = rest.get(..blanks).and_then(|blanks| blanks.find('\n'));
                    return Next::YamlFrom(self.end + line_feed.map_or(blanks, |at| at + 1));
                }
            }
        }
    }
}

fn leading_blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
