//! From main's end to our own: leftovers, the group, linger, the stop in its steps.

use super::phase::{Guard, LAST_REQUESTS, Phase, StopSignals};
use super::{Action, Job, Machine, Note, Pid, SidecarId};
use crate::outcome::{Ended, Outcome};
use crate::signal::Signal;
use alloc::{vec, vec::Vec};
use core::time::Duration;

impl Machine {
    /// What is guarded is to end.
    pub(super) fn mains_out(&mut self, now: Duration) -> Vec<Action> {
        match &mut self.phase {
            Phase::Guarding { .. } => self.stop(now, Outcome::Done, StopSignals::None),
            Phase::Running { guard, kill_at, .. } => {
                if *guard == Guard::None {
                    return vec![];
                }
                // For one that was asked as well: of a stop signal that is dropped or delayed it knows nothing yet.
                if let Some(grace) = self.rules.grace {
                    kill_at.get_or_insert(now + grace);
                }
                let Guard::Holding { held } = *guard else { return vec![] };
                *guard = Guard::Asked;
                let signal = held.or_else(|| self.rules.stop_signals.first().copied());
                self.forward(now, signal.unwrap_or(Signal::TERM))
            }
            Phase::New
            | Phase::Waiting { .. }
            | Phase::Starting { .. }
            | Phase::Leftovers { .. }
            | Phase::Leaving { .. }
            | Phase::Lingering { .. }
            | Phase::Stopping { .. }
            | Phase::CuttingOff { .. }
            | Phase::Exited => vec![],
        }
    }

    pub(super) fn reaped(&mut self, now: Duration, pid: Pid, ended: Ended) -> Vec<Action> {
        match self.phase {
            Phase::Running { main, guard, .. } if main == pid => self.main_ended(now, ended, guard),
            // An orphan; after its reap main's pid is anybody's.
            Phase::New
            | Phase::Guarding { .. }
            | Phase::Waiting { .. }
            | Phase::Starting { .. }
            | Phase::Running { .. }
            | Phase::Leftovers { .. }
            | Phase::Leaving { .. }
            | Phase::Lingering { .. }
            | Phase::Stopping { .. }
            | Phase::CuttingOff { .. }
            | Phase::Exited => vec![],
        }
    }

    fn main_ended(&mut self, now: Duration, ended: Ended, guard: Guard) -> Vec<Action> {
        let outcome = match guard {
            Guard::Asked => Outcome::Done,
            Guard::None | Guard::Holding { .. } => self.rules.map_exit.apply(ended),
        };
        let mut actions = vec![Action::TakeTerminal];
        actions.extend(match self.rules.leftovers {
            time if !time.is_zero() && !self.terminating => {
                self.phase = Phase::Leftovers { outcome, until: now + time };
                vec![Action::TermLeftovers]
            }
            _ => self.leave_group(now, outcome, StopSignals::None),
        });
        actions
    }

    pub(super) fn childless(&mut self, now: Duration) -> Vec<Action> {
        let Phase::Leftovers { outcome, .. } = self.phase else { return vec![] };
        self.leave_group(now, outcome, StopSignals::None)
    }

    /// The way out of everything that is not main's own end.
    pub(super) fn finish(&mut self, now: Duration, outcome: Outcome) -> Vec<Action> {
        // The signal that ended the waiting was the first stop signal.
        let heard = if self.terminating { StopSignals::One } else { StopSignals::None };
        self.leave_group(now, outcome, heard)
    }

    /// Who is not the last one out leaves the sidecars to the others.
    pub(super) fn leave_group(&mut self, now: Duration, outcome: Outcome, heard: StopSignals) -> Vec<Action> {
        let is_member = matches!(self.rules.job, Job::Command | Job::GiveUp);
        if !(self.rules.grouped && is_member) {
            return self.linger(now, outcome, heard);
        }
        self.phase = Phase::Leaving { outcome, heard };
        vec![Action::LeaveGroup(outcome)]
    }

    pub(super) fn left(&mut self, now: Duration, last: bool) -> Vec<Action> {
        let Phase::Leaving { outcome, heard } = self.phase else { return vec![] };
        if last { self.linger(now, outcome, heard) } else { self.exit(outcome) }
    }

