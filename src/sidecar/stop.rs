//! Stops one sidecar: carries out what `lastout_core::stop` decides.

use super::bell::{Bells, Woken};
use super::connect::{ConnectError, Connection};
use super::found::{Found, candidates};
use super::http::{self, Failure, Written};
use crate::post::News;
use crate::processes;
use crate::sys::Clock;
use lastout_core::spec::{Address, Proof, Quit, Spec};
use lastout_core::stop::{Next, Port, Reply, Stop, Terms};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) fn until_done(
    spec: &Spec,
    found: &Found,
    terms: Terms,
    watch: bool,
    start: Clock,
    bells: &Arc<Bells>,
    tell: impl Fn(News) + Clone + Send + Sync + 'static,
) {
    let now = || start.elapsed();
    let mut stop = Stop::new(spec, terms, now());
    let had_process = matches!(&spec.gone, Proof::NoProcess(name) if processes::is_running(name));
    loop {
        let woken = match stop.next(now()) {
            Next::Pause(time) => bells.pause(time, stop.hurried()),
            Next::Ask => match ask(spec, found, stop.left(now()), bells, &tell) {
                Some(reply) => {
                    stop.replied(now(), reply);
                    Woken::Ready
                }
                None => Woken::Cancelled,
            },
            Next::Look => match look(spec, found, had_process, stop.left(now()), bells) {
                Some((quit, ready)) => {
                    stop.looked(now(), quit, ready);
                    Woken::Ready
                }
                None => Woken::Cancelled,
            },
            Next::Signal => {
                let sent = spec.process.as_ref().map_or(0, |(name, signal)| processes::signal(name, *signal));
                stop.signalled(now(), sent);
                Woken::Ready
            }
            Next::Done(verdict) => {
                tell(News::Done { verdict, hurried: stop.hurried() });
                if watch {
                    stop.watch(now());
                }
                if matches!(stop.next(now()), Next::Done(_)) {
                    return;
                }
                Woken::Ready
            }
        };
        if woken == Woken::Cancelled {
            return;
        }
        if let Some(ago) = bells.hurried_for() {
            stop.hurry(now().saturating_sub(ago));
        }
    }
}

fn ask(
    spec: &Spec,
    found: &Found,
    left: Duration,
    bells: &Arc<Bells>,
    tell: &(impl Fn(News) + Clone + Send + Sync + 'static),
) -> Option<Reply> {
    let tell = tell.clone();
    Some(match &spec.quit {
        Quit::Http(request) => match http::send(
            request,
            &spec.headers,
            (found, &candidates(&request.at, |all| found.to_ask(all))),
            spec.timeout.min(left),
            bells,
            Written::then(move || tell(News::Asked)),
        ) {
            Ok(answer) => Reply::Answer {
                status: answer.status,
                accepted: request.ok.contains(answer.status),
                quote: answer.quote,
            },
            Err(Failure::Refused) => Reply::Refused,
            Err(Failure::Unsent(words)) => Reply::Unsent(words),
            Err(Failure::Lost(words)) => Reply::Lost(words),
            Err(Failure::Cancelled) => return None,
        },
        Quit::CreateFile(path) => match create(path) {
            Ok(()) => Reply::Created,
            Err(error) => {
                Reply::Impossible(format!("cannot create {}: {error}", String::from_utf8_lossy(path)))
            }
        },
        Quit::Nothing => Reply::Impossible("it has no quit endpoint".to_owned()),
    })
}

/// A FIFO that nobody reads is an error, and no reason to wait.
fn create(path: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).custom_flags(libc::O_NONBLOCK);
    options.open(OsStr::from_bytes(path)).map(drop)
}

/// How long a look may take: on loopback a port answers at once, or its queue is full.
const LOOK: Duration = Duration::from_millis(20);

/// Looks for the proof of its end: at the quit port, and at the ready port where it is another one, if the spec says
/// nothing else. `had_process`: the process whose absence is the proof was there before it was asked.
fn look(
    spec: &Spec,
    found: &Found,
    had_process: bool,
    left: Duration,
    bells: &Bells,
) -> Option<(Port, Option<Port>)> {
    let deadline = Instant::now() + LOOK.min(spec.timeout).min(left);
    let open = |address: &Address| {
        Connection::open(address, &candidates(address, |all| found.to_look(all)), bells, deadline)
    };
    let port = |address: &Address| match open(address) {
        Ok(_) => Some(Port::Accepts),
        Err(ConnectError::Silent | ConnectError::Failed(_)) => Some(Port::Silent),
        Err(ConnectError::Refused) => Some(Port::Refuses),
        Err(ConnectError::Cancelled) => None,
    };
    let refuses_when = |proved: bool| if proved { Port::Refuses } else { Port::Accepts };
    let exists = |path: &[u8]| Path::new(OsStr::from_bytes(path)).exists();
    match &spec.gone {
        Proof::PortsRefuse | Proof::Accepted => {}
        Proof::Refuses(address) => return Some((port(address)?, None)),
        Proof::FileThere(path) => return Some((refuses_when(exists(path)), None)),
        Proof::FileAway(path) => return Some((refuses_when(!exists(path)), None)),
        Proof::NoProcess(_) if !had_process => return Some((Port::Silent, None)),
        Proof::NoProcess(name) => return Some((refuses_when(!processes::is_running(name)), None)),
    }
    Some(match (spec.quit.address(), spec.ready.address()) {
        (Some(quit), Some(ready)) if quit != ready => (port(quit)?, Some(port(ready)?)),
        (Some(only), _) | (None, Some(only)) => (port(only)?, None),
        (None, None) => (Port::Refuses, None),
    })
}
