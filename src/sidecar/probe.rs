//! Probes one sidecar until it is ready.

use super::bell::{Bells, Woken};
use super::connect::{ConnectError, Connection};
use super::found::{Found, candidates};
use super::http::{self, Failure, Written};
use crate::post::News;
use crate::sys::Clock;
use lastout_core::gate::{Gate, Next, Probe};
use lastout_core::spec::{Ready, Spec};
use lastout_core::text::answered;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) fn until_ready(
    spec: &Spec,
    found: &Found,
    absent_after: Duration,
    start: Clock,
    bells: &Arc<Bells>,
    tell: impl Fn(News),
) {
    let mut gate = Gate::new(spec, absent_after);
    let mut last = String::new();
    let mut is_last = false;
    loop {
        let Some((probe, said)) = probe(spec, found, bells) else { return };
        let seen_before = gate.seen();
        let next = gate.probed(start.elapsed(), probe);
        if gate.seen() && !seen_before {
            tell(News::Seen);
        }
        if said != last {
            last.clone_from(&said);
            tell(News::Said(said));
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
            Next::Ready => return tell(News::Open { absent: false }),
            Next::Absent => return tell(News::Open { absent: true }),
            Next::Again(pause) => match bells.pause(pause, false) {
                Woken::Cancelled => return,
                Woken::Hurried => is_last = true,
                Woken::Ready | Woken::Late => {}
            },
        }
    }
}

/// One probe, and the answer in words. `None`: cancelled.
fn probe(spec: &Spec, found: &Found, bells: &Arc<Bells>) -> Option<(Probe, String)> {
    let refused = || Some((Probe::Nobody, "connection refused".to_owned()));
    match &spec.ready {
        Ready::Unchecked => Some((Probe::Ready, String::new())),
        Ready::File(path) => match Path::new(OsStr::from_bytes(path)).exists() {
            true => Some((Probe::Ready, String::new())),
            false => Some((Probe::Nobody, format!("{} is not there", String::from_utf8_lossy(path)))),
        },
        Ready::Accepts(address) => match Connection::open(
            address,
            &candidates(address, |all| found.to_ask(all)),
            bells,
            Instant::now() + spec.timeout,
        ) {
            Ok(connection) => {
                if let Some(at) = connection.at() {
                    found.note(at);
                }
                Some((Probe::Ready, String::new()))
            }
            Err(ConnectError::Refused) => refused(),
            Err(ConnectError::Silent) => Some((Probe::Nobody, "connecting took too long".to_owned())),
            Err(ConnectError::Failed(words)) => Some((Probe::Nobody, words)),
            Err(ConnectError::Cancelled) => None,
        },
        Ready::Http(request) => {
            let to = candidates(&request.at, |all| found.to_ask(all));
            match http::send(request, &spec.headers, (found, &to), spec.timeout, bells, Written::default()) {
                Ok(answer) if request.ok.contains(answer.status) => Some((Probe::Ready, String::new())),
                Ok(answer) => Some((Probe::NotYet, answered(answer.status, &answer.quote))),
                Err(Failure::Refused) => refused(),
                Err(Failure::Unsent(words)) => Some((Probe::Nobody, words)),
                Err(Failure::Lost(words)) => Some((Probe::NotYet, words)),
                Err(Failure::Cancelled) => None,
            }
        }
    }
}
