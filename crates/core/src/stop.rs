//! One sidecar at its stop: when to ask, what an answer means, when it is proved to be gone. A worker
//! carries out each [`Next`] and tells what came of it; nothing here touches a socket or a clock. Times are
//! durations since the wrapper's start.

mod exchange;
mod look;

pub use exchange::{Next, Port, Reply, Sight, Terms, Verdict, VerdictKind};

use crate::spec::{Proof, Quit, Spec};
use crate::text::answered;
use alloc::string::String;
use core::time::Duration;

/// The story so far of one sidecar at its stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    terms: Terms,
    traits: Traits,
    state: State,
    life: Life,
    /// When asking and proving end; what then remains of the budget is for the fallback by signal.
    limit: Duration,
    /// It has answered at its quit port, so that one is switched on.
    answered: bool,
    /// Connecting failed in a way that shows that something is there.
    fails: bool,
    last: String,
}

/// The facts of the spec that decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traits {
    optional: bool,
    gone_when_accepted: bool,
    refused_is_normal: bool,
    can_be_looked_at: bool,
    /// It has a port, and a request of its own, should it come back.
    can_be_watched: bool,
    /// Another one's request is its, too.
    goes_with_another: bool,
    /// What proves its end is not at its ports.
    foreign_proof: bool,
    has_process: bool,
}

/// A quit that was accepted is never repeated to the same life of a sidecar; to a second life once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    First,
    Second,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// About to ask.
    Asking { not_before: Duration },
    /// The quit port refused when it was asked. `alive_since`: since then it does while the ready port accepts.
    Refused { asked_at: Duration, look_at: Duration, alive_since: Option<Duration> },
    /// Asked; proving that it is gone. `refused`: the quit port has refused since.
    Verifying { asked_at: Duration, look_at: Duration, refused: bool },
    /// About to send the signal that is the fallback; without it, this is how it ends.
    Signalling { otherwise: Verdict },
    /// Proving that it is gone. `sent`: it was signalled; else there is nothing to be done for it, and one look
    /// tells whether anything had to be.
    Signalled { otherwise: Verdict, look_at: Duration, sent: bool },
    /// Over.
    Done(Verdict),
    /// Over, but watched while others are still being stopped: it may be restarted. `refused`: its port has refused.
    Watching { look_at: Duration, refused: bool },
}

/// Distance of two asks after an answer such as 503.
const RETRY: Duration = Duration::from_millis(200);
/// Distance of two tries while nothing is there.
const NOBODY: Duration = Duration::from_millis(20);
/// So long the ready port must answer beside a refusing quit port: a sidecar that is just opening, or just
/// closing its ports looks like one in which the endpoint was not switched on. On a busy node Cloud SQL's proxy took
/// more than 100 ms from the one port to the other, and a pod hung; to be told later costs nothing, as the pod hangs.
const SURE: Duration = Duration::from_millis(500);
/// How long a stop takes at most when the pod is terminating.
pub const WHILE_TERMINATING: Duration = Duration::from_secs(1);
/// What is left of the budget when the fallback by signal is taken; of a small budget half.
const FALLBACK: Duration = Duration::from_secs(1);
/// The least that a request is given.
const MOMENT: Duration = Duration::from_millis(50);
/// Distance of looks at one that is gone already.
const WATCH: Duration = Duration::from_millis(50);

/// Looks are dense while the end is near: a port that refuses is to be noticed within a millisecond.
fn look_after(asked_for: Duration) -> Duration {
    Duration::from_micros(match asked_for.as_millis() {
        0..50 => 300,
        50..1000 => 2_000,
        1000..3000 => 10_000,
        _ => 50_000,
    })
}

impl Traits {
    /// There is no way, or none any more. Whether there had to be one is seen at its ports.
    fn nothing_to_do(self, now: Duration, otherwise: Verdict) -> State {
        if self.can_be_looked_at {
            State::Signalled { otherwise, look_at: now, sent: false }
        } else {
            State::Done(otherwise)
        }
    }
}

