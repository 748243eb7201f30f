//! Stops one sidecar: carries out what `lastout_core::stop` decides.

use super::Task;
use super::bell::Woken;
use super::connect::{ConnectError, Connection};
use super::found::candidates;
use super::http::{self, Failure, Written};
use crate::post::News;
use crate::processes;
use lastout_core::duration::Human;
use lastout_core::spec::{Address, Proof, Quit};
use lastout_core::stop::{Next, Port, Reply, Stop, Terms};
use lastout_core::text::answered;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) fn until_done(
    task: &Task,
    terms: Terms,
    watch: bool,
    tell: impl Fn(News) + Clone + Send + Sync + 'static,
) {
    let Task { spec, bells, .. } = task;
    let now = || task.start.elapsed();
    let mut stop = Stop::new(spec, terms, now());
    let mut seen = None;
    let had_process = matches!(&spec.gone, Proof::NoProcess(name) if processes::is_running(name));
    loop {
        let woken = match stop.next(now()) {
            Next::Pause(time) => bells.pause(time, stop.hurried()),
            Next::Ask => match ask(task, stop.left(now()), &tell) {
                Some(reply) => {
                    stop.replied(now(), reply);
                    Woken::Ready
                }
                None => Woken::Cancelled,
            },
            Next::Look => match look(task, had_process, stop.left(now())) {
                Some((quit, ready)) => {
                    // There are thousands of looks: those that see the same are one line.
                    if seen.replace((quit, ready)) != Some((quit, ready)) {
                        task.debug(|| saw(quit, ready));
                    }
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

fn ask(task: &Task, left: Duration, tell: &(impl Fn(News) + Clone + Send + Sync + 'static)) -> Option<Reply> {
    let tell = tell.clone();
    let (spec, began) = (&task.spec, Instant::now());
    let mut asked_at = None;
    let reply = match &spec.quit {
        Quit::Http(request) => {
            let written = Written::then(move || tell(News::Asked));
            let (at, result) = http::send(task, request, spec.timeout.min(left), written);
            asked_at = at;
            match result {
                Ok(answer) => Reply::Answer {
                    status: answer.status,
                    accepted: request.ok.contains(answer.status),
                    quote: answer.quote,
                },
                Err(Failure::Refused) => Reply::Refused,
                Err(Failure::Unsent(words)) => Reply::Unsent(words),
                Err(Failure::Lost(words)) => Reply::Lost(words),
                Err(Failure::Cancelled) => return None,
            }
        }
        Quit::CreateFile(path) => match create(path) {
            Ok(()) => Reply::Created,
            Err(error) => {
                Reply::Impossible(format!("cannot create {}: {error}", String::from_utf8_lossy(path)))
            }
        },
        Quit::Nothing => Reply::Impossible("it has no quit endpoint".to_owned()),
    };
    task.debug(|| {
        let where_to = Task::elsewhere(spec.quit.address(), asked_at);
        format!("request {}{where_to}: {} after {}", spec.quit, in_words(&reply), Human(began.elapsed()))
    });
    Some(reply)
}

fn in_words(reply: &Reply) -> String {
    match reply {
        Reply::Answer { status, quote, .. } => answered(*status, quote),
        Reply::Created => "created".to_owned(),
        Reply::Refused => "connection refused".to_owned(),
        Reply::Lost(words) | Reply::Unsent(words) | Reply::Impossible(words) => words.clone(),
    }
}

fn saw(quit: Port, ready: Option<Port>) -> String {
    let does = |port| match port {
        Port::Accepts => "still there",
        Port::Refuses => "gone",
        Port::Silent => "silent",
    };
    match ready {
        Some(ready) => format!("look: quit port {}, ready port {}", does(quit), does(ready)),
        None => format!("look: {}", does(quit)),
    }
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
fn look(task: &Task, had_process: bool, left: Duration) -> Option<(Port, Option<Port>)> {
    let Task { spec, found, bells, .. } = task;
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
