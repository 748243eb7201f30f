//! Signals in every phase: kept for main, forwarded to it, or acted upon.

use super::phase::{Guard, MERGE_WITHIN, Phase, StopSignals};
use super::{Action, Machine, Note, Pid};
use crate::outcome::Outcome;
use crate::signal::Signal;
use alloc::{vec, vec::Vec};
use core::time::Duration;

/// Real-time signals that are kept for main at most; the kernel's own queue is bounded likewise.
const KEPT_AT_MOST: usize = 256;

/// Whom a signal has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Us alone.
    Us,
    /// Our whole process group, and main is in it: it counts for us, and is not sent to main again.
    MainToo,
}

impl Machine {
    /// What is sent to main for this signal, when that is all that [`Machine::on`] would say, and the time is nothing to
    /// it: the short way of those that every program may get many of.
    #[must_use]
    pub fn passes(&self, signal: Signal) -> Option<(Pid, Signal)> {
        let Phase::Running { main, .. } = self.phase else { return None };
        if self.rules.is_stop(signal) || self.rules.delay(signal).is_some() {
            return None;
        }
        self.rules.rewritten(signal).filter(|sent| *sent != Signal::CONT).map(|sent| (main, sent))
    }

    pub(super) fn signal(&mut self, now: Duration, signal: Signal, reached: Reached) -> Vec<Action> {
        if reached == Reached::Us
            && let Some((main, sent)) = self.passes(signal)
        {
            return vec![Action::Send(main, sent)];
        }
        let is_stop = self.rules.is_stop(signal);
        if is_stop && self.merges(now) && self.counts_further() {
            return vec![Action::Tell(Note::Merged(signal))];
        }
        match &mut self.phase {
            Phase::New | Phase::Starting { .. } | Phase::Waiting { .. } => {
                self.signal_before_main(now, signal, is_stop)
            }
            Phase::Guarding { held } if is_stop => {
                self.terminating = true;
                // On the pod's deletion the sidecars are to outlive the mains; the second time it is meant.
                if held.replace(signal).is_none() {
                    return vec![Action::Tell(Note::HeldBack(signal)), Action::Terminating];
                }
                self.stop(now, Outcome::Done, StopSignals::One)
            }
            Phase::Running { guard: guard @ Guard::Holding { held: None }, .. } if is_stop => {
                *guard = Guard::Holding { held: Some(signal) };
                self.terminating = true;
                vec![Action::Tell(Note::HeldBack(signal)), Action::Terminating]
            }
            Phase::Running { guard, .. } => {
                if is_stop && matches!(guard, Guard::Holding { .. }) {
                    *guard = Guard::Asked;
                }
                self.terminating |= is_stop;
                match reached {
                    Reached::Us => self.forward_or_hold(now, signal),
                    Reached::MainToo => {
                        self.begin_grace(now, signal);
                        vec![]
                    }
                }
            }
            Phase::Leftovers { outcome, .. } if is_stop => {
                let outcome = *outcome;
                self.terminating = true;
                self.leave_group(now, outcome, StopSignals::One)
            }
            Phase::Leaving { heard, .. } if is_stop => {
                *heard = StopSignals::One;
                self.terminating = true;
                vec![]
            }
            Phase::Lingering { outcome, .. } if is_stop => {
                let outcome = *outcome;
                self.terminating = true;
                self.stop(now, outcome, StopSignals::One)
            }
            Phase::Stopping { heard, .. } if is_stop => match heard {
                StopSignals::None => {
                    *heard = StopSignals::One;
                    let already = core::mem::replace(&mut self.terminating, true);
                    if already { vec![] } else { vec![Action::Terminating] }
                }
                StopSignals::One => self.cut_off(now),
            },
            Phase::CuttingOff { outcome, .. } if is_stop => {
                let outcome = *outcome;
                self.exit(outcome)
            }
            Phase::Guarding { .. }
            | Phase::Leftovers { .. }
            | Phase::Leaving { .. }
            | Phase::Lingering { .. }
            | Phase::Stopping { .. }
            | Phase::CuttingOff { .. } => vec![Action::Tell(Note::Dropped(signal))],
            Phase::Exited => vec![],
        }
    }

    /// One wish to end often arrives as several signals; of whatever number, those that come together merge into one.
    fn merges(&mut self, now: Duration) -> bool {
        let same = self.stop_signal_at.is_some_and(|at| now < at + MERGE_WITHIN);
        if !same {
            self.stop_signal_at = Some(now);
        }
        same
    }

