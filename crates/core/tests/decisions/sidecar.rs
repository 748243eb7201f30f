//! Scripted sidecars for the stop of one: what its ports do and what it answers, on the test's clock.

use crate::fixtures::{ms, spec};
use lastout_core::stop::{Next, Port, Reply, Sight, Stop, Terms, Verdict};
use std::time::Duration;

/// A sidecar as the stop sees it. Ports refuse until they are opened.
#[derive(Clone, Debug, Default)]
pub struct Fake {
    /// From when on the quit port does what.
    pub quit: Vec<(Duration, Port)>,
    /// The same for the ready port, where it is another one.
    pub ready: Option<Vec<(Duration, Port)>>,
    /// From when on the proof of its end, where that is not at its ports, is to be seen or not.
    pub proof: Vec<(Duration, Sight)>,
    /// The replies to requests while the quit port accepts, one after the other; the last one again and again.
    pub replies: Vec<Reply>,
    /// So long after it was asked its ports close.
    pub leaves_after: Option<Duration>,
    /// So long after that they open again.
    pub back_after: Option<Duration>,
    /// How long it takes to reply, at most as long as it may.
    pub replies_after: Duration,
    /// Processes that get the signal, and how long after that the ports close.
    pub processes: usize,
    pub dies_after: Option<Duration>,
    /// When a stop signal comes.
    pub terminating_at: Option<Duration>,
}

/// What came of it.
#[derive(Debug)]
pub struct StopTrace {
    pub verdict: Verdict,
    pub over: Duration,
    pub asked: Vec<(Duration, Reply)>,
    pub looked: Vec<(Duration, Port, Option<Port>)>,
    pub proofs: Vec<(Duration, Sight)>,
    pub signalled: Vec<Duration>,
    pub stop: Stop,
}

impl Fake {
    /// Both ports are one, it accepts, and it answers 200.
    pub fn up() -> Self {
        Self { quit: vec![(ms(0), ACCEPTS)], replies: vec![answer(200)], ..Self::default() }
    }

    /// It leaves so long after an accepted request.
    pub fn leaving(after: u64) -> Self {
        Self { leaves_after: Some(ms(after)), ..Self::up() }
    }

    pub fn replying(replies: impl Into<Vec<Reply>>) -> Self {
        Self { replies: replies.into(), ..Self::up() }
    }

    pub fn with_ready(self, ready: &[(Duration, Port)]) -> Self {
        Self { ready: Some(ready.to_vec()), ..self }
    }

    /// Plays the stop from `begin` to its verdict.
    pub fn play(mut self, text: &str, terms: Terms, begin: Duration) -> StopTrace {
        let stop = Stop::new(&spec(text), terms, begin);
        self.go_on(stop, begin, 1)
    }

    /// Plays on until the next verdict; `asked`: how many requests it may take before it must be over.
    pub fn go_on(&mut self, mut stop: Stop, mut now: Duration, patience: u64) -> StopTrace {
        let (mut asked, mut looked, mut proofs, mut signalled) = (vec![], vec![], vec![], vec![]);
        for _ in 0..20_000 * patience {
            let signal = self.terminating_at.take_if(|at| *at <= now);
            if signal.is_some() {
                stop.terminating_from(now);
            }
            match stop.next(now) {
                Next::Pause(time) => {
                    assert!(!time.is_zero(), "a pause of no length burns the processor");
                    let woken = self.terminating_at.filter(|at| *at < now + time);
                    now = woken.unwrap_or(now + time);
                }
                Next::Ask => {
                    let (reply, took) = self.reply(now, stop.left(now));
                    asked.push((now, reply.clone()));
                    now += took;
                    stop.replied(now, reply);
                }
                Next::LookForProof => {
                    let sight =
                        self.proof.iter().rfind(|(since, _)| *since <= now).map_or(Sight::Missing, |p| p.1);
                    proofs.push((now, sight));
                    stop.proved(now, sight);
                }
                Next::LookAtPorts => {
                    let quit = self.port(now, &self.quit);
                    let ready = self.ready.as_ref().map(|ready| self.port(now, ready));
                    looked.push((now, quit, ready));
                    stop.looked(now, quit, ready);
                }
                Next::Signal => {
                    signalled.push(now);
                    if let (Some(after), true) = (self.dies_after, self.processes > 0) {
                        self.close(now + after);
                    }
                    stop.signalled(now, self.processes);
                }
                Next::Done(verdict) => {
                    return StopTrace { verdict, over: now, asked, looked, proofs, signalled, stop };
                }
            }
        }
        panic!("a stop without end: {stop:?}, asked {} times, last at {:?}", asked.len(), asked.last());
    }

