//! Text → the name and the keys of a spec, each known and at its place.

use super::{Env, Spec, build, target};
use crate::presets::{self, PRESETS};
use crate::text::{Quoted, header_at, nearest};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

const KEYS: [&str; 16] = [
    "host",
    "port",
    "ready-port",
    "socket",
    "ready",
    "quit",
    "method",
    "header",
    "ok",
    "ready-ok",
    "timeout",
    "gone",
    "order",
    "absent",
    "process",
    "signal",
];

const MAX_LENGTH: usize = 8 * 1024;

pub(super) fn parse(text: &str, env: Env<'_>) -> Result<Spec, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("a sidecar spec of {} bytes is too long: at most {MAX_LENGTH}", text.len()));
    }
    let (name, optional, rest) = head(text)?;
    let preset = presets::find(name);
    let items = match rest {
        Some(rest) => Items::read(name, rest).map_err(|why| format!("{name}: {why}"))?,
        None => Items::default(),
    };
    if preset.is_none() && !["ready", "quit", "process"].iter().any(|key| items.get(key).is_some()) {
        return Err(unknown(name));
    }
    build::build(name, preset, optional, &items, env).map_err(|why| format!("{name}: {why}"))
}

/// What a list such as `NAME,NAME:PORT` means: an error, which says whom to stop all the same.
pub(super) fn meant(text: &str, env: Env<'_>) -> Vec<Spec> {
    let one = |text: &str| match text.split_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            parse(&format!("{name}:port={port}"), env)
        }
        _ => parse(text, env),
    };
    if header_at(text.as_bytes()).is_some() {
        return Vec::new();
    }
    let pieces =
        text.split(|c: char| c.is_whitespace() || ",;".contains(c)).filter(|piece| !piece.is_empty());
    pieces.filter_map(|piece| one(&piece.replace(['@', '='], ":")).or_else(|_| one(piece)).ok()).collect()
}

/// `NAME[?]` and what follows the colon.
fn head(text: &str) -> Result<(&str, bool, Option<&str>), String> {
    let (head, rest) = match text.split_once(':') {
        Some((head, rest)) => (head, Some(rest)),
        None => (text, None),
    };
    let (name, optional) = match head.strip_suffix('?') {
        Some(name) => (name, true),
        None => (head, false),
    };
    let stranger = |c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c));
    // What follows the strange character may be a header's value that got here by a forgotten colon.
    let word = name.split(stranger).next().unwrap_or_default();
    if word.is_empty() {
        return Err("a sidecar spec begins with a name: write NAME or NAME:key=value,…".to_owned());
    }
    if name.get(word.len()..).is_some_and(|rest| rest.starts_with(',')) {
        return Err(format!(
            "{word}: a comma behind the name: write NAME:key=value,…; several sidecars are one --sidecar each, or blanks between them in LASTOUT_SIDECAR"
        ));
    }
    if name.get(word.len()..).is_some_and(|rest| rest.starts_with(char::is_whitespace)) {
        return Err(format!(
            "{word}: a blank behind the name: write each word as an item of its own, and several sidecars as one --sidecar each"
        ));
    }
    if word.len() < name.len() {
        return Err(format!(
            "{word}: the name ends in a character that no name has: write NAME or NAME:key=value,… with letters, digits, `-`, `_`, `.` in NAME"
        ));
    }
    if !name.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err(format!("{word}: a name needs a letter or a digit: write NAME or NAME:key=value,…"));
    }
    if rest.is_some_and(|rest| rest.starts_with("//")) {
        return Err(format!("{name}: an URL needs a name and a key: write NAME:quit=URL or NAME:ready=URL"));
    }
    Ok((name, optional, rest))
}

fn unknown(name: &str) -> String {
    let names = || PRESETS.iter().map(|preset| preset.name);
    let near = presets::find_by_container(name).map(|preset| preset.name).or_else(|| nearest(name, names()));
    let quoted = Quoted::text(name);
    match near {
        Some(near) => format!(
            "unknown sidecar {quoted}: did you mean `{near}`? (one of your own needs ready= or quit=; `lastout presets` lists the known ones)"
        ),
        None => format!(
            "unknown sidecar {quoted}: say ready= and quit=, or take one of {}",
            names().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The keys as written, each known and at most once, none empty; headers decoded.
#[derive(Default)]
pub(super) struct Items<'a> {
    values: Vec<(&'static str, &'a str)>,
    pub(super) headers: Vec<(String, String)>,
}

impl<'a> Items<'a> {
    fn read(name: &str, rest: &'a str) -> Result<Self, String> {
        let mut items = Self::default();
        for item in rest.split(',') {
            let (key, value) = item.split_once('=').unwrap_or((item, ""));
            match KEYS.iter().find(|known| **known == key) {
                Some(&"header") => items.headers.push(header(value)?),
                Some(known) if value.is_empty() => {
                    return Err(format!("`{known}` has no value: write {known}=…"));
                }
                Some(known) if items.get(known).is_some() => {
                    return Err(format!("`{known}` is given twice: remove one"));
                }
                Some(known) => items.values.push((known, value)),
                None => return Err(items.stranger(name, key)),
            }
        }
        Ok(items)
    }

    /// Not the text behind a header: it may be the rest of its value.
    fn stranger(&self, name: &str, key: &str) -> String {
        if let Some((header, _)) = self.headers.last() {
            return format!(
                "what follows the header {header} is no key=value: a comma in a value is written %2C"
            );
        }
        if key.is_empty() {
            return "a key is missing between the commas: write key=value,key=value".to_owned();
        }
        if self.values.is_empty() && !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()) {
            let written = match presets::find(name) {
                Some(known) => format!("{}:port={key}", known.name),
                None => format!(
                    "NAME:port={key} with the name of a known one, or NAME:ready=tcp://127.0.0.1:{key}"
                ),
            };
            return format!("{} is no key=value: write {written}", Quoted::text(key));
        }
        match nearest(key, KEYS) {
            Some(near) => format!("unknown key {}: did you mean `{near}`?", Quoted::text(key)),
            None => format!("unknown key {}: write one of {}", Quoted::text(key), KEYS.join(", ")),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.values.iter().find(|(known, _)| *known == key).map(|&(_, value)| value)
    }

    /// The value of this key through its reader, whose error gets the key in front.
    pub(super) fn read_as<T>(
        &self,
        key: &str,
        read: impl Fn(&'a str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.get(key).map(|value| read(value).map_err(|why| format!("{key}: {why}"))).transpose()
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("header: the name or the value is missing: write header=Name=value".to_owned());
    };
    target::header_name(name).map_err(|why| format!("header: {why}"))?;
    let value = target::unescape(value);
    target::header_value(&value).map_err(|why| format!("header {name}: {why}"))?;
    Ok((name.to_owned(), value))
}
