//! docs/reference/, the man page and the completions: written out of the code's tables, and held against them.
//!
//! `LASTOUT_BLESS=1 cargo test --test cli reference` writes them.

mod completion;
mod definition;
mod exit_codes;
mod manual;
mod phases;

use lastout_core::presets::IMAGES;
use lastout_core::settings::OPTIONS;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const WRITTEN: &str = "<!-- Written by a test: LASTOUT_BLESS=1 cargo test --test cli reference -->";

/// Of options.md and the man page, which shows it without the marks of code.
const VARIABLES: &str = "Every option has an environment variable. The flag wins over the variable. If an option may be \
     repeated, its variable is a list, separated by blanks; the flags replace the whole list. An empty variable counts as \
     unset. Switches take `true`, `false`, `1` or `0`.";
const VALUES: &str = "Durations are written `500ms`, `10s`, `2m`, `1m30s`; a number without a unit, other than 0, is an \
     error. Signals are names (`TERM`, `SIGTERM`) or numbers. Options end at the first word that is not an option, or at \
     `--`.";

/// The page is this text, or becomes it.
fn held(name: &str, title: &str, text: &str) {
    held_file(&format!("docs/reference/{name}"), &format!("# {title}\n\n{WRITTEN}\n\n{}\n", text.trim()));
}

/// This file of the repository is this text, or becomes it.
fn held_file(name: &str, text: &str) {
    support::golden::held(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), text);
}

/// A table of Markdown.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = row(&head.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>());
    let _ = writeln!(text, "|{}", "---|".repeat(head.len()));
    for cells in rows {
        text.push_str(&row(&cells));
    }
    text
}

fn code(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("`{}`", words.replace('|', "\\|")) }
}

fn stdout(words: &[&str]) -> String {
    String::from_utf8(Command::new(support::binary()).args(words).output().unwrap().stdout).unwrap()
}

#[test]
fn options() {
    let row = |option: &lastout_core::settings::OptionRow| {
        let usage = format!("--{} {}", option.name, option.value.unwrap_or_default());
        let times = if option.repeats { " May be repeated." } else { "" };
        let default = option.default_in_words();
        let without = if option.value.is_some() { "none" } else { "off" };
        let default = if default.is_empty() { without.to_owned() } else { default };
        let meaning = option.meaning.replace('|', "\\|");
        vec![code(usage.trim()), code(&option.variable()), default, format!("{meaning}.{times}")]
    };
    let text = format!(
        "This page has all options of `lastout` and of its verbs `wait`, `stop` and `guard`; `lastout VERB --help` \
         says which options a verb takes.\n\n\
         {VARIABLES}\n\n{VALUES}\n\n{}",
        table(&["option", "variable", "default", "meaning"], OPTIONS.iter().map(row))
    );
    held("options.md", "Options of lastout", &text);
}

/// What the program says of a value that it cannot take, from where it says what to write.
fn way_out(key: &str) -> String {
    // A unix socket may have any name; a process too.
    let free = match key {
        "socket" => Some("a path, or `@NAME` for an abstract socket"),
        "process" => Some("the name of a program"),
        _ => None,
    };
    if let Some(free) = free {
        return free.to_owned();
    }
    let before = if key == "signal" { "process=x," } else { "" };
    let value = format!("{before}{key}=no such");
    let output = Command::new(support::binary()).args(["wait", &format!("envoy?:{value}")]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let (_, out) = told
        .trim()
        .split_once(": write ")
        .or_else(|| told.trim().split_once("a sidecar is asked at "))
        .unwrap_or_else(|| panic!("{key}: {told}"));
    out.replace('|', "\\|")
}

#[test]
fn keys_of_a_spec() {
    only_ours!();
    let output = Command::new(support::binary()).args(["wait", "envoy:something=1"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let keys: Vec<_> = told.trim().split_once("write one of ").unwrap().1.split(", ").collect();
    let text = format!(
        "`NAME[?][:key=value[,key=value]…]`. What each key means, and how special characters are written: \
         [Your own, and deviations](../sidecars.md#your-own-and-deviations). The column *value* has what the \
         program writes if it cannot read a value.\n\n{}",
        table(&["key", "value"], keys.iter().map(|key| vec![code(key), way_out(key)]))
    );
    held("spec-keys.md", "Keys of a SPEC", &text);
}

#[test]
fn presets() {
    only_ours!();
    let presets: Value = serde_json::from_str(&stdout(&["presets", "--json"])).unwrap();
    let list = |words: Vec<&str>| words.into_iter().map(code).collect::<Vec<_>>().join(", ");
    let rows = presets.as_array().unwrap().iter().map(|preset| {
        let name = preset["name"].as_str().unwrap();
        let containers = preset["containers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let images = IMAGES.iter().filter(|(of, _)| *of == name).flat_map(|(_, tails)| tails.iter().copied());
        vec![
            format!("[`{name}`](../sidecars.md#{name})"),
            list(containers.collect()),
            list(images.collect()),
            preset["gone"].as_str().unwrap_or("never asked").to_owned(),
            preset["enable"].as_str().unwrap().replace('|', "\\|"),
        ]
    });
    let text = format!(
        "`kubectl lastout` knows a sidecar by the name of its container, or by the end of its image's path, without \
         tag and digest. The column *gone* says what proves that the sidecar has ended: its ports refuse \
         connections (`refused`), or it has accepted the request (`accepted`). The last column says what has to be \
         switched on in it. For the requests and the answers, see \
         [sidecars.md](../sidecars.md#the-known-ones). `lastout presets --json` prints all of this.\n\n{}",
        table(&["name", "containers", "images", "gone", "has to be switched on"], rows)
    );
    held("presets.md", "Known sidecars, in short", &text);
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap()
}

/// The members of an object, those that are always there first; each with all that is below it.
fn members(object: &Value, at: &str, rows: &mut Vec<Vec<String>>) {
    let required: Vec<_> =
        object["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
    let all = object["properties"].as_object().unwrap();
    // Whether the parser keeps their order depends on who else is built.
    let mut others: Vec<_> = all.keys().map(String::as_str).filter(|name| !required.contains(name)).collect();
    others.sort_unstable();
    for name in required.iter().chain(&others) {
        let member = &all[*name];
        let (below, here) = match member["type"].as_str() {
            Some("array") => (&member["items"], format!("{at}{name}[]")),
            _ => (member, format!("{at}{name}")),
        };
        let kind = match &member["type"] {
            Value::Array(kinds) => {
                kinds.iter().map(|kind| kind.as_str().unwrap()).collect::<Vec<_>>().join(" or ")
            }
            Value::String(kind) => kind.clone(),
            _ => member["enum"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| code(word.as_str().unwrap_or("null")))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let always = if required.contains(name) { "always" } else { "" };
        let meaning = member["description"].as_str().unwrap_or_else(|| panic!("{here} has no description"));
        rows.push(vec![code(&here), kind, always.to_owned(), meaning.to_owned()]);
        if below["properties"].is_object() {
            members(below, &format!("{here}."), rows);
        }
    }
}

#[test]
fn report_fields() {
    let mut rows = Vec::new();
    members(&schema(), "", &mut rows);
    let text = format!(
        "This page lists the members of the report that `--report` writes, from its schema, \
         [report.schema.json](../report.schema.json), against which the tests check the program. Times are in \
         milliseconds; moments count from the start of lastout. What the values of \
         `outcome` and `verdict` mean: [the report](../report.md).\n\n{}",
        table(&["member", "value", "there", "meaning"], rows)
    );
    held("report-fields.md", "Fields of the report", &text);
}
