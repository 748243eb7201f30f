//! Any text: read without a panic, every part where the text has it, and what is rendered reads back.
#![no_main]

use kubectl_lastout::yaml::{self, Kind, Style};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Numbers that JSON has and kubectl's YAML reads as others: `1.0`, `-0.0`, those beyond 64 bits.
fn has_odd_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.as_i64().is_none() && number.as_f64().is_none_or(|number| number.fract() == 0.0)
        }
        Value::Array(items) => items.iter().any(has_odd_number),
        Value::Object(entries) => entries.values().any(has_odd_number),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// libyaml takes no key of more than 1 024 bytes without `? `.
fn has_long_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_long_key),
        Value::Object(entries) => entries.iter().any(|(key, value)| key.len() > 150 || has_long_key(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (documents, _) = yaml::read(text);
    for document in documents {
        assert!(text.get(document.span.clone()).is_some());
        for id in document.tree.iter().flat_map(|tree| tree.ids()) {
            let node = document.tree.as_ref().expect("a tree").node(id);
            let written = text.get(node.span()).unwrap_or_else(|| panic!("{node:?}"));
            if let Kind::Scalar { text: word, style: Style::Plain } = &node.kind {
                assert!(written.ends_with(&**word) || written.contains(yaml::BREAKS), "{node:?}");
            }
        }
        if has_odd_number(&document.value) || has_long_key(&document.value) {
            continue;
        }
        let rendered = yaml::render(&document.value);
        let (again, error) = yaml::read(&rendered);
        assert!(error.is_none(), "{rendered}: {error:?}");
        assert_eq!(again.first().map(|again| &again.value), Some(&document.value), "{rendered}");
    }
});
