//! What the user reads about a sidecar: one line that quotes the sidecar's own words and names the way out.

use crate::duration::Human;
use crate::presets::When;
use crate::settings::LogLevel;
use crate::spec::{Proof, Quit, Spec};
use crate::stop::{Verdict, VerdictKind};
use crate::text::{Path, answered};
use alloc::{format, string::String};
use core::time::Duration;

// What the lines of verdicts are known by: `verdict` writes these, `verdict_of` looks for them.
const GONE: &str = "gone after ";
const ALREADY_GONE: &str = "already gone";
const NOT_NEEDED: &str = "needs no stop";
const ABSENT: &str = "not there";
const ACCEPTED: &str = "accepted the request to end after ";
const SIGNALLED: &str = "has been asked to end; ";
const CREATED: &str = " is created; nothing proves that it has finished: ";
const NOT_SWITCHED_ON: &str = " is refused while it is ready: not switched on";
const IMPOSSIBLE: &str = "cannot be asked to end, so this pod may not end: ";
const NO_WAY: &str = "this pod may not end: ";
const NEVER_APPEARED: &str = "never appeared; ";
const STILL_THERE: &str = "is still there after ";
const CAME_BACK: &str = "was asked twice and came back each time: ";

/// The line about the end of a stop, and how loud it is. `terminating`: a stop signal had come, the kubelet has told
/// the sidecars as well, and nothing about them is worth more than a debug line. `took`: since the stop began.
#[must_use]
pub fn verdict(spec: &Spec, verdict: &Verdict, terminating: bool, took: Duration) -> (LogLevel, String) {
    let took = Human(took);
    let name = &spec.name;
    let hint = |when| spec.hint(when).map_or(String::new(), |hint| format!("; {hint}"));
    let loud = if terminating { LogLevel::Debug } else { LogLevel::Warn };
    let asked = request(spec);
    match verdict {
        Verdict::Gone => (LogLevel::Info, format!("{name}: {GONE}{took}")),
        Verdict::AlreadyGone => (LogLevel::Info, format!("{name}: {ALREADY_GONE}")),
        Verdict::Accepted => (LogLevel::Info, accepted(spec, took)),
        Verdict::NotNeeded => (LogLevel::Info, format!("{name}: {NOT_NEEDED}")),
        Verdict::Absent => (LogLevel::Info, format!("{name}: {ABSENT}")),
        Verdict::NotSwitchedOn => {
            (loud, format!("{name}: {asked}{NOT_SWITCHED_ON}{}", or_hangs(hint(When::NotSwitchedOn))))
        }
        Verdict::Declined { status, quote } => {
            let answered = answered(*status, quote);
            (loud, format!("{name}: {asked} {answered}{}", or_hangs(hint(When::Status(*status)))))
        }
        Verdict::Impossible(why) => (loud, format!("{name}: {IMPOSSIBLE}{why}")),
        Verdict::NoWay => {
            let why = match (&spec.process, spec.preset) {
                (Some((process, _)), _) => format!(
                    "no process {} is visible (shareProcessNamespace: true makes it so)",
                    Path(process.as_bytes())
                ),
                (None, Some(preset)) => String::from(preset.enable),
                (None, None) => String::from("there is no way to ask it"),
            };
            (loud, format!("{name}: {NO_WAY}{why}"))
        }
        Verdict::NeverAppeared => {
            let hint = hint(When::NotSwitchedOn);
            (loud, format!("{name}: {NEVER_APPEARED}if it starts later, this pod will not end{hint}"))
        }
        Verdict::StillThere { asked: accepted, last } => {
            let last = if last.is_empty() { "no answer" } else { last };
            let waited_for = if spec.gone.is_foreign() {
                format!("; waited for gone={}", spec.gone)
            } else {
                String::new()
            };
            let hint = if *accepted { hint(When::StillThere) } else { String::new() };
            (
                loud,
                format!(
                    "{name}: {STILL_THERE}{took}, so this pod may not end: {asked}: {last}{waited_for}{hint}"
                ),
            )
        }
        Verdict::CameBack => (
            loud,
            format!(
                "{name}: {CAME_BACK}something restarts it (a native sidecar needs no stop: --stop-on never)"
            ),
        ),
    }
}

