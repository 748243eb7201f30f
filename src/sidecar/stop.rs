//! Stops one sidecar: carries out what `lastout_core::stop` decides.

use super::http::{self, Failure, Written};
use super::look::{self, Proving};
use super::task::Task;
use crate::process::procfs;
use crate::sys::create_file;
use crate::threads::cancellation::Woken;
use crate::threads::channel::WorkerEvent;
use lastout_core::duration::Human;
use lastout_core::spec::Quit;
use lastout_core::stop::{Next, Reply, Stop, Terms};
use lastout_core::text::answered;
use std::time::{Duration, Instant};

pub(super) fn until_done(
    task: &Task,
    terms: Terms,
    watch: bool,
    tell: impl Fn(WorkerEvent) + Clone + Send + Sync + 'static,
) {
    let Task { spec, cancellation, .. } = task;
    let now = || task.start.elapsed();
    let mut stop = Stop::new(spec, terms, now());
    let (mut seen, mut proof) = (None, None);
    let began = Instant::now();
    let mut proving = Proving::default();
    loop {
        let woken = match stop.next(now()) {
            Next::Pause(time) => cancellation.pause(time, stop.is_terminating()),
            Next::Ask => {
                proving.asking(task);
                match ask(task, stop.left(now()), &tell) {
                    Some(reply) => {
                        stop.replied(now(), reply);
                        Woken::Ready
                    }
                    None => Woken::Cancelled,
                }
            }
            Next::LookAtPorts => match look::at_ports(task, stop.left(now())) {
                Some((quit, ready)) => {
                    // There are thousands of looks: those that see the same are one line.
                    if seen.replace((quit, ready)) != Some((quit, ready)) {
                        let words = look::in_words(quit, ready);
                        task.debug(|| format!("look: {words} after {}", Human(began.elapsed())));
                    }
                    stop.looked(now(), quit, ready);
                    Woken::Ready
                }
                None => Woken::Cancelled,
            },
            Next::LookForProof => match proving.look(task, stop.left(now())) {
                Some(sight) => {
                    if proof.replace(sight) != Some(sight) {
                        let gone = &spec.gone;
                        let words = look::proof_in_words(sight);
                        task.debug(|| format!("look: gone={gone} {words} after {}", Human(began.elapsed())));
                    }
                    stop.proved(now(), sight);
                    Woken::Ready
                }
                None => Woken::Cancelled,
            },
            Next::Signal => {
                proving.asking(task);
                let sent = spec.process.as_ref().map_or(0, |(name, signal)| procfs::signal(name, *signal));
                if sent > 0 {
                    tell(WorkerEvent::Asked);
                }
                stop.signalled(now(), sent);
                Woken::Ready
            }
            Next::Done(verdict) => {
                tell(WorkerEvent::Done { verdict, terminating: stop.is_terminating() });
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
        if let Some(ago) = cancellation.expedited_for() {
            stop.terminating_from(now().saturating_sub(ago));
        }
    }
}

fn ask(
    task: &Task,
    left: Duration,
    tell: &(impl Fn(WorkerEvent) + Clone + Send + Sync + 'static),
) -> Option<Reply> {
    let tell = tell.clone();
    let (spec, began) = (&task.spec, Instant::now());
    let mut asked_at = None;
    let reply = match &spec.quit {
        Quit::Http(request) => {
            let written = Written::then(move || tell(WorkerEvent::Asked));
            let (at, result) = http::send(task, request, spec.timeout.min(left), written);
            asked_at = at;
            match result {
                Ok(answer) => Reply::Answer {
                    status: answer.status,
                    accepted: request.ok.contains(answer.status),
                    quote: answer.quote,
                },
                Err(Failure::Refused) => Reply::Refused,
                Err(Failure::Silent) => Reply::Silence,
                Err(Failure::Unsent(words)) => Reply::Unsent(words),
                Err(Failure::Lost(words)) => Reply::Lost(words),
                Err(Failure::Cancelled) => return None,
            }
        }
        Quit::CreateFile(path) => {
            let file = path.clone();
            let why = match task
                .aside(Instant::now() + spec.timeout.min(left), move || create_file(&file).map(drop))
            {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(Woken::Cancelled) => return None,
                Err(Woken::Ready | Woken::Late | Woken::Expedited) => {
                    Some("its file system does not answer".to_owned())
                }
            };
            match why {
                None => {
                    tell(WorkerEvent::Asked);
                    Reply::Created
                }
                Some(why) => {
                    Reply::Impossible(format!("cannot create {}: {why}", String::from_utf8_lossy(path)))
                }
            }
        }
        Quit::WithAnother | Quit::Nothing => Reply::Impossible("it has no quit endpoint".to_owned()),
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
        Reply::Silence => "neither accepted nor refused".to_owned(),
        Reply::Lost(words) | Reply::Unsent(words) | Reply::Impossible(words) => words.clone(),
    }
}
