//! Probes one sidecar until it is ready.

use super::connect::{ConnectError, Connection};
use super::found::candidates;
use super::http::{self, Failure, Written};
use super::task::Task;
use crate::threads::cancellation::Woken;
use crate::threads::channel::WorkerEvent;
use lastout_core::duration::Human;
use lastout_core::gate::{Gate, Next, Probe};
use lastout_core::spec::Ready;
use lastout_core::tell::Said;
use lastout_core::text::answered;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Neither accepted nor refused.
const SILENT: &str = "connecting took too long";

pub(super) fn until_ready(task: &Task, absent_after: Duration, tell: impl Fn(WorkerEvent)) {
    let mut gate = Gate::new(&task.spec, absent_after);
    let mut prober = Prober { task, has_answered: false, lacking: String::new() };
    let mut last = Said::default();
    let mut is_last = false;
    loop {
        let Some((probe, said)) = prober.probe() else { return };
        let seen_before = gate.seen();
        let next = gate.probed(task.start.elapsed(), probe);
        if gate.seen() && !seen_before {
            tell(WorkerEvent::Seen);
        }
        if said != last {
            last = said.clone();
            tell(WorkerEvent::Said(said));
        }
        let next = match next {
            // The wait is over: that was the last probe.
            Next::Again(_) if is_last => match gate.ended() {
                Some(next) => next,
                None => return,
            },
            next => next,
        };
        match next {
            Next::Ready => return tell(WorkerEvent::Open { absent: false }),
            Next::Absent => return tell(WorkerEvent::Open { absent: true }),
            Next::Again(pause) => match task.cancellation.pause(pause, false) {
                Woken::Cancelled => return,
                Woken::Expedited => is_last = true,
                Woken::Ready | Woken::Late => {}
            },
        }
    }
}

/// A sidecar and the files that are waited for with it.
struct Prober<'a> {
    task: &'a Task,
    /// The sidecar itself was ready, and only files were looked for since: an agent may take long to log in, and is not to
    /// be asked a hundred times a second meanwhile.
    has_answered: bool,
    /// What was told last of a file that is not there.
    lacking: String,
}

impl Prober<'_> {
    /// One probe, and what came of it in words. `None`: cancelled.
    fn probe(&mut self) -> Option<(Probe, Said)> {
        let Task { spec, .. } = self.task;
        if !self.has_answered {
            let (probe, words) = probe_sidecar(self.task)?;
            if probe != Probe::Ready || spec.files.is_empty() {
                return Some((probe, Said::Answer(words)));
            }
            self.has_answered = true;
        }
        for path in &spec.files {
            let shown = String::from_utf8_lossy(path);
            let words = match look_for(self.task, path)? {
                FileSight::There => continue,
                // Whoever reads it is told the same, and at once: to wait would change nothing.
                FileSight::Hidden(_) => continue,
                FileSight::Missing => format!("{shown}, which --env-file reads, is not there"),
                FileSight::Silent => format!("{shown}, which --env-file reads: {NO_FILE_SYSTEM}"),
            };
            if words != self.lacking {
                self.task.debug(|| format!("ready but for a file: {words}"));
                self.lacking.clone_from(&words);
            }
            // With ready=none nobody has looked at the sidecar, so it counts as absent.
            let probe = if spec.ready == Ready::Unchecked { Probe::Nobody } else { Probe::NotYet };
            return Some((probe, Said::NoFile(words)));
        }
        if self.lacking.is_empty() {
            return Some((Probe::Ready, Said::default()));
        }
        // Its answer is as old as the wait for the file.
        let (probe, words) = probe_sidecar(self.task)?;
        self.has_answered = probe == Probe::Ready;
        Some((probe, Said::Answer(words)))
    }
}

/// What a look for a file gives.
enum FileSight {
    There,
    Missing,
    /// Whether it is there cannot be seen, and why.
    Hidden(String),
    /// Its file system does not answer.
    Silent,
}

const NO_FILE_SYSTEM: &str = "its file system does not answer";

/// `None`: cancelled.
fn look_for(task: &Task, path: &[u8]) -> Option<FileSight> {
    match task.is_there(path, Instant::now() + task.spec.timeout) {
        Ok(Ok(true)) => Some(FileSight::There),
        Ok(Ok(false)) => Some(FileSight::Missing),
        Ok(Err(error)) => Some(FileSight::Hidden(error.to_string())),
        Err(Woken::Cancelled) => None,
        Err(Woken::Ready | Woken::Late | Woken::Expedited) => Some(FileSight::Silent),
    }
}

/// One probe of the sidecar itself, and the answer in words. `None`: cancelled.
fn probe_sidecar(task: &Task) -> Option<(Probe, String)> {
    let Task { spec, found, .. } = task;
    let began = Instant::now();
    let told = |at: Option<SocketAddr>, outcome: (Probe, String)| {
        task.debug(|| {
            let where_to = Task::elsewhere(spec.ready.address(), at);
            let said = if outcome.1.is_empty() { "ready" } else { &outcome.1 };
            format!("probe {}{where_to}: {said} after {}", spec.ready, Human(began.elapsed()))
        });
        Some(outcome)
    };
    let refused = || (Probe::Nobody, "connection refused".to_owned());
    match &spec.ready {
        Ready::Unchecked => Some((Probe::Ready, String::new())),
        Ready::File(path) => {
            let shown = String::from_utf8_lossy(path);
            let words = match look_for(task, path)? {
                FileSight::There => return told(None, (Probe::Ready, String::new())),
                FileSight::Missing => format!("{shown} is not there"),
                FileSight::Hidden(why) => format!("{shown} cannot be looked at: {why}"),
                FileSight::Silent => format!("{shown}: {NO_FILE_SYSTEM}"),
            };
            told(None, (Probe::Nobody, words))
        }
        Ready::Accepts(address) => match Connection::open(
            task,
            address,
            &candidates(address, |all| found.to_ask(all)),
            Instant::now() + spec.timeout,
        ) {
            Ok(connection) => {
                if let Some(at) = connection.at() {
                    found.note(at);
                }
                told(connection.at(), (Probe::Ready, String::new()))
            }
            Err(ConnectError::Refused) => told(None, refused()),
            Err(ConnectError::Silent) => told(None, (Probe::Nobody, SILENT.to_owned())),
            Err(ConnectError::Failed(words)) => told(None, (Probe::Nobody, words)),
            Err(ConnectError::Cancelled) => None,
        },
        Ready::Http(request) => {
            let (at, result) = http::send(task, request, spec.timeout, Written::default());
            match result {
                Ok(answer) if request.ok.contains(answer.status) => told(at, (Probe::Ready, String::new())),
                Ok(answer) => told(at, (Probe::NotYet, answered(answer.status, &answer.quote))),
                Err(Failure::Refused) => told(at, refused()),
                Err(Failure::Silent) => told(at, (Probe::Nobody, SILENT.to_owned())),
                Err(Failure::Unsent(words)) => told(at, (Probe::Nobody, words)),
                Err(Failure::Lost(words)) => told(at, (Probe::NotYet, words)),
                Err(Failure::Cancelled) => None,
            }
        }
    }
}
