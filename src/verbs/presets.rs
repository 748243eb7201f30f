//! `lastout presets`: the known sidecars as a table for people, or as JSON. Every word comes from
//! `lastout_core::presets`.

use crate::output::json::{Object, quoted};
use lastout_core::presets::{Gone, PRESETS, Preset, QuitRow, ReadyRow, When};
use std::fmt::Write;

const HEAD: [&str; 3] = ["NAME", "READY", "QUIT"];

const FOOT: &str = "
A name is all that is needed: --sidecar NAME, or NAME? where it may be absent. Another port, path or address is
written behind a colon: NAME:port=15000. Any other sidecar: WORD:ready=http://127.0.0.1:PORT/PATH,quit=http://…
`lastout presets --json` has the hints, the order and the sources as well.
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
        let label = if preset.quit.is_some() { "needs: " } else { "" };
        let _ = writeln!(text, "    {label}{}", preset.enable);
    }
    text + FOOT
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

fn quit(row: QuitRow) -> String {
    format!("{} {}{}", row.method, alternatives(row.ports), row.path)
}

fn alternatives(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    ports.join("|")
}

/// An array of one object for each known sidecar, one a line.
pub fn json() -> String {
    let rows: Vec<String> = PRESETS.iter().map(object).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

fn object(preset: &Preset) -> String {
    let mut out = Object::new();
    out.text("name", preset.name);
    out.raw("containers", list(preset.containers.iter().map(|name| quoted(name))));
    optional(&mut out, "ready", ready(preset));
    optional(&mut out, "quit", preset.quit.map(quit));
    out.text("enable", preset.enable);
    out.raw("order", preset.order);
    out.text(
        "gone",
        match preset.gone {
            Gone::Refused => "refused",
            Gone::Accepted => "accepted",
        },
    );
    out.raw("refused_is_normal", preset.refused_is_normal);
    optional(&mut out, "port_from", preset.port_from_env.map(str::to_owned));
    optional(&mut out, "header_from", preset.header_from_env.map(|(_, variable)| variable.to_owned()));
    out.raw("hints", list(preset.hints.iter().map(hint)));
    out.text("source", preset.source);
    out.end()
}

fn hint((when, text): &(When, &str)) -> String {
    let mut out = Object::new();
    let when = match when {
        When::Status(status) => status.to_string(),
        When::NotSwitchedOn => "not_switched_on".to_owned(),
        When::NotReady => "not_ready".to_owned(),
        When::StillThere => "still_there".to_owned(),
    };
    out.text("when", &when);
    out.text("hint", text);
    out.end()
}

fn optional(out: &mut Object, name: &str, value: Option<String>) {
    match value {
        Some(value) => out.text(name, &value),
        None => out.raw(name, "null"),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}
