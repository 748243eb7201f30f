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
use lastout_core::text::answered;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Neither accepted nor refused.
const SILENT: &str = "connecting took too long";

pub(super) fn until_ready(task: &Task, absent_after: Duration, tell: impl Fn(WorkerEvent)) {
    let mut gate = Gate::new(&task.spec, absent_after);
    let mut last = String::new();
    let mut is_last = false;
    loop {
        let Some((probe, said)) = probe(task) else { return };
        let seen_before = gate.seen();
        let next = gate.probed(task.start.elapsed(), probe);
        if gate.seen() && !seen_before {
            tell(WorkerEvent::Seen);
        }
        if said != last {
            last.clone_from(&said);
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

/// One probe, and the answer in words. `None`: cancelled.
fn probe(task: &Task) -> Option<(Probe, String)> {
    let outcome = probe_itself(task)?;
    if outcome.0 == Probe::Ready {
        for path in &task.spec.files {
            if let Some(words) = missing(task, path)? {
                // That it is there is only known of one that was looked at.
                let probe = if task.spec.ready == Ready::Unchecked { Probe::Nobody } else { Probe::NotYet };
                return Some((probe, format!("{words}, which --env-file reads")));
            }
        }
    }
    Some(outcome)
}

/// Why this file cannot be seen. The outer `None`: cancelled.
fn missing(task: &Task, path: &[u8]) -> Option<Option<String>> {
    match task.is_there(path, Instant::now() + task.spec.timeout) {
        Ok(true) => Some(None),
        Ok(false) => Some(Some(format!("{} is not there", String::from_utf8_lossy(path)))),
        Err(Woken::Cancelled) => None,
        Err(Woken::Ready | Woken::Late | Woken::Expedited) => {
            Some(Some("its file system does not answer".to_owned()))
        }
    }
}

fn probe_itself(task: &Task) -> Option<(Probe, String)> {
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
        Ready::File(path) => match missing(task, path)? {
            None => told(None, (Probe::Ready, String::new())),
            Some(words) => told(None, (Probe::Nobody, words)),
        },
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
