//! The values of single options: text → value, or what was expected instead.

use super::compat::Compat;
use super::error::{Read, SettingsErrorKind as Kind, Wrong};
use super::{LogLevel, Report};
use crate::duration;
use crate::outcome::{Outcome, StopOn};
use crate::signal::Signal;
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::time::Duration;

/// The word's meaning.
fn word<'a, T: Copy>(text: &'a str, words: &'static [&'static str], meanings: &[T]) -> Read<'a, T> {
    let known = words.iter().zip(meanings).find(|(known, _)| **known == text);
    known.map(|(_, meaning)| *meaning).ok_or_else(|| Wrong::text(Kind::Word(words), text))
}

pub(super) fn switch(text: &str) -> Read<'_, bool> {
    word(text, &["true", "false", "1", "0"], &[true, false, true, false])
}

pub(super) fn run_unready(text: &str) -> Read<'_, bool> {
    word(text, &["fail", "run"], &[false, true])
}

pub(super) fn log_level(text: &str) -> Read<'_, LogLevel> {
    let levels = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug];
    word(text, &["error", "warn", "info", "debug"], &levels)
}

pub(super) fn log_json(text: &str) -> Read<'_, bool> {
    word(text, &["text", "json"], &[false, true])
}

pub(super) fn compat(text: &str) -> Read<'_, Compat> {
    word(text, &["scuttle", "linkerd-await"], &[Compat::Scuttle, Compat::LinkerdAwait])
}

pub(super) fn duration(text: &str) -> Read<'_, Duration> {
    duration::parse(text).map_err(|error| Wrong::text(Kind::Duration(error.kind), text))
}

/// 0 means for ever.
pub(super) fn bound(text: &str) -> Read<'_, Option<Duration>> {
    duration(text).map(|bound| (!bound.is_zero()).then_some(bound))
}

pub(super) fn stop_timeout(text: &str) -> Read<'_, Duration> {
    match duration(text)? {
        Duration::ZERO => Err(Wrong::text(Kind::NoTime, text)),
        timeout => Ok(timeout),
    }
}

/// `always`, `success`, `never` or codes: `0,3,64-78`.
pub(super) fn stop_on(text: &str) -> Read<'_, StopOn> {
    match text {
        "always" => Ok(StopOn::Always),
        "success" => Ok(StopOn::Success),
        "never" => Ok(StopOn::Never),
        codes if codes.starts_with(|c: char| c.is_ascii_digit()) => {
            match codes.split(',').map(range).collect() {
                Some(ranges) => Ok(StopOn::Codes(ranges)),
                None => Err(Wrong::text(Kind::ExitCodes, text)),
            }
        }
        _ => Err(Wrong::text(Kind::StopOn, text)),
    }
}

fn range(text: &str) -> Option<(u8, u8)> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (code(low)?, code(high)?);
    (low <= high).then_some((low, high))
}

fn code(text: &str) -> Option<u8> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `FROM=TO`, exit codes.
pub(super) fn map_exit(text: &str) -> Read<'_, (u8, u8)> {
    let (from, to) = text.split_once('=').unwrap_or_default();
    let kind = match (code(from), code(to), Signal::parse(from)) {
        (Some(from), Some(to), _) => return Ok((from, to)),
        (None, Some(to), Some(signal)) => Kind::MapSignal { from: Outcome::Signalled(signal).code(), to },
        _ => Kind::MapExit,
    };
    Err(Wrong::text(kind, text))
}

pub(super) fn signal(text: &str) -> Read<'_, Signal> {
    Signal::parse(text).ok_or_else(|| Wrong::text(Kind::Signal, text))
}

/// A signal that a process can be sent and that reaches us.
pub(super) fn catchable(text: &str) -> Read<'_, Signal> {
    let kind = match signal(text)? {
        signal if signal.is_uncatchable() => Kind::Uncatchable(signal),
        Signal::CHLD => Kind::ChildSignal,
        signal => return Ok(signal),
    };
    Err(Wrong::text(kind, text))
}

/// `FROM=TO`; `TO` may be `drop` or 0.
pub(super) fn rewrite(text: &str) -> Read<'_, (Signal, Option<Signal>)> {
    let Some((from, to)) = text.split_once('=') else {
        return Err(Wrong::text(Kind::Rewrite, text));
    };
    let to = match to {
        "0" => None,
        to if to.eq_ignore_ascii_case("drop") => None,
        to => Some(signal(to)?),
    };
    Ok((catchable(from)?, to))
}

/// `SIG=DUR`.
pub(super) fn delay(text: &str) -> Read<'_, (Signal, Duration)> {
    let Some((held, delay)) = text.split_once('=') else {
        return Err(Wrong::text(Kind::Delay, text));
    };
    Ok((catchable(held)?, duration(delay)?))
}

pub(super) fn group_size(text: &str) -> Read<'_, u32> {
    let size = number(text).filter(|size| (1..=999).contains(size));
    size.ok_or_else(|| Wrong::text(Kind::GroupSize, text))
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// It becomes a file name, and the group's own files begin with a dot.
pub(super) fn group_name(text: &str) -> Read<'_, String> {
    let why = if text.is_empty() {
        "is empty"
    } else if text.len() > 64 {
        "is longer than 64 bytes"
    } else if text.starts_with('.') {
        "begins with a dot"
    } else if text.contains('/') || text.contains(char::is_control) {
        "holds a slash or a control character"
    } else {
        return Ok(text.to_owned());
    };
    Err(Wrong::text(Kind::GroupName(why), text))
}

/// A path, as bytes.
pub(super) fn file(bytes: &[u8]) -> Read<'_, Vec<u8>> {
    if bytes.is_empty() {
        return Err(Wrong::new(Kind::NoPath, bytes));
    }
    if bytes.contains(&0) {
        return Err(Wrong::new(Kind::Nul, bytes));
    }
    Ok(bytes.to_vec())
}

/// `-` or a path.
pub(super) fn report(bytes: &[u8]) -> Read<'_, Report> {
    if bytes == b"-" { Ok(Report::Stderr) } else { file(bytes).map(Report::File) }
}
