//! A file → its documents, cut as apimachinery cuts a stream: by lines, before any YAML is read.

use super::compose::compose;
use super::{Error, Tree};
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
    let rest = match json_documents(text, &mut documents) {
        Ok(rest) => rest,
        Err(error) => return (documents, Some(error)),
    };
    for chunk in chunks(text, rest) {
        match chunk.and_then(|chunk| document(text, &chunk)) {
            Ok(Some(document)) => documents.push(document),
            Ok(None) => {}
            Err(error) => return (documents, Some(error)),
        }
    }
    (documents, None)
}

/// Reads the text of one document again, the same way as the first time.
pub(super) fn reread(text: &str, line: usize, json: bool) -> Result<Value, Error> {
    if json {
        return serde_json::from_str(text)
            .map_err(|error| Error { line: line + error.line() - 1, what: format!("no JSON: {error}") });
    }
    let found = document(text, &Chunk { span: 0..text.len(), line })?;
    Ok(found.map_or(Value::Null, |document| document.value))
}

/// Text between two separators.
struct Chunk {
    span: Range<usize>,
    line: usize,
}

fn document(text: &str, chunk: &Chunk) -> Result<Option<Document>, Error> {
    const BOM: &str = "\u{feff}";
    let source = text.get(chunk.span.clone()).unwrap_or_default();
    let (source, base) = match source.strip_prefix(BOM) {
        Some(rest) => (rest, chunk.span.start + BOM.len()),
        None => (source, chunk.span.start),
    };
    let Some(tree) = Tree::parse(source, base, chunk.line)? else { return Ok(None) };
    let value = compose(&tree).map_err(|wrong| {
        let at = tree.node(wrong.at).span.start;
        Error { line: line_of(text, at), what: wrong.what }
    })?;
    Ok((!value.is_null()).then(|| Document {
        span: chunk.span.clone(),
        line: chunk.line,
        json: false,
        value,
        tree: Some(tree),
    }))
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
                chunks.push(Ok(Chunk { span: start..at, line: start_line }));
            }
            (start, start_line) = (next, line + 1);
        }
        (at, line) = (next, line + 1);
    }
    if at > start {
        chunks.push(Ok(Chunk { span: start..at, line: start_line }));
    }
    chunks
}

/// A text that begins with `{` is tried as a stream of JSON first. Returns where YAML begins: at its very start where the
/// first value is no JSON.
fn json_documents(text: &str, documents: &mut Vec<Document>) -> Result<usize, Error> {
    if !text.trim_start().starts_with('{') {
        return Ok(0);
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let (mut end, mut line, mut counted) = (0, 1, 0);
    loop {
        match values.next() {
            None => return Ok(text.len()),
            Some(Ok(value)) => {
                let span = end + leading_blanks(text.get(end..).unwrap_or_default())..values.byte_offset();
                end = span.end;
                // A stream of a million values has a million lines.
                line += text.get(counted..span.start).map_or(0, |text| text.matches('\n').count());
                counted = span.start;
                let source = text.get(span.clone()).unwrap_or_default();
                let tree = Tree::parse(source, span.start, line).ok().flatten();
                if !value.is_null() {
                    documents.push(Document { span, line, json: true, value, tree });
                }
            }
            Some(Err(error)) if documents.len() > 1 => {
                return Err(Error { line: error.line(), what: format!("no JSON: {error}") });
            }
            Some(Err(_)) => break,
        }
    }
    // What follows the JSON is YAML, from the next line on.
    let rest = text.get(end..).unwrap_or_default();
    let blanks = leading_blanks(rest);
    let line_feed = rest.get(..blanks).and_then(|blanks| blanks.find('\n'));
    Ok(end + line_feed.map_or(blanks, |at| at + 1))
}

fn leading_blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