    fn linger(&mut self, now: Duration, outcome: Outcome, heard: StopSignals) -> Vec<Action> {
        // What never ran has nothing to flush.
        let wanted = !self.rules.linger.is_zero() && !self.terminating && outcome.main().is_some();
        if wanted && self.rules.will_stop(outcome) {
            self.phase = Phase::Lingering { outcome, until: now + self.rules.linger };
            return vec![];
        }
        self.stop(now, outcome, heard)
    }

    pub(super) fn stop(&mut self, now: Duration, outcome: Outcome, heard: StopSignals) -> Vec<Action> {
        if !self.rules.will_stop(outcome) {
            return self.exit(outcome);
        }
        let end = now + self.rules.stop_timeout;
        let steps = self.rules.steps.clone();
        let unasked = steps.iter().flatten().copied().collect();
        self.phase = Phase::Stopping { outcome, heard, pending: vec![], unasked, steps, step_end: now, end };
        self.next_step(now)
    }

    /// Each step gets what is left of the budget, divided by the steps that are left.
    fn next_step(&mut self, now: Duration) -> Vec<Action> {
        let Phase::Stopping { outcome, pending, steps, step_end, end, .. } = &mut self.phase else {
            return vec![];
        };
        if steps.is_empty() {
            let outcome = *outcome;
            return self.exit(outcome);
        }
        let left = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        *step_end = now + end.saturating_sub(now) / left;
        *pending = steps.remove(0);
        vec![Action::Ask { sidecars: pending.clone(), deadline: *step_end, terminating: self.terminating }]
    }

    /// The request to this sidecar is out, or there is none to be sent.
    pub(super) fn asked(&mut self, sidecar: SidecarId) -> Vec<Action> {
        match &mut self.phase {
            Phase::Stopping { unasked, .. } => {
                unasked.retain(|index| *index != sidecar);
                vec![]
            }
            Phase::CuttingOff { outcome, unasked, .. } => {
                unasked.retain(|index| *index != sidecar);
                let outcome = *outcome;
                if unasked.is_empty() { self.exit(outcome) } else { vec![] }
            }
            Phase::New
            | Phase::Guarding { .. }
            | Phase::Waiting { .. }
            | Phase::Starting { .. }
            | Phase::Running { .. }
            | Phase::Leftovers { .. }
            | Phase::Leaving { .. }
            | Phase::Lingering { .. }
            | Phase::Exited => vec![],
        }
    }

    /// A second stop signal, too late to be merged: we leave as soon as everybody has been asked once.
    pub(super) fn cut_off(&mut self, now: Duration) -> Vec<Action> {
        let Phase::Stopping { outcome, unasked, steps, .. } = &mut self.phase else { return vec![] };
        let outcome = if self.rules.job == Job::Stop { Outcome::NotStopped } else { *outcome };
        let (unasked, steps) = (core::mem::take(unasked), core::mem::take(steps));
        let mut actions = vec![Action::Tell(Note::CutOff)];
        if unasked.is_empty() {
            actions.extend(self.exit(outcome));
            return actions;
        }
        let until = now + LAST_REQUESTS;
        let sidecars: Vec<SidecarId> = steps.into_iter().flatten().collect();
        if !sidecars.is_empty() {
            actions.push(Action::Ask { sidecars, deadline: until, terminating: true });
        }
        self.phase = Phase::CuttingOff { outcome, unasked, until };
        actions
    }

    pub(super) fn sidecar_done(&mut self, now: Duration, sidecar: SidecarId, good: bool) -> Vec<Action> {
        let actions = self.asked(sidecar);
        let Phase::Stopping { outcome, pending, .. } = &mut self.phase else { return actions };
        if !good && self.rules.job == Job::Stop {
            *outcome = Outcome::NotStopped;
        }
        pending.retain(|index| *index != sidecar);
        if pending.is_empty() { self.next_step(now) } else { vec![] }
    }

    /// Of whom nothing was heard, nothing is known.
    pub(super) fn step_is_late(&mut self, now: Duration) -> Vec<Action> {
        let Phase::Stopping { outcome, .. } = &mut self.phase else { return vec![] };
        if self.rules.job == Job::Stop {
            *outcome = Outcome::NotStopped;
        }
        self.next_step(now)
    }

    pub(super) fn exit(&mut self, outcome: Outcome) -> Vec<Action> {
        self.phase = Phase::Exited;
        vec![Action::Exit(outcome)]
    }
}
