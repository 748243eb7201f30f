//! The variables: every option has one, and everything else that begins like one is odd.

use lastout_core::settings::{OPTIONS, OptionRow, PREFIX, RawValue};
use lastout_core::text::nearest;
use std::ffi::CStr;

pub(super) fn from_environment(env: &[&CStr]) -> (Vec<RawValue>, Vec<String>) {
    let (mut values, mut warnings) = (Vec::new(), Vec::new());
    for entry in env.iter().filter_map(|entry| entry.to_bytes().strip_prefix(PREFIX.as_bytes())) {
        let mut parts = entry.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let name = String::from_utf8_lossy(name);
        let option = OPTIONS.iter().find(|row| suffix(row) == name);
        match option {
            _ if value.is_empty() => {}
            Some(row) if row.repeats => {
                let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
                values.extend(words.map(|word| raw(row, word)));
            }
            Some(row) => values.push(raw(row, value)),
            None if is_service_link(&name) => {}
            None => {
                let names: Vec<String> = OPTIONS.iter().map(suffix).collect();
                let known = nearest(&name, names.iter().map(String::as_str));
                let hint = known.map_or(String::new(), |known| format!("; did you mean {PREFIX}{known}?"));
                warnings.push(format!("{PREFIX}{name}: no such setting{hint}"));
            }
        }
    }
    (values, warnings)
}

fn raw(row: &OptionRow, value: &[u8]) -> RawValue {
    RawValue { option: row.option, origin: row.variable(), value: value.to_vec() }
}

/// Its variable's name behind the prefix.
fn suffix(row: &OptionRow) -> String {
    row.variable().split_off(PREFIX.len())
}

/// Variables that Kubernetes sets for a Service whose name begins with `lastout` (`{SVC}_SERVICE_HOST`,
/// `{SVC}_PORT_80_TCP_ADDR`, …).
fn is_service_link(name: &str) -> bool {
    let last_is_port = name == "PORT" || name.ends_with("_PORT");
    last_is_port
        || name.contains("SERVICE_HOST")
        || name.contains("SERVICE_PORT")
        || ["_TCP", "_UDP", "_SCTP"]
            .iter()
            .any(|protocol| format!("_{name}").contains("_PORT_") && name.contains(protocol))
}
