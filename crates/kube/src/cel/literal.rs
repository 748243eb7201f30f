//! Literals of CEL.

use serde_json::Value;

/// A string.
pub(super) fn text(text: &str) -> String {
    let mut literal = String::from("'");
    for character in text.chars() {
        match character {
            '\'' => literal.push_str("\\'"),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\t' => literal.push_str("\\t"),
            '\r' => literal.push_str("\\r"),
            '\u{c}' => literal.push_str("\\f"),
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}

/// A string in pieces, at any of these characters.
pub(super) fn split(expression: &str, between: &[char]) -> String {
    let Some((first, others)) = between.split_first() else { return format!("[{expression}]") };
    let first = text(&first.to_string());
    let same = |other: &char| format!(".replace({}, {first})", text(&other.to_string()));
    format!("{expression}{}.split({first})", others.iter().map(same).collect::<String>())
}

/// A list of strings.
pub(super) fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", items.into_iter().map(text).collect::<Vec<_>>().join(", "))
}

/// A list of maps from strings to strings.
pub(super) fn rows<'a>(items: impl IntoIterator<Item = Vec<(&'a str, &'a str)>>) -> String {
    format!("[{}]", items.into_iter().map(map).collect::<Vec<_>>().join(", "))
}

/// A map from strings to strings.
pub(super) fn map<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let entries = entries.into_iter().map(|(key, value)| format!("{}: {}", text(key), text(value)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

/// A part of an object. CEL's maps have values of one type only, so each of ours is a struct of the type that admission
/// policies name by its way from the root: `Object.spec.volumes`.
pub(super) fn object(way: &str, value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let fields = entries
                .iter()
                .map(|(key, value)| format!("{key}: {}", object(&format!("{way}.{key}"), value)));
            format!("{way}{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| object(way, item)).collect::<Vec<_>>().join(", "))
        }
        Value::String(string) => text(string),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