/// Which verdict such a line is about. `None`: it is any other line, as that of a sidecar that is waited for, or a debug line
/// about a request, which quote answers as well.
#[must_use]
pub fn verdict_of(line: &str) -> Option<VerdictKind> {
    let (name, words) = line.split_once(": ")?;
    if name.contains(char::is_whitespace) {
        return None;
    }
    let whole = [
        (ALREADY_GONE, VerdictKind::AlreadyGone),
        (NOT_NEEDED, VerdictKind::NotNeeded),
        (ABSENT, VerdictKind::Absent),
    ];
    let beginnings = [
        (GONE, VerdictKind::Gone),
        (ACCEPTED, VerdictKind::Accepted),
        (SIGNALLED, VerdictKind::Accepted),
        (IMPOSSIBLE, VerdictKind::Impossible),
        (NO_WAY, VerdictKind::NoWay),
        (NEVER_APPEARED, VerdictKind::NeverAppeared),
        (STILL_THERE, VerdictKind::StillThere),
        (CAME_BACK, VerdictKind::CameBack),
    ];
    let found = whole.iter().find(|(own, _)| words == *own);
    let found = found.or_else(|| beginnings.iter().find(|(own, _)| words.starts_with(own)));
    if let Some((_, kind)) = found {
        return Some(*kind);
    }
    // In these the request, or the file, stands in front.
    if words.contains(CREATED) {
        Some(VerdictKind::Accepted)
    } else if words.contains(NOT_SWITCHED_ON) {
        Some(VerdictKind::NotSwitchedOn)
    } else {
        let (request, status) = words.split_once(" answered ")?;
        let is_status = status.get(..3).is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
        let is_debug = request.starts_with("request ") || request.ends_with(':');
        (is_status && !is_debug).then_some(VerdictKind::Declined)
    }
}

/// The way out; where no row knows one, what it means at least.
fn or_hangs(hint: String) -> String {
    if hint.is_empty() { String::from(", so this pod may not end") } else { hint }
}

/// What is known of one whose end is not looked for, and the way to have it looked for.
fn accepted(spec: &Spec, took: Human) -> String {
    let name = &spec.name;
    match (&spec.gone, &spec.quit) {
        (Proof::NoProcess(process), _) => format!(
            "{name}: {SIGNALLED}no process {} was visible (shareProcessNamespace: true makes it so), so nothing proves its end",
            Path(process.as_bytes())
        ),
        (Proof::PortsRefuse, Quit::CreateFile(path)) => {
            format!("{name}: {}{CREATED}gone=file:FILE is waited for, or another proof", Path(path))
        }
        (Proof::PortsRefuse, Quit::Http(_) | Quit::WithAnother | Quit::Nothing)
        | (Proof::Accepted | Proof::Refuses(_) | Proof::FileThere(_) | Proof::FileAway(_), _) => {
            let drains = spec.hint(When::Accepted).filter(|_| spec.gone == Proof::Accepted);
            format!("{name}: {ACCEPTED}{took}{}", drains.map_or(String::new(), |hint| format!("; {hint}")))
        }
    }
}

/// What is to end it, in words.
fn request(spec: &Spec) -> String {
    match (&spec.quit, &spec.process) {
        (Quit::Http(request), _) => format!("{request}"),
        (Quit::CreateFile(path), _) => format!("creating {}", Path(path)),
        (Quit::Nothing, Some((process, signal))) => format!("{signal} to {}", Path(process.as_bytes())),
        (Quit::WithAnother, _) => format!("{}", spec.quit),
        (Quit::Nothing, None) => String::from("no request"),
    }
}

/// What a probe gave last, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// What the sidecar answered; empty where that was all that was wanted, or before the first answer.
    Answer(String),
    /// It answers, and this is said of a file of `--env-file` that is waited for with it.
    NoFile(String),
}

impl Said {
    /// The words alone.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Answer(words) | Self::NoFile(words) => words,
        }
    }
}

impl Default for Said {
    fn default() -> Self {
        Self::Answer(String::new())
    }
}

/// The way out where a secret agent answers and its file does not come.
const NO_FILE: &str =
    "has it logged in (its role and policy), and does a template write this file? its log tells";

/// The line about a sidecar that holds up the gate.
#[must_use]
pub fn still_waiting(spec: &Spec, last: &Said) -> String {
    format!("still waiting for {}: {}", spec.name, what_is_missing(spec, last))
}

fn what_is_missing(spec: &Spec, last: &Said) -> String {
    match last {
        Said::Answer(words) if words.is_empty() => format!("{}: no answer yet", spec.ready),
        Said::Answer(words) => format!("{}: {words}", spec.ready),
        Said::NoFile(words) => words.clone(),
    }
}

/// The part of the timeout's line that is about one sidecar.
#[must_use]
pub fn not_ready(spec: &Spec, last: &Said, ever_seen: bool) -> String {
    let mut line = format!("{} is not ready: {}", spec.name, what_is_missing(spec, last));
    let hint = match last {
        Said::Answer(_) => spec.hint(When::NotReady),
        Said::NoFile(_) => Some(NO_FILE),
    };
    if let Some(hint) = hint {
        line += "; ";
        line += hint;
    }
    if !ever_seen {
        line += "; is it started at all? under restartPolicy OnFailure: was it stopped in an earlier life (--stop-on success)?";
        if !spec.optional {
            line += &format!(" where it need not be there write {}?", spec.name);
        }
    }
    line
}
