//! The values of single options: text → value, or what was expected instead.

use super::compat::Compat;
use super::{LogLevel, Report};
use crate::duration;
use crate::outcome::{Outcome, StopOn};
use crate::signal::Signal;
use crate::text::{Quoted, nearest};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::time::Duration;

/// The word's meaning, or the words that there are.
pub(super) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, meaning)) = words.iter().find(|(known, _)| *known == text) {
        return Ok(*meaning);
    }
    let known = || words.iter().map(|(known, _)| *known);
    let near = nearest(text, known()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Err(format!("{} is unknown: {near}write {}", Quoted::text(text), known().collect::<Vec<_>>().join(", ")))
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    word(text, &[("true", true), ("false", false), ("1", true), ("0", false)])
}

pub(super) fn run_unready(text: &str) -> Result<bool, String> {
    word(text, &[("fail", false), ("run", true)])
}

pub(super) fn log_level(text: &str) -> Result<LogLevel, String> {
    word(
        text,
        &[
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
        ],
    )
}

pub(super) fn log_json(text: &str) -> Result<bool, String> {
    word(text, &[("text", false), ("json", true)])
}

pub(super) fn compat(text: &str) -> Result<Compat, String> {
    word(text, &[("scuttle", Compat::Scuttle), ("linkerd-await", Compat::LinkerdAwait)])
}

/// 0 means for ever.
pub(super) fn bound(text: &str) -> Result<Option<Duration>, String> {
    duration::parse(text).map(|bound| (!bound.is_zero()).then_some(bound))
}

pub(super) fn stop_timeout(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        Duration::ZERO => {
            Err("`0` leaves no time to stop anything: write 10s, or --stop-on never".to_owned())
        }
        timeout => Ok(timeout),
    }
}

/// `always`, `success`, `never` or codes: `0,3,64-78`.
pub(super) fn stop_on(text: &str) -> Result<StopOn, String> {
    let wrong = |near: &str| {
        let text = Quoted::text(text);
        Err(format!("{text} is unknown: {near}write always, success, never or exit codes such as 0,3,64-78"))
    };
    match text {
        "always" => Ok(StopOn::Always),
        "success" => Ok(StopOn::Success),
        "never" => Ok(StopOn::Never),
        codes if codes.starts_with(|c: char| c.is_ascii_digit()) => {
            match codes.split(',').map(range).collect() {
                Some(ranges) => Ok(StopOn::Codes(ranges)),
                None => wrong("codes are 0 to 255, the lower one first; "),
            }
        }
        _ => match nearest(text, ["always", "success", "never"]) {
            Some(near) => wrong(&format!("did you mean `{near}`? ")),
            None => wrong(""),
        },
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
pub(super) fn map_exit(text: &str) -> Result<(u8, u8), String> {
    let pair = text.split_once('=');
    if let Some((from, to)) = pair {
        if let (Some(from), Some(to)) = (code(from), code(to)) {
            return Ok((from, to));
        }
        if let (None, Some(signal), Some(to)) = (code(from), Signal::parse(from), code(to)) {
            let from = Outcome::Signalled(signal).code();
            return Err(format!("{} maps a signal: write its exit code, {from}={to}", Quoted::text(text)));
        }
    }
    Err(format!(
        "{} maps no exit code: write FROM=TO with numbers from 0 to 255, such as 143=0",
        Quoted::text(text)
    ))
}

pub(super) fn signal(text: &str) -> Result<Signal, String> {
    Signal::parse(text).ok_or_else(|| {
        let near = nearest(text, ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "KILL", "WINCH"]);
        let near = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        format!(
            "{} is no signal: {near}write a name such as TERM or RTMIN+3, or a number from 1 to 64",
            Quoted::text(text)
        )
    })
}

/// A signal that a process can be sent and that reaches us.
pub(super) fn catchable(text: &str) -> Result<Signal, String> {
    let signal = signal(text)?;
    if signal.is_uncatchable() {
        return Err(format!(
            "{} cannot be used: no process sees {signal}, the kernel acts on it",
            Quoted::text(text)
        ));
    }
    if signal == Signal::CHLD {
        return Err(format!(
            "{} cannot be used: CHLD tells of ended children and is never forwarded",
            Quoted::text(text)
        ));
    }
    Ok(signal)
}

/// `FROM=TO`; `TO` may be `drop` or 0.
pub(super) fn rewrite(text: &str) -> Result<(Signal, Option<Signal>), String> {
    let Some((from, to)) = text.split_once('=') else {
        return Err(format!(
            "{} rewrites nothing: write FROM=TO, such as TERM=QUIT or HUP=drop",
            Quoted::text(text)
        ));
    };
    let to = match to {
        "0" => None,
        to if to.eq_ignore_ascii_case("drop") => None,
        to => Some(signal(to)?),
    };
    Ok((catchable(from)?, to))
}

/// `SIG=DUR`.
pub(super) fn delay(text: &str) -> Result<(Signal, Duration), String> {
    let Some((held, delay)) = text.split_once('=') else {
        return Err(format!("{} delays nothing: write SIGNAL=DURATION, such as TERM=5s", Quoted::text(text)));
    };
    Ok((catchable(held)?, duration::parse(delay)?))
}

pub(super) fn group_size(text: &str) -> Result<u32, String> {
    number(text)
        .filter(|size| (1..=999).contains(size))
        .ok_or_else(|| format!("{} is no group size: write a number from 1 to 999", Quoted::text(text)))
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// It becomes a file name, and the group's own files begin with a dot.
pub(super) fn group_name(text: &str) -> Result<String, String> {
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
    Err(format!("{} {why}: write a name such as the container's", Quoted::text(text)))
}

/// A path, as bytes.
pub(super) fn file(bytes: &[u8]) -> Result<Vec<u8>, String> {
    if bytes.is_empty() {
        return Err("it is empty: write a path".to_owned());
    }
    if bytes.contains(&0) {
        return Err(format!("{} holds a NUL, which no path does", Quoted(bytes)));
    }
    Ok(bytes.to_vec())
}

/// `-` or a path.
pub(super) fn report(bytes: &[u8]) -> Result<Report, String> {
    if bytes == b"-" { Ok(Report::Stderr) } else { file(bytes).map(Report::File) }
}
