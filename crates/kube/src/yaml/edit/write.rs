//! Values as text, in the ways in which manifests are written.

use super::super::scalar::Scalar;
use serde_json::{Map, Value};

/// A value as YAML of its own, with line feeds. kubectl reads the same value from it.
#[must_use]
pub fn render(value: &Value) -> String {
    let mut lines = Vec::new();
    let shape = Block { step: 2, list: 0, gap: 2, flow_lists: false, quoted: false };
    match value {
        Value::Object(entries) if !entries.is_empty() => shape.entries(entries, 0, &mut lines),
        Value::Array(items) if !items.is_empty() => shape.items(items, 0, &mut lines),
        scalar => lines.push(Flow::YAML.value(scalar)),
    }
    lines.push(String::new());
    lines.join("\n")
}

/// How block collections are indented.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// Columns from a key to the keys of its mapping.
    pub(super) step: usize,
    /// Columns from a key to the dashes of its list.
    pub(super) list: usize,
    /// Columns from a dash to what it is for.
    pub(super) gap: usize,
    /// Lists without collections in brackets, as commands are mostly written.
    pub(super) flow_lists: bool,
    /// Items that are texts in quotes, even where they need none.
    pub(super) quoted: bool,
}

impl Block {
    /// A mapping's lines, at this column.
    pub(super) fn entries(&self, entries: &Map<String, Value>, column: usize, lines: &mut Vec<String>) {
        for (key, value) in entries {
            self.entry(key, value, column, lines);
        }
    }

    pub(super) fn entry(&self, key: &str, value: &Value, column: usize, lines: &mut Vec<String>) {
        let head = format!("{}{}:", " ".repeat(column), scalar(key, Place::Block));
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                lines.push(head);
                self.entries(entries, column + self.step, lines);
            }
            Value::Array(items) if self.is_block(items) => {
                lines.push(head);
                self.items(items, column + self.list, lines);
            }
            value => lines.push(format!("{head} {}", self.one_line(value))),
        }
    }

    /// A list's lines, at this column.
    pub(super) fn items(&self, items: &[Value], column: usize, lines: &mut Vec<String>) {
        for item in items {
            let first = lines.len();
            let inner = column + self.gap;
            match item {
                Value::Object(entries) if !entries.is_empty() => self.entries(entries, inner, lines),
                Value::Array(items) if self.is_block(items) => self.items(items, inner, lines),
                Value::String(text) if self.quoted => {
                    lines.push(format!("{}{}", " ".repeat(inner), quoted(text)))
                }
                item => lines.push(format!("{}{}", " ".repeat(inner), self.one_line(item))),
            }
            if let Some(line) = lines.get_mut(first) {
                line.replace_range(column..=column, "-");
            }
        }
    }

    fn is_block(&self, items: &[Value]) -> bool {
        let has_collections = items.iter().any(|item| item.is_object() || item.is_array());
        !items.is_empty() && (has_collections || !self.flow_lists)
    }

    fn one_line(&self, value: &Value) -> String {
        match value {
            Value::String(text) => scalar(text, Place::Block),
            Value::Array(_) => Flow { quoted: true, ..Flow::YAML }.value(value),
            value => Flow::YAML.value(value),
        }
    }
}

/// How collections in brackets are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// Keys and texts in quotes.
    pub(super) json: bool,
    /// Texts in quotes, even where they need none.
    pub(super) quoted: bool,
    /// No blanks behind colons and commas.
    pub(super) tight: bool,
}

impl Flow {
    pub(super) const YAML: Self = Self { json: false, quoted: false, tight: false };

    pub(super) fn comma(self) -> &'static str {
        if self.tight { "," } else { ", " }
    }

    pub(super) fn key(self, key: &str) -> String {
        let key = if self.json { quoted(key) } else { scalar(key, Place::Flow) };
        format!("{key}:{}", if self.tight { "" } else { " " })
    }

    /// On one line.
    pub(super) fn value(self, value: &Value) -> String {
        match value {
            Value::String(text) if self.json || self.quoted => quoted(text),
            Value::String(text) => scalar(text, Place::Flow),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.value(item)).collect();
                format!("[{}]", items.join(self.comma()))
            }
            Value::Object(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{}{}", self.key(key), self.value(value)))
                    .collect();
                format!("{{{}}}", entries.join(self.comma()))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        }
    }

    /// Each entry and item on a line of its own; the first line stands at this indentation already.
    pub(super) fn lines(self, value: &Value, indent: &str, unit: &str, line_end: &str) -> String {
        let inner = format!("{indent}{unit}");
        let between = format!(",{line_end}{inner}");
        let (open, parts, close): (_, Vec<String>, _) = match value {
            Value::Array(items) => {
                ('[', items.iter().map(|item| self.lines(item, &inner, unit, line_end)).collect(), ']')
            }
            Value::Object(entries) => {
                let entry = |(key, value): (&String, &Value)| {
                    format!("{}{}", self.key(key), self.lines(value, &inner, unit, line_end))
                };
                ('{', entries.iter().map(entry).collect(), '}')
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => return self.value(value),
        };
        if parts.is_empty() {
            return format!("{open}{close}");
        }
        format!("{open}{line_end}{inner}{}{line_end}{indent}{close}", parts.join(&between))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Block,
    Flow,
}

/// A text, in quotes wherever any reader might take it for something else.
fn scalar(text: &str, place: Place) -> String {
    if is_plain(text, place) { text.to_owned() } else { quoted(text) }
}

fn is_plain(text: &str, place: Place) -> bool {
    /// What YAML 1.1 and its readers make of words in any mixture of cases.
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let is_safe = |byte: &u8| match byte {
        b'/' | b'_' | b'-' | b'.' | b'@' | b'+' | b'=' => true,
        b':' | b' ' => place == Place::Block,
        byte => byte.is_ascii_alphanumeric(),
    };
    // Numbers, dates, times, in all the notations that readers know.
    let looks_like_a_number = (first.is_ascii_digit() || *first == b'.')
        && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || b"+-_.:oOxXtTzZ ".contains(byte));
    bytes.iter().all(is_safe)
        && (first.is_ascii_alphanumeric() || matches!(first, b'/' | b'.' | b'_'))
        && !matches!(last, b':' | b' ')
        && !text.contains(": ")
        && !text.starts_with("...")
        && !looks_like_a_number
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && Scalar::resolve(text, true, None) == Ok(Scalar::Text(text.to_owned()))
}

/// A text in the place of another one, in the style of that one where it stays safe: so what lengthens a text and what shortens it
/// again lead back to the same bytes. `source`: as the old one is written.
pub(super) fn in_style_of(source: &str, text: &str) -> Option<String> {
    if source.len() > 1 && source.starts_with('\'') && !source.contains('\n') {
        let is_safe = |c: char| c != '\'' && !c.is_control();
        return text.chars().all(is_safe).then(|| format!("'{text}'"));
    }
    let difference = text.strip_prefix(source).or(source.strip_prefix(text))?;
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"@:._-/+".contains(&byte);
    let is_plain = difference.bytes().all(is_safe)
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && Scalar::resolve(text, true, None) == Ok(Scalar::Text(text.to_owned()));
    is_plain.then(|| text.to_owned())
}

/// In double quotes, as JSON and YAML both read them; what YAML takes for a line's end or refuses, by its number.
pub(super) fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut result = String::from('"');
    for c in text.chars() {
        match c {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                // A `String` takes all that is written to it.
                let _ = write!(result, "\\u{:04x}", u32::from(c));
            }
            c => result.push(c),
        }
    }
    result.push('"');
    result
}