impl Stop {
    /// The stop of this sidecar, beginning at `now`.
    #[must_use]
    pub fn new(spec: &Spec, terms: Terms, now: Duration) -> Self {
        let has_process = spec.process.is_some();
        let has_port = spec.quit.address().or(spec.ready.address()).is_some();
        let traits = Traits {
            optional: spec.optional,
            gone_when_accepted: spec.gone == Proof::Accepted,
            refused_is_normal: spec.refused_is_normal,
            can_be_looked_at: has_port || spec.gone.is_foreign(),
            can_be_watched: has_port && spec.quit != Quit::WithAnother,
            goes_with_another: spec.quit == Quit::WithAnother,
            foreign_proof: spec.gone.is_foreign(),
            has_process,
        };
        let state = match &spec.quit {
            Quit::Http(_) | Quit::CreateFile(_) => State::Asking { not_before: now },
            // It goes by the request to the other one, and is not asked again; whether it is there is seen at its port.
            Quit::WithAnother if has_port => {
                State::Refused { asked_at: now, look_at: now, alive_since: None }
            }
            Quit::WithAnother if traits.can_be_looked_at => {
                State::Verifying { asked_at: now, look_at: now, refused: false }
            }
            Quit::WithAnother => State::Done(Verdict::NotNeeded),
            Quit::Nothing if has_process => State::Signalling { otherwise: Verdict::NoWay },
            Quit::Nothing => {
                let expects_an_end = spec.preset.is_some_and(|preset| preset.quit.is_none());
                if spec.refused_is_normal || !expects_an_end {
                    State::Done(Verdict::NotNeeded)
                } else {
                    traits.nothing_to_do(now, Verdict::NoWay)
                }
            }
        };
        let limit = terms.deadline;
        let life = if spec.quit == Quit::WithAnother { Life::Second } else { Life::First };
        let mut stop =
            Self { terms, traits, state, life, limit, answered: false, fails: false, last: String::new() };
        stop.share_budget(now);
        stop
    }

    /// A stop signal has come, so the pod is terminating: from here on one try, and at most a second.
    pub fn terminating_from(&mut self, now: Duration) {
        if !self.terms.terminating {
            self.terms.terminating = true;
            self.share_budget(now);
        }
    }

    fn share_budget(&mut self, now: Duration) {
        if self.terms.terminating {
            self.terms.deadline = self.terms.deadline.min(now + WHILE_TERMINATING);
        }
        let left = self.terms.deadline.saturating_sub(now);
        let fallback = if self.traits.has_process { FALLBACK.min(left / 2) } else { Duration::ZERO };
        self.limit = self.terms.deadline.saturating_sub(fallback);
    }

    /// Keep an eye on one that is gone while others are still being stopped.
    pub fn watch(&mut self, now: Duration) {
        if self.state == State::Done(Verdict::Gone) && !self.terms.terminating && self.traits.can_be_watched {
            self.state = State::Watching { look_at: now + WATCH, refused: !self.traits.foreign_proof };
        }
    }

