//! Text → the name and the keys of a spec, each known and at its place.

use super::error::{Read, SpecError, SpecErrorKind as Kind, Wrong, is_of_name};
use super::{Env, Spec, build, target};
use crate::presets;
use crate::text::{header_at, split_where};
use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec::Vec};

pub(super) const KEYS: [&str; 16] = [
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

pub(super) const MAX_LENGTH: usize = 8 * 1024;

pub(super) fn parse(text: &str, env: Env<'_>) -> Result<Spec, SpecError> {
    read(text, env).map_err(|wrong| SpecError::new(text, *wrong))
}

fn read<'a>(text: &'a str, env: Env<'_>) -> Read<'a, Spec> {
    if text.len() > MAX_LENGTH {
        return Err(Wrong::hidden(Kind::TooLong(text.len()), text));
    }
    let (name, optional, rest) = head(text)?;
    let preset = presets::find(name);
    let items = match rest {
        Some(rest) => Items::read(rest)?,
        None => Items::default(),
    };
    if preset.is_none() && !["ready", "quit", "process"].iter().any(|key| items.get(key).is_some()) {
        return Err(Wrong::new(Kind::UnknownSidecar, name));
    }
    build::build(name, preset, optional, &items, env)
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
fn head(text: &str) -> Read<'_, (&str, bool, Option<&str>)> {
    let (head, rest) = match text.split_once(':') {
        Some((head, rest)) => (head, Some(rest)),
        None => (text, None),
    };
    let (name, optional) = match head.strip_suffix('?') {
        Some(name) => (name, true),
        None => (head, false),
    };
    let (word, behind) = split_where(name, |c| !is_of_name(c));
    let kind = if word.is_empty() {
        Kind::NoName
    } else if behind.starts_with(',') {
        Kind::CommaBehindName
    } else if behind.starts_with(char::is_whitespace) {
        Kind::BlankBehindName
    } else if !behind.is_empty() {
        Kind::StrangeCharacter
    } else if !name.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Wrong::hidden(Kind::NoLetter, name));
    } else if rest.is_some_and(|rest| rest.starts_with("//")) {
        return Err(Wrong::hidden(Kind::OnlyUrl, text));
    } else {
        return Ok((name, optional, rest));
    };
    // What follows the strange character may be a header's value that got here by a forgotten colon.
    Err(Wrong::hidden(kind, behind))
}

/// The keys as written, each known and at most once, none empty; headers decoded.
#[derive(Default)]
pub(super) struct Items<'a> {
    values: Vec<(&'static str, &'a str)>,
    pub(super) headers: Vec<(String, String)>,
}

impl<'a> Items<'a> {
    fn read(rest: &'a str) -> Read<'a, Self> {
        let mut items = Self::default();
        for item in rest.split(',') {
            let (key, value) = split_where(item, |c| c == '=');
            let value = value.strip_prefix('=').unwrap_or(value);
            match KEYS.iter().find(|known| **known == key) {
                Some(&"header") => {
                    items.headers.push(header(value).map_err(|wrong| wrong.with_key("header"))?);
                }
                Some(known) if value.is_empty() => {
                    return Err(Wrong::hidden(Kind::NoValue, item).with_key(known));
                }
                Some(known) if items.get(known).is_some() => {
                    return Err(Wrong::hidden(Kind::Twice, item).with_key(known));
                }
                Some(known) => items.values.push((known, value)),
                None => return Err(items.stranger(key)),
            }
        }
        Ok(items)
    }

    /// Not the text behind a header: it may be the rest of its value.
    fn stranger(&self, key: &'a str) -> Box<Wrong<'a>> {
        if let Some((header, _)) = self.headers.last() {
            return Wrong::shown(Kind::BehindHeader, key, header);
        }
        let is_number = self.values.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        let kind = match key {
            "" => Kind::NoKey,
            _ if is_number => Kind::OnlyNumber,
            _ => Kind::UnknownKey,
        };
        Wrong::new(kind, key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.values.iter().find(|(known, _)| *known == key).map(|&(_, value)| value)
    }

    /// The value of this key through its reader, whose error gets the key.
    pub(super) fn read_as<T>(
        &self,
        key: &'static str,
        read: impl Fn(&'a str) -> Read<'a, T>,
    ) -> Read<'a, Option<T>> {
        self.get(key).map(read).transpose().map_err(|wrong| wrong.with_key(key))
    }
}

fn header(text: &str) -> Read<'_, (String, String)> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Wrong::hidden(Kind::HeaderIncomplete, text));
    };
    target::header_name(name)?;
    let plain = target::unescape(value);
    if !target::is_header_value(&plain) {
        return Err(Wrong::shown(Kind::HeaderValue, value, name));
    }
    Ok((name.to_owned(), plain))
}
