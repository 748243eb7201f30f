//! What a look at a sidecar means: at its ports, or for what proves its end elsewhere.

use super::{NOBODY, Port, SURE, Sight, State, Stop, Verdict, WATCH, look_after};
use core::time::Duration;

impl Stop {
    /// Takes in what [`Next::LookForProof`] saw.
    pub fn proved(&mut self, now: Duration, proof: Sight) {
        match self.state {
            State::Verifying { asked_at, look_at, .. } => match proof {
                Sight::Given => self.state = State::Done(Verdict::Gone),
                Sight::Impossible => self.state = State::Done(Verdict::Accepted),
                Sight::Missing if look_at >= self.limit => self.give_up(true),
                Sight::Missing => {
                    let look_at = (now + look_after(now.saturating_sub(asked_at))).min(self.limit);
                    self.state = State::Verifying { asked_at, look_at, refused: false };
                }
            },
            // It is not there, which is no matter where it may be absent.
            State::Signalled { sent: false, .. } if proof == Sight::Impossible && self.traits.optional => {
                self.state = State::Done(Verdict::Absent);
            }
            State::Signalled { .. } => self.looked_signalled(now, proof == Sight::Given),
            State::Refused { .. }
            | State::Watching { .. }
            | State::Asking { .. }
            | State::Signalling { .. }
            | State::Done(_) => {}
        }
    }

    /// Takes in what [`Next::LookAtPorts`] saw; `ready` is `None` when there is no other port to look at.
    pub fn looked(&mut self, now: Duration, quit: Port, ready: Option<Port>) {
        let gone = quit == Port::Refuses && ready.is_none_or(|port| port == Port::Refuses);
        self.sees(quit == Port::Accepts || ready == Some(Port::Accepts));
        match self.state {
            State::Refused { .. } => self.looked_refused(now, quit, ready),
            State::Verifying { asked_at, look_at, refused } => match (quit, gone) {
                (_, true) => self.state = State::Done(Verdict::Gone),
                (Port::Accepts, false) if refused => self.came_back(now),
                // The last look is one that was due at the deadline: what hung before it proves nothing.
                (Port::Accepts | Port::Refuses | Port::Silent, false) if look_at >= self.limit => {
                    self.give_up(true);
                }
                (Port::Accepts | Port::Refuses | Port::Silent, false) => {
                    let refused = refused || quit == Port::Refuses;
                    let look_at = (now + look_after(now.saturating_sub(asked_at))).min(self.limit);
                    self.state = State::Verifying { asked_at, look_at, refused };
                }
            },
            State::Signalled { .. } => self.looked_signalled(now, gone),
            State::Watching { refused, .. } => match quit {
                Port::Accepts if refused => self.came_back(now),
                Port::Accepts | Port::Refuses | Port::Silent => {
                    let refused = refused || quit == Port::Refuses;
                    self.state = State::Watching { look_at: now + WATCH, refused };
                }
            },
            State::Asking { .. } | State::Signalling { .. } | State::Done(_) => {}
        }
    }

    fn looked_signalled(&mut self, now: Duration, gone: bool) {
        let State::Signalled { ref otherwise, look_at, sent } = self.state else { return };
        let otherwise = otherwise.clone();
        self.state = match gone {
            true if sent => State::Done(Verdict::Gone),
            true if self.terms.seen => State::Done(Verdict::AlreadyGone),
            true if self.terms.terminating || self.traits.optional => State::Done(Verdict::Absent),
            false if sent && look_at < self.terms.deadline => {
                let look_at = (now + NOBODY).min(self.terms.deadline);
                State::Signalled { otherwise, look_at, sent }
            }
            // It has appeared meanwhile.
            true | false
                if self.was_there() && matches!(otherwise, Verdict::Absent | Verdict::NeverAppeared) =>
            {
                State::Done(Verdict::StillThere { asked: sent, last: self.last.clone() })
            }
            true | false => State::Done(otherwise),
        };
    }

    fn looked_refused(&mut self, now: Duration, quit: Port, ready: Option<Port>) {
        let State::Refused { asked_at, alive_since, .. } = self.state else { return };
        match quit {
            Port::Accepts if self.traits.goes_with_another => {
                self.state = State::Verifying { asked_at, look_at: now, refused: false };
            }
            Port::Silent if self.traits.goes_with_another && now < self.terms.deadline => {
                let look_at = (now + NOBODY).min(self.terms.deadline);
                self.state = State::Refused { asked_at, look_at, alive_since };
            }
            Port::Accepts | Port::Silent if now >= self.terms.deadline => self.give_up(false),
            // Not at once where it keeps accepting a look and refusing the request: that would burn the processor.
            Port::Accepts | Port::Silent => self.state = State::Asking { not_before: asked_at + NOBODY },
            Port::Refuses if ready == Some(Port::Accepts) => {
                let since = alive_since.unwrap_or(now);
                if self.traits.refused_is_normal {
                    self.state = State::Done(Verdict::NotNeeded);
                } else if self.answered && now >= self.limit {
                    self.give_up(false);
                } else if !self.answered && (now >= since + SURE || now >= self.limit) {
                    self.end_badly(Verdict::NotSwitchedOn);
                } else {
                    let look_at = (now + SURE / 10).min(self.limit);
                    self.state = State::Refused { asked_at, look_at, alive_since: Some(since) };
                }
            }
            // A ready port that is silent is no proof of life, nor of its end.
            Port::Refuses if ready == Some(Port::Silent) && self.terms.seen && now >= self.limit => {
                if self.traits.refused_is_normal {
                    self.state = State::Done(Verdict::NotNeeded)
                } else {
                    self.give_up(false)
                }
            }
            Port::Refuses if ready == Some(Port::Silent) && self.terms.seen => {
                let look_at = (now + NOBODY).min(self.limit);
                self.state = State::Refused { asked_at, look_at, alive_since };
            }
            // It is ending by itself, and may not have finished yet.
            Port::Refuses if self.terms.seen && self.traits.foreign_proof => {
                self.state = State::Verifying { asked_at, look_at: now, refused: false };
            }
            Port::Refuses if self.terms.seen => self.state = State::Done(Verdict::AlreadyGone),
            Port::Refuses if self.terms.terminating => self.state = State::Done(Verdict::Absent),
            Port::Refuses if self.traits.optional && now >= self.terms.absent_at => {
                self.state = State::Done(Verdict::Absent);
            }
            Port::Refuses if now >= self.terms.deadline => {
                self.state =
                    State::Done(if self.traits.optional { Verdict::Absent } else { Verdict::NeverAppeared });
            }
            Port::Refuses => {
                let look_at = (now + NOBODY).min(self.terms.deadline);
                self.state = State::Refused { asked_at, look_at, alive_since: None };
            }
        }
    }
}
