//! Probes one sidecar until it is ready.

use super::bell::{Bells, Woken};
use super::connect::{ConnectError, Connection};
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
    absent_after: Duration,
    start: Clock,
    bells: &Arc<Bells>,
    tell: impl Fn(News),
) {
    let mut gate = Gate::new(spec, absent_after);
    let mut last = String::new();
    loop {
        let Some((probe, said)) = probe(spec, bells) else { return };
        let seen_before = gate.seen();
        let next = gate.probed(start.elapsed(), probe);
        if gate.seen() && !seen_before {
            tell(News::Seen);
        }
        if said != last {
            last.clone_from(&said);
            tell(News::Said(said));
        }
        match next {
            Next::Ready => return tell(News::Open { absent: false }),
            Next::Absent => return tell(News::Open { absent: true }),
            Next::Again(pause) => {
                if bells.pause(pause, true) == Woken::Cancelled {
                    return;
                }
            }
        }
    }
}

/// One probe, and the answer in words. `None`: cancelled.
fn probe(spec: &Spec, bells: &Arc<Bells>) -> Option<(Probe, String)> {
    let refused = || Some((Probe::Nobody, "connection refused".to_owned()));
    match &spec.ready {
        Ready::Unchecked => Some((Probe::Ready, String::new())),
        Ready::File(path) => match Path::new(OsStr::from_bytes(path)).exists() {
            true => Some((Probe::Ready, String::new())),
            false => Some((Probe::Nobody, format!("{} is not there", String::from_utf8_lossy(path)))),
        },
        Ready::Accepts(address) => match Connection::open(address, bells, Instant::now() + spec.timeout) {
            Ok(_) => Some((Probe::Ready, String::new())),
            Err(ConnectError::Refused) => refused(),
            Err(ConnectError::Failed(words)) => Some((Probe::Nobody, words)),
            Err(ConnectError::Cancelled) => None,
        },
        Ready::Http(request) => {
            match http::send(request, &spec.headers, spec.timeout, bells, Written::default()) {
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
