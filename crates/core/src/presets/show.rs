//! `lastout presets`: the known sidecars as a table for people, or as JSON. Every word comes from
//! the rows.

use super::{Asked, Gone, Need, PRESETS, Preset, QuitRow, ReadyRow, Switch, When};
use crate::json::{Object, quoted};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Write;

const HEAD: [&str; 3] = ["NAME", "READY", "QUIT"];

const FOOT: &str = "
A name is all that is needed: --sidecar NAME, or NAME? where it may be absent. Another port, path or address is
written behind a colon: NAME:port=15000. Any other sidecar: WORD:ready=http://127.0.0.1:PORT/PATH,quit=http://…
`lastout presets --json` has the hints, the order, the sources, and what it needs piece by piece as well.
";

/// The table: name, ready, quit; below each row what must be switched on, or what to do instead.
pub fn table() -> String {
    let rows: Vec<[String; 3]> = PRESETS.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(String::len);
        cells.chain(HEAD.get(column).map(|head| head.len())).max().unwrap_or(0)
    };
    let widths = [width(0), width(1)];
    let mut text = String::new();
    line(&mut text, HEAD, widths);
    for (preset, [name, ready, quit]) in PRESETS.iter().zip(&rows) {
        line(&mut text, [name, ready, quit], widths);
        let proof = proof(preset).map(|how| format!("; its end is not proven: {how}")).unwrap_or_default();
        let _ = writeln!(text, "    {}{}{proof}", label(preset), preset.enable);
    }
    text + FOOT
}

/// What stands before the prose, which says nothing of the wait where there is no quit. Of the shapes that a need can have
/// those of such rows; a test holds that none is left out.
fn label(preset: &Preset) -> String {
    match (preset.quit, preset.needs) {
        (Some(_), _) => "needs: ".to_owned(),
        (None, [Need { switch: Switch::Config(what), .. }]) => format!("ready needs {what}; "),
        (None, [Need { switch: Switch::Env { name, value }, .. }]) => format!("ready needs {name}={value}; "),
        (None, _) => String::new(),
    }
}

/// How its end is waited for where the answer to the request is all that the row looks for.
fn proof(preset: &Preset) -> Option<&'static str> {
    match preset.gone {
        Gone::Accepted(how) => Some(how),
        Gone::Refused => None,
    }
}

fn line(text: &mut String, [name, ready, quit]: [&str; 3], [first, second]: [usize; 2]) {
    let _ = writeln!(text, "{name:first$}  {ready:second$}  {quit}");
}

fn cells(preset: &Preset) -> [String; 3] {
    let none = || "none".to_owned();
    [preset.name.to_owned(), ready(preset).unwrap_or_else(none), preset.quit.map_or_else(none, quit)]
}

/// `GET 9902|9901/ready`; `None`: nothing to look at.
fn ready(preset: &Preset) -> Option<String> {
    match preset.ready {
        ReadyRow::Http { ports, path, .. } => Some(format!("GET {}{path}", alternatives(ports))),
        ReadyRow::Accepts(ports) => Some(format!("tcp {}", alternatives(ports))),
        ReadyRow::Unchecked => None,
    }
}

fn quit(row: &QuitRow) -> String {
    format!("{} {}{}", row.method, alternatives(row.ports), row.path)
}

fn alternatives(ports: &[u16]) -> String {
    joined(&mut ports.iter().map(u16::to_string), "|")
}

/// An array of one object for each known sidecar, one a line.
pub fn json() -> String {
    format!("[\n{}\n]\n", joined(&mut PRESETS.iter().map(object), ",\n"))
}

fn object(preset: &Preset) -> String {
    let mut out = Object::new();
    out.text("name", preset.name);
    out.raw("containers", list(&mut preset.containers.iter().map(|name| quoted(name))));
    optional(&mut out, "ready", ready(preset).as_deref());
    optional(&mut out, "quit", preset.quit.map(quit).as_deref());
    out.text("enable", preset.enable);
    out.raw("needs", list(&mut preset.needs.iter().map(need)));
    out.raw("order", preset.order);
    out.text(
        "gone",
        match preset.gone {
            Gone::Refused => "refused",
            Gone::Accepted(_) => "accepted",
        },
    );
    optional(&mut out, "proof", proof(preset));
    out.raw("refused_is_normal", preset.refused_is_normal);
    optional(&mut out, "port_from", preset.port_from_env);
    out.raw("waits_for_env_files", preset.writes_files);
    optional(&mut out, "header_from", preset.header_from_env.map(|(_, variable)| *variable));
    out.raw("hints", list(&mut preset.hints.iter().map(hint)));
    out.text("source", preset.source);
    out.end()
}

/// `{"for":"quit","env":"NAME","value":"true"}`: those for the same request are alternatives.
fn need(need: &Need) -> String {
    let mut out = Object::new();
    out.text(
        "for",
        match need.asked {
            Asked::Ready => "ready",
            Asked::Quit => "quit",
            Asked::Both => "both",
        },
    );
    let (kind, name, value) = match need.switch {
        Switch::Flag(flag) => ("flag", flag, ""),
        Switch::Env { name, value } => ("env", name, value),
        Switch::Annotation { key, value } => ("annotation", key, value),
        Switch::NotAnnotation { key, value } => ("not_annotation", key, value),
        Switch::Config(what) => ("config", what, ""),
    };
    out.text(kind, name);
    if !value.is_empty() {
        out.text("value", value);
    }
    out.end()
}

fn hint((when, text): &(When, &str)) -> String {
    let mut out = Object::new();
    let when = match when {
        When::Status(status) => status.to_string(),
        When::NotSwitchedOn => "not_switched_on".to_owned(),
        When::NotReady => "not_ready".to_owned(),
        When::StillThere => "still_there".to_owned(),
        When::Accepted => "accepted".to_owned(),
    };
    out.text("when", &when);
    out.text("hint", text);
    out.end()
}

fn optional(out: &mut Object, name: &str, value: Option<&str>) {
    match value {
        Some(value) => out.text(name, value),
        None => out.raw(name, "null"),
    }
}

fn list(items: &mut dyn Iterator<Item = String>) -> String {
    format!("[{}]", joined(items, ","))
}

/// Not generic, as the compiler makes a copy for each kind of iterator.
fn joined(items: &mut dyn Iterator<Item = String>, separator: &str) -> String {
    let mut out = String::new();
    for (index, item) in items.enumerate() {
        out.push_str(if index == 0 { "" } else { separator });
        out.push_str(&item);
    }
    out
}