    /// A further stop signal means more here than the first: everywhere but where all signals go to main anyway.
    fn counts_further(&self) -> bool {
        match &self.phase {
            Phase::Guarding { held } | Phase::Running { guard: Guard::Holding { held }, .. } => {
                held.is_some()
            }
            Phase::Leaving { .. } | Phase::Stopping { .. } | Phase::CuttingOff { .. } => self.terminating,
            Phase::New
            | Phase::Waiting { .. }
            | Phase::Starting { .. }
            | Phase::Running { guard: Guard::None | Guard::Asked, .. }
            | Phase::Leftovers { .. }
            | Phase::Lingering { .. }
            | Phase::Exited => false,
        }
    }

    fn signal_before_main(&mut self, now: Duration, signal: Signal, is_stop: bool) -> Vec<Action> {
        let kept = match &mut self.phase {
            Phase::Waiting { .. } if is_stop || matches!(signal, Signal::HUP | Signal::QUIT) => {
                self.terminating = true;
                self.stop_signal_at.get_or_insert(now);
                let mut actions = vec![Action::CloseGate];
                actions.extend(self.finish(now, Outcome::Signalled(signal)));
                return actions;
            }
            // Ctrl-Z at the gate stops the job; what continues it is not for main.
            Phase::Waiting { .. } if signal.stops_job() && !self.rules.pid1 => {
                return vec![Action::StopSelf(signal)];
            }
            Phase::Waiting { .. } if signal == Signal::CONT && !self.rules.pid1 => return vec![],
            Phase::Waiting { kept, .. } | Phase::Starting { kept } => kept,
            Phase::New
            | Phase::Guarding { .. }
            | Phase::Running { .. }
            | Phase::Leftovers { .. }
            | Phase::Leaving { .. }
            | Phase::Lingering { .. }
            | Phase::Stopping { .. }
            | Phase::CuttingOff { .. }
            | Phase::Exited => return vec![],
        };
        // Standard signals merge, as they do in the kernel, so they are few.
        let merges = !signal.is_real_time() && kept.contains(&signal);
        let is_lost = signal.is_real_time() && kept.len() >= KEPT_AT_MOST;
        if !merges && !is_lost {
            kept.push(signal);
        }
        self.terminating |= is_stop;
        vec![Action::Tell(if is_lost { Note::Dropped(signal) } else { Note::Kept(signal) })]
    }

    pub(super) fn stopped(&self, pid: Pid, signal: Signal) -> Vec<Action> {
        let Phase::Running { main, .. } = self.phase else { return vec![] };
        // PID 1 cannot be stopped, and nobody could continue it.
        if main == pid && !self.rules.pid1 { vec![Action::StopSelf(signal)] } else { vec![] }
    }

    fn forward_or_hold(&mut self, now: Duration, signal: Signal) -> Vec<Action> {
        match (&mut self.phase, self.rules.delay(signal)) {
            (Phase::Running { held, .. }, Some(delay)) if held.len() < KEPT_AT_MOST => {
                held.push((now + delay, signal));
                vec![Action::Tell(Note::Delayed(signal, delay))]
            }
            _ => self.forward(now, signal),
        }
    }

    /// Signals whose delay is over, and the KILL after `--grace`.
    pub(super) fn send_what_is_due(&mut self, now: Duration) -> Vec<Action> {
        let Phase::Running { main, held, kill_at, .. } = &mut self.phase else { return vec![] };
        let main = *main;
        let due: Vec<Signal> = held.iter().filter(|(at, _)| *at <= now).map(|(_, signal)| *signal).collect();
        held.retain(|(at, _)| *at > now);
        let kill = kill_at.take_if(|at| *at <= now).is_some();
        let mut actions: Vec<_> = due.into_iter().flat_map(|signal| self.forward(now, signal)).collect();
        if kill {
            actions.extend([Action::Tell(Note::Killed), Action::Send(main, Signal::KILL)]);
        }
        actions
    }

    pub(super) fn forward(&mut self, now: Duration, signal: Signal) -> Vec<Action> {
        let Phase::Running { main, .. } = self.phase else { return vec![] };
        let Some(sent) = self.rules.rewritten(signal) else {
            return vec![Action::Tell(Note::Dropped(signal))];
        };
        self.begin_grace(now, signal);
        match sent {
            Signal::CONT if !self.rules.pid1 => vec![Action::HandTerminal(main), Action::Send(main, sent)],
            _ => vec![Action::Send(main, sent)],
        }
    }

    /// Main has a stop signal: from here on `--grace` counts.
    fn begin_grace(&mut self, now: Duration, signal: Signal) {
        if let (Phase::Running { kill_at, .. }, Some(grace)) = (&mut self.phase, self.rules.grace)
            && self.rules.is_stop(signal)
        {
            kill_at.get_or_insert(now + grace);
        }
    }
}