    /// True when a stop signal has made the stop a matter of one try.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.terms.terminating
    }

    /// How long what is done next may take: what is left of the budget, and never less than a moment.
    #[must_use]
    pub fn left(&self, now: Duration) -> Duration {
        self.terms.deadline.saturating_sub(now).max(MOMENT)
    }

    /// It was seen, not only presumed, or something at its address says so. That nothing refuses is no proof of life.
    fn was_there(&self) -> bool {
        self.fails || self.terms.seen && !self.terms.presumed
    }

    /// Something of it was there.
    fn sees(&mut self, there: bool) {
        self.terms.seen |= there;
        self.terms.presumed &= !there;
    }

    /// What to do at `now`.
    #[must_use]
    pub fn next(&self, now: Duration) -> Next {
        let until = |at: Duration, then: Next| if now < at { Next::Pause(at - now) } else { then };
        match &self.state {
            State::Asking { not_before } => until(*not_before, Next::Ask),
            State::Refused { look_at, .. } | State::Watching { look_at, .. } => {
                until(*look_at, Next::LookAtPorts)
            }
            State::Verifying { look_at, .. } | State::Signalled { look_at, .. } => until(
                *look_at,
                if self.traits.foreign_proof { Next::LookForProof } else { Next::LookAtPorts },
            ),
            State::Signalling { .. } => Next::Signal,
            State::Done(verdict) => Next::Done(verdict.clone()),
        }
    }

    /// Takes in the reply to [`Next::Ask`].
    pub fn replied(&mut self, now: Duration, reply: Reply) {
        self.answered |= matches!(reply, Reply::Answer { .. });
        self.sees(matches!(reply, Reply::Answer { .. } | Reply::Lost(_)));
        match reply {
            Reply::Answer { accepted: true, .. } | Reply::Created if self.traits.gone_when_accepted => {
                self.state = State::Done(Verdict::Accepted);
            }
            Reply::Answer { accepted: true, status, quote } => {
                self.last = answered(status, &quote);
                self.asked(now);
            }
            Reply::Answer { status: status @ (408 | 429 | 500..=599), quote, .. } => {
                self.last = answered(status, &quote);
                self.try_again(now, RETRY);
            }
            Reply::Answer { status, quote, .. } => self.end_badly(Verdict::Declined { status, quote }),
            Reply::Created => {
                self.last = String::from("the file is there");
                self.asked(now);
            }
            Reply::Lost(what) => {
                self.last = what;
                self.asked(now);
            }
            Reply::Refused => self.state = State::Refused { asked_at: now, look_at: now, alive_since: None },
            Reply::Unsent(what) => {
                self.last = what;
                self.fails = true;
                self.try_again(now, WATCH);
            }
            Reply::Silence => {
                self.last = String::from("connecting took too long");
                self.try_again(now, WATCH);
            }
            Reply::Impossible(what) => self.end_badly(Verdict::Impossible(what)),
        }
    }

    /// Takes in that [`Next::Signal`] was carried out: how many processes got the signal.
    pub fn signalled(&mut self, now: Duration, processes: usize) {
        let State::Signalling { otherwise } = &self.state else { return };
        let otherwise = otherwise.clone();
        self.state = match (processes, self.traits.can_be_looked_at) {
            (0, _) => self.traits.nothing_to_do(now, otherwise),
            (_, true) => {
                let otherwise = if otherwise == Verdict::NoWay {
                    Verdict::StillThere { asked: true, last: String::from("sent") }
                } else {
                    otherwise
                };
                State::Signalled { otherwise, look_at: now, sent: true }
            }
            (_, false) => State::Done(Verdict::Accepted),
        };
    }

    /// The request is out and is not repeated to this life.
    fn asked(&mut self, now: Duration) {
        self.state = if self.traits.can_be_looked_at {
            State::Verifying { asked_at: now, look_at: now, refused: false }
        } else {
            State::Done(Verdict::Accepted)
        };
    }

    fn try_again(&mut self, now: Duration, pause: Duration) {
        let absent = self.traits.optional && !self.was_there() && now >= self.terms.absent_at;
        if self.terms.terminating || absent || now + pause >= self.limit {
            self.give_up(false);
        } else {
            self.state = State::Asking { not_before: now + pause };
        }
    }

    fn came_back(&mut self, now: Duration) {
        self.state = match self.life {
            Life::First if !self.terms.terminating => {
                self.life = Life::Second;
                State::Asking { not_before: now }
            }
            Life::First | Life::Second => State::Done(Verdict::CameBack),
        };
    }

    fn give_up(&mut self, asked: bool) {
        self.end_badly(match asked || self.was_there() {
            true => Verdict::StillThere { asked, last: self.last.clone() },
            false if self.terms.terminating || self.traits.optional => Verdict::Absent,
            false => Verdict::NeverAppeared,
        });
    }

    /// The end, unless the fallback by signal is there to be tried.
    fn end_badly(&mut self, verdict: Verdict) {
        self.state = if self.traits.has_process {
            State::Signalling { otherwise: verdict }
        } else {
            State::Done(verdict)
        };
    }
}
