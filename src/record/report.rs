//! `--report`: one JSON document about the whole run. Written by hand: serde would double the binary for one
//! document. Times are milliseconds since our start.

use super::status::{MainRun, SidecarStatus};
use crate::sys::create_file;
use crate::threads::offload::within;
use lastout_core::json::Object;
use lastout_core::machine::PhaseName;
use lastout_core::outcome::{Ended, Outcome};
use lastout_core::settings::Report;
use lastout_core::stop::Verdict;
use std::io::{self, Write as _};
use std::time::Duration;

/// How long a file system may take for it: the command is over.
const PATIENCE: Duration = Duration::from_secs(2);

/// All that a report tells.
#[derive(Debug)]
pub struct Facts<'a> {
    /// How it ended.
    pub outcome: Outcome,
    /// When we leave.
    pub end: Duration,
    /// The command, if it was started.
    pub main: Option<MainRun>,
    /// What main used.
    pub usage: Option<&'a libc::rusage>,
    /// Phases and when they began.
    pub phases: &'a [(PhaseName, Duration)],
    /// The sidecars.
    pub statuses: &'a [SidecarStatus],
}

/// Writes the report to where it is wanted.
///
/// # Errors
/// When the file cannot be written.
pub fn write(to: &Report, facts: &Facts<'_>) -> io::Result<()> {
    let text = document(facts) + "\n";
    match to {
        Report::Stderr => crate::output::log::write_whole(text.as_bytes()),
        Report::File(path) => {
            let path = path.clone();
            let write = move || create_file(&path)?.write_all(text.as_bytes());
            within(PATIENCE, write).unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
        }
    }
    Ok(())
}

fn document(facts: &Facts<'_>) -> String {
    let mut out = Object::new();
    out.text("version", env!("CARGO_PKG_VERSION"));
    out.raw("exit_code", facts.outcome.code());
    out.text("outcome", outcome_name(facts.outcome));
    out.raw("main", main(facts));
    out.raw("wall_ms", ms(facts.end));
    out.raw("phases", phases(facts));
    let sidecars: Vec<String> = facts.statuses.iter().map(sidecar).collect();
    out.raw("sidecars", format!("[{}]", sidecars.join(",")));
    out.end()
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Main(Ended::Exited(_)) => "exited",
        Outcome::Main(Ended::Killed(_)) => "killed",
        Outcome::Mapped { .. } => "mapped",
        Outcome::NotFound => "not_found",
        Outcome::CannotExecute => "cannot_execute",
        Outcome::Internal => "internal",
        Outcome::WaitTimeout => "wait_timeout",
        Outcome::Signalled(_) => "signalled",
        Outcome::Done => "done",
        Outcome::NotStopped => "not_stopped",
    }
}

fn main(facts: &Facts<'_>) -> String {
    let Some(MainRun { pid, began, ended }) = facts.main else { return "null".to_owned() };
    let mut out = Object::new();
    out.raw("pid", pid);
    out.raw("started_ms", ms(began));
    out.raw("ended_ms", optional(ended));
    match facts.outcome.main() {
        Some(Ended::Exited(code)) => out.raw("code", code),
        Some(Ended::Killed(signal)) => out.text("signal", &signal.to_string()),
        None => {}
    }
    if let Some(usage) = facts.usage {
        out.raw("wall_ms", optional(ended.map(|ended| ended.saturating_sub(began))));
        out.raw("user_ms", timeval(usage.ru_utime));
        out.raw("system_ms", timeval(usage.ru_stime));
        out.raw("max_rss_kib", usage.ru_maxrss);
    }
    out.end()
}

fn phases(facts: &Facts<'_>) -> String {
    let ends = facts.phases.iter().skip(1).map(|(_, start)| *start).chain([facts.end]);
    let phases = facts.phases.iter().zip(ends).filter(|((name, _), _)| *name != PhaseName::Exit);
    let list: Vec<String> = phases
        .map(|((name, start), end)| {
            let mut out = Object::new();
            out.text("phase", super::status::phase_name(*name));
            out.raw("start_ms", ms(*start));
            out.raw("end_ms", ms(end));
            out.end()
        })
        .collect();
    format!("[{}]", list.join(","))
}

fn sidecar(status: &SidecarStatus) -> String {
    let mut out = Object::new();
    out.text("name", &status.spec.name);
    out.raw("optional", status.spec.optional);
    out.raw("order", status.spec.order);
    out.raw("absent", status.absent);
    match status.last.words() {
        "" => out.raw("last_probe", "null"),
        last => out.text("last_probe", last),
    }
    out.raw("ready_ms", optional(status.ready_at));
    out.raw("asked_ms", optional(status.asked_at));
    out.raw("gone_ms", optional(status.done_at.filter(|_| status.verdict == Some(Verdict::Gone))));
    out.raw("done_ms", optional(status.done_at));
    match &status.verdict {
        Some(verdict) => out.text("verdict", verdict.kind().slug()),
        None => out.raw("verdict", "null"),
    }
    match &status.told {
        Some(text) => out.text("message", text),
        None => out.raw("message", "null"),
    }
    out.end()
}

fn ms(time: Duration) -> String {
    format!("{}.{:03}", time.as_millis(), time.subsec_micros() % 1000)
}

fn optional(time: Option<Duration>) -> String {
    time.map_or_else(|| "null".to_owned(), ms)
}

fn timeval(time: libc::timeval) -> String {
    let micros =
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(time.tv_usec).unwrap_or(0);
    ms(Duration::from_micros(micros))
}