    /// The reply to a request, and how long it takes.
    fn reply(&mut self, now: Duration, left: Duration) -> (Reply, Duration) {
        if self.port(now, &self.quit) == REFUSES {
            return (Reply::Refused, Duration::ZERO);
        }
        if self.port(now, &self.quit) == Port::Silent {
            return (Reply::Silence, left.min(SILENCE));
        }
        let took = self.replies_after.min(left);
        let reply = if self.replies.len() > 1 { self.replies.remove(0) } else { self.replies[0].clone() };
        if let (Some(after), true) = (self.leaves_after, counts(&reply)) {
            self.close(now + took + after);
        }
        (reply, took)
    }

    fn close(&mut self, at: Duration) {
        let back_after = self.back_after.take();
        self.proof.push((at, Sight::Given));
        for port in [Some(&mut self.quit), self.ready.as_mut()].into_iter().flatten() {
            port.retain(|(since, _)| *since < at);
            port.push((at, REFUSES));
            port.extend(back_after.map(|after| (at + after, ACCEPTS)));
        }
    }

    pub fn port(&self, now: Duration, port: &[(Duration, Port)]) -> Port {
        port.iter().rfind(|(since, _)| *since <= now).map_or(REFUSES, |(_, port)| *port)
    }
}

/// How long a try waits for a port that says nothing.
const SILENCE: Duration = Duration::from_millis(20);
pub const ACCEPTS: Port = Port::Accepts;
pub const REFUSES: Port = Port::Refuses;

pub fn answer(status: u16) -> Reply {
    Reply::Answer { status, accepted: (200..300).contains(&status), quote: String::from("words") }
}

/// It was asked: this is never repeated to the same life.
pub fn counts(reply: &Reply) -> bool {
    matches!(reply, Reply::Answer { accepted: true, .. } | Reply::Lost(_) | Reply::Created)
}

/// Ready and quit on one port.
pub const ONE_PORT: &str = "envoy";
/// Ready on another port than quit.
pub const TWO_PORTS: &str = "cloud-sql-proxy";
pub const BEGIN: Duration = Duration::from_secs(60);
pub const END: Duration = Duration::from_secs(70);

/// Ten seconds, seen before, no stop signal.
pub fn terms() -> Terms {
    Terms { seen: true, presumed: false, absent_at: ms(3_000), deadline: END, terminating: false }
}

pub fn never_seen() -> Terms {
    Terms { seen: false, ..terms() }
}

pub fn terminating() -> Terms {
    Terms { terminating: true, ..terms() }
}

pub fn play(fake: Fake, text: &str, terms: Terms) -> StopTrace {
    fake.play(text, terms, BEGIN)
}

pub fn open() -> Vec<(Duration, Port)> {
    vec![(ms(0), ACCEPTS)]
}

/// How it ended, how long it took and how often it was asked.
pub fn brief(trace: &StopTrace) -> (Verdict, Duration, usize) {
    (trace.verdict.clone(), trace.over - BEGIN, trace.asked.len())
}

pub fn still_there(asked: bool, last: &str) -> Verdict {
    Verdict::StillThere { asked, last: last.into() }
}

pub fn status(answer: u16) -> String {
    format!("answered {answer} \"words\"")
}
