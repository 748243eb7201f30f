//! The whole run as a pure state machine: events in, actions out. No clock, no descriptor, no environment;
//! `now` comes with each event, as a duration since the wrapper's start.
//!
//! ```text
//! waiting → running → leftovers → lingering → stopping → exit
//! ```

use crate::outcome::{Ended, ExitMap, Outcome, StopOn};
use crate::settings::Settings;
use crate::signal::Signal;
use alloc::{vec, vec::Vec};
use core::time::Duration;

/// A process of this name space.
pub type Pid = i32;

/// What the machine is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Gate, main, stop.
    Command,
    /// Only the gate.
    Wait,
    /// Only the stop.
    Stop,
    /// Run a sidecar until the mains of the group are out, then end it.
    Guard,
    /// Wait until the mains of the group are out, then stop the sidecars.
    GuardSidecars,
    /// The settings are wrong: only the stop, as far as the policy covers it, and out with 125.
    GiveUp,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first event of every run.
    Begin,
    /// This sidecar no longer holds up the gate: it is ready, or optional and absent.
    Open(usize),
    /// Main was started: the answer to [`Action::Start`].
    Started(Pid),
    /// Main could not be started, for this reason.
    NotStarted(Outcome),
    /// A signal for us or for main; neither CHLD, nor a fault of our own, nor one that we sent ourselves.
    Signal(Signal),
    /// A child ended and was reaped.
    Reaped(Pid, Ended),
    /// The terminal stopped a child.
    Stopped(Pid, Signal),
    /// We have no child left.
    Childless,
    /// The answer to [`Action::LeaveGroup`]; `true`: we are the last one out.
    Left(bool),
    /// Mains of the group that we guard are still in, or have not come yet.
    MainsIn,
    /// All mains of the group that we guard are out.
    MainsOut,
    /// The stop of this sidecar is over; `true`: nothing of it keeps the pod from ending.
    SidecarDone(usize, bool),
    /// A deadline has come.
    Tick,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Probe all sidecars until each is ready.
    OpenGate,
    /// Tell the user who is still waited for.
    TellWaiting,
    /// Tell the user who was not ready in time.
    TellTimeout,
    /// End all probing.
    CloseGate,
    /// Start main; the answer is [`Event::Started`] or [`Event::NotStarted`].
    Start,
    /// Send main a signal (or its group, where that is wanted).
    Send(Pid, Signal),
    /// We were continued: hand main the terminal if it is ours.
    HandTerminal(Pid),
    /// Main was stopped by the terminal: stop ourselves alike, so that the shell sees it.
    StopSelf(Signal),
    /// Main is over: take the terminal back.
    TakeTerminal,
    /// Put our verdict on record; the answer is [`Event::Left`].
    LeaveGroup(Outcome),
    /// Watch the mains of the group. [`Event::MainsIn`] or [`Event::MainsOut`] answers at once, and the latter
    /// when it has become so.
    WatchGroup,
    /// TERM every descendant that main left behind.
    TermLeftovers,
    /// Stop these sidecars until that moment; `hurried`: one try each.
    Ask {
        /// Indices of the sidecars.
        sidecars: Vec<usize>,
        /// The end of this step's budget.
        deadline: Duration,
        /// A stop signal has come.
        hurried: bool,
    },
    /// A stop signal has come: those who are being stopped get one try more, and a second at most; a main of the
    /// group that we guard will not be restarted.
    Hurry,
    /// Say this.
    Tell(Note),
    /// Leave; nothing follows.
    Exit(Outcome),
}

/// Something worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Kept for main until it begins.
    Kept(Signal),
    /// Nobody to forward it to, or a rule drops it.
    Dropped(Signal),
    /// Held back until the mains are out.
    HeldBack(Signal),
    /// Held back for this long.
    Delayed(Signal, Duration),
    /// Main did not end within `--grace` and is killed.
    Killed,
    /// The stop was cut off by a second stop signal.
    CutOff,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in the contract")]
pub enum PhaseName {
    Waiting,
    Running,
    Leftovers,
    Lingering,
    Stopping,
    Exit,
}

/// How often a stop signal has come since main's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presses {
    None,
    Once,
}

/// What a running guard knows of the end of its sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    /// It is no guard: main is main.
    None,
    /// The mains are in. `held`: a stop signal that waits for them.
    Holding { held: Option<Signal> },
    /// The end was asked for, so it is a good one whatever its code.
    Asked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    New,
    /// A guard before its sidecar, or without one: the mains are in. `held`: a stop signal waits for them.
    Guarding {
        held: Option<Signal>,
    },
    Waiting {
        closed: Vec<usize>,
        kept: Vec<Signal>,
        deadline: Option<Duration>,
        tell_at: Duration,
        tell_step: Duration,
    },
    Starting {
        kept: Vec<Signal>,
    },
    Running {
        main: Pid,
        held: Vec<(Duration, Signal)>,
        kill_at: Option<Duration>,
        guard: Guard,
    },
    Leftovers {
        outcome: Outcome,
        until: Duration,
    },
    /// Our verdict is being put on record.
    Leaving {
        outcome: Outcome,
        presses: Presses,
    },
    Lingering {
        outcome: Outcome,
        until: Duration,
    },
    Stopping {
        outcome: Outcome,
        presses: Presses,
        pending: Vec<usize>,
        steps: Vec<Vec<usize>>,
        step_end: Duration,
        end: Duration,
    },
    Exited,
}

/// The rules of this run, out of the settings.
#[derive(Clone, Debug)]
struct Rules {
    job: Job,
    pid1: bool,
    grouped: bool,
    gate: bool,
    /// Indices of the sidecars by `order`, low first.
    steps: Vec<Vec<usize>>,
    wait_timeout: Option<Duration>,
    run_unready: bool,
    stop_on: StopOn,
    stop_timeout: Duration,
    linger: Duration,
    leftovers: Duration,
    stop_signals: Vec<Signal>,
    grace: Option<Duration>,
    rewrites: Vec<(Signal, Option<Signal>)>,
    delays: Vec<(Signal, Duration)>,
    map_exit: ExitMap,
}

/// The machine. Feed it [`Event::Begin`], then whatever happens, and [`Event::Tick`] at [`Machine::deadline`].
#[derive(Clone, Debug)]
pub struct Machine {
    rules: Rules,
    phase: Phase,
    /// A stop signal has come in any phase: the pod may be going.
    hurried: bool,
}

/// First word about a gate that does not open, then at doubling distances.
const TELL_AFTER: Duration = Duration::from_secs(5);
/// How long a worker that does not report is waited for beyond its step's end.
const WORKER_SLACK: Duration = Duration::from_millis(500);
/// Real-time signals that are kept for main at most; the kernel's own queue is bounded likewise.
const KEPT_AT_MOST: usize = 256;

impl Machine {
    /// A run under these settings; `pid1`: we are the init of a process namespace.
    #[must_use]
    pub fn new(job: Job, settings: &Settings, pid1: bool) -> Self {
        let orders = || settings.sidecars.iter().enumerate().map(|(index, spec)| (spec.order, index));
        let mut distinct: Vec<u32> = orders().map(|(order, _)| order).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let step = |order| orders().filter(|(of, _)| *of == order).map(|(_, index)| index).collect();
        let rules = Rules {
            job,
            pid1,
            grouped: settings.group.is_some(),
            gate: settings.gate,
            steps: distinct.into_iter().map(step).collect(),
            wait_timeout: settings.wait_timeout,
            run_unready: settings.run_unready,
            stop_on: settings.stop_on.clone(),
            stop_timeout: settings.stop_timeout,
            linger: settings.linger,
            leftovers: settings.leftovers,
            stop_signals: settings.stop_signals.clone(),
            grace: settings.grace,
            rewrites: settings.rewrites.clone(),
            delays: settings.delays.clone(),
            map_exit: settings.map_exit.clone(),
        };
        Self { rules, phase: Phase::New, hurried: false }
    }

    /// Where the run is.
    #[must_use]
    pub fn phase(&self) -> PhaseName {
        match self.phase {
            Phase::New | Phase::Guarding { .. } | Phase::Waiting { .. } | Phase::Starting { .. } => {
                PhaseName::Waiting
            }
            Phase::Running { .. } => PhaseName::Running,
            Phase::Leftovers { .. } | Phase::Leaving { .. } => PhaseName::Leftovers,
            Phase::Lingering { .. } => PhaseName::Lingering,
            Phase::Stopping { .. } => PhaseName::Stopping,
            Phase::Exited => PhaseName::Exit,
        }
    }

    /// The moment of the next [`Event::Tick`]; `None`: nothing is timed, idle without waking.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::New
            | Phase::Guarding { .. }
            | Phase::Starting { .. }
            | Phase::Leaving { .. }
            | Phase::Exited => None,
            Phase::Waiting { deadline, tell_at, .. } => {
                Some(deadline.map_or(*tell_at, |at| at.min(*tell_at)))
            }
            Phase::Running { held, kill_at, .. } => held.iter().map(|(due, _)| *due).chain(*kill_at).min(),
            Phase::Leftovers { until, .. } | Phase::Lingering { until, .. } => Some(*until),
            Phase::Stopping { step_end, .. } => Some(*step_end + WORKER_SLACK),
        }
    }

    /// Takes in an event that happened at `now` and says what to do about it, in this order.
    #[must_use]
    pub fn on(&mut self, now: Duration, event: Event) -> Vec<Action> {
        match event {
            Event::Begin => self.begin(now),
            Event::Open(sidecar) => self.opened(sidecar),
            Event::Started(pid) => self.started(now, pid),
            Event::NotStarted(outcome) => self.not_started(now, outcome),
            Event::Signal(signal) => self.signal(now, signal),
            Event::Reaped(pid, ended) => self.reaped(now, pid, ended),
            Event::Stopped(pid, signal) => self.stopped(pid, signal),
            Event::Childless => self.childless(now),
            Event::Left(last) => self.left(now, last),
            Event::MainsIn => self.mains_in(),
            Event::MainsOut => self.mains_out(now),
            Event::SidecarDone(sidecar, good) => self.sidecar_done(now, sidecar, good),
            Event::Tick => self.tick(now),
        }
    }

    fn begin(&mut self, now: Duration) -> Vec<Action> {
        if self.phase != Phase::New {
            return vec![];
        }
        let gated = self.rules.gate && !self.rules.steps.is_empty();
        match self.rules.job {
            Job::Stop => self.finish(now, Outcome::Done),
            Job::GiveUp => self.finish(now, Outcome::Internal),
            Job::Guard | Job::GuardSidecars => {
                self.phase = Phase::Guarding { held: None };
                vec![Action::WatchGroup]
            }
            Job::Wait | Job::Command if gated => {
                self.phase = Phase::Waiting {
                    closed: self.rules.steps.iter().flatten().copied().collect(),
                    kept: vec![],
                    deadline: self.rules.wait_timeout.map(|timeout| now + timeout),
                    tell_at: now + TELL_AFTER,
                    tell_step: TELL_AFTER,
                };
                vec![Action::OpenGate]
            }
            Job::Wait | Job::Command => self.gate_is_open(vec![]),
        }
    }

    fn opened(&mut self, sidecar: usize) -> Vec<Action> {
        let Phase::Waiting { closed, kept, .. } = &mut self.phase else { return vec![] };
        closed.retain(|index| *index != sidecar);
        if !closed.is_empty() {
            return vec![];
        }
        let kept = core::mem::take(kept);
        let mut actions = vec![Action::CloseGate];
        actions.extend(self.gate_is_open(kept));
        actions
    }

    fn gate_is_open(&mut self, kept: Vec<Signal>) -> Vec<Action> {
        match self.rules.job {
            Job::Command | Job::Guard => {
                self.phase = Phase::Starting { kept };
                vec![Action::Start]
            }
            Job::Wait | Job::Stop | Job::GiveUp | Job::GuardSidecars => self.exit(Outcome::Done),
        }
    }

    fn started(&mut self, now: Duration, pid: Pid) -> Vec<Action> {
        let Phase::Starting { kept } = &mut self.phase else { return vec![] };
        let kept = core::mem::take(kept);
        let guard = if self.rules.job == Job::Guard { Guard::Holding { held: None } } else { Guard::None };
        self.phase = Phase::Running { main: pid, held: vec![], kill_at: None, guard };
        kept.into_iter().flat_map(|signal| self.signal(now, signal)).collect()
    }

    fn not_started(&mut self, now: Duration, outcome: Outcome) -> Vec<Action> {
        let Phase::Starting { .. } = self.phase else { return vec![] };
        self.finish(now, outcome)
    }

    fn reaped(&mut self, now: Duration, pid: Pid, ended: Ended) -> Vec<Action> {
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
            | Phase::Exited => vec![],
        }
    }

    fn stopped(&self, pid: Pid, signal: Signal) -> Vec<Action> {
        let Phase::Running { main, .. } = self.phase else { return vec![] };
        // PID 1 cannot be stopped, and nobody could continue it.
        if main == pid && !self.rules.pid1 { vec![Action::StopSelf(signal)] } else { vec![] }
    }

    fn childless(&mut self, now: Duration) -> Vec<Action> {
        let Phase::Leftovers { outcome, .. } = self.phase else { return vec![] };
        self.leave_group(now, outcome, Presses::None)
    }

    fn left(&mut self, now: Duration, last: bool) -> Vec<Action> {
        let Phase::Leaving { outcome, presses } = self.phase else { return vec![] };
        if last { self.linger(now, outcome, presses) } else { self.exit(outcome) }
    }

    fn mains_in(&mut self) -> Vec<Action> {
        let Phase::Guarding { held } = self.phase else { return vec![] };
        if self.rules.job == Job::Guard { self.gate_is_open(held.into_iter().collect()) } else { vec![] }
    }

    /// What is guarded is to end.
    fn mains_out(&mut self, now: Duration) -> Vec<Action> {
        match &mut self.phase {
            Phase::Guarding { .. } => self.stop(now, Outcome::Done, Presses::None),
            Phase::Running { guard, kill_at, .. } => {
                let Guard::Holding { held } = *guard else { return vec![] };
                *guard = Guard::Asked;
                if let Some(grace) = self.rules.grace {
                    kill_at.get_or_insert(now + grace);
                }
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
            | Phase::Exited => vec![],
        }
    }

    fn signal(&mut self, now: Duration, signal: Signal) -> Vec<Action> {
        let is_stop = self.rules.stop_signals.contains(&signal);
        match &mut self.phase {
            Phase::New | Phase::Starting { .. } | Phase::Waiting { .. } => {
                self.signal_before_main(now, signal, is_stop)
            }
            Phase::Guarding { held } if is_stop => {
                self.hurried = true;
                // On the pod's deletion the sidecars are to outlive the mains; the second time it is meant.
                if held.replace(signal).is_none() {
                    return vec![Action::Tell(Note::HeldBack(signal)), Action::Hurry];
                }
                self.stop(now, Outcome::Done, Presses::Once)
            }
            Phase::Running { guard: guard @ Guard::Holding { held: None }, .. } if is_stop => {
                *guard = Guard::Holding { held: Some(signal) };
                self.hurried = true;
                vec![Action::Tell(Note::HeldBack(signal)), Action::Hurry]
            }
            Phase::Running { guard, .. } => {
                if is_stop && matches!(guard, Guard::Holding { .. }) {
                    *guard = Guard::Asked;
                }
                self.hurried |= is_stop;
                self.forward_or_hold(now, signal)
            }
            Phase::Leftovers { outcome, .. } if is_stop => {
                let outcome = *outcome;
                self.hurried = true;
                self.leave_group(now, outcome, Presses::Once)
            }
            Phase::Leaving { presses, .. } if is_stop => {
                *presses = Presses::Once;
                self.hurried = true;
                vec![]
            }
            Phase::Lingering { outcome, .. } if is_stop => {
                let outcome = *outcome;
                self.hurried = true;
                self.stop(now, outcome, Presses::Once)
            }
            Phase::Stopping { outcome, presses, .. } if is_stop => match presses {
                Presses::None => {
                    *presses = Presses::Once;
                    let already = core::mem::replace(&mut self.hurried, true);
                    if already { vec![] } else { vec![Action::Hurry] }
                }
                Presses::Once => {
                    let outcome = if self.rules.job == Job::Stop { Outcome::NotStopped } else { *outcome };
                    let mut actions = vec![Action::Tell(Note::CutOff)];
                    actions.extend(self.exit(outcome));
                    actions
                }
            },
            Phase::Guarding { .. }
            | Phase::Leftovers { .. }
            | Phase::Leaving { .. }
            | Phase::Lingering { .. }
            | Phase::Stopping { .. } => vec![Action::Tell(Note::Dropped(signal))],
            Phase::Exited => vec![],
        }
    }

    fn signal_before_main(&mut self, now: Duration, signal: Signal, is_stop: bool) -> Vec<Action> {
        let kept = match &mut self.phase {
            Phase::Waiting { .. } if is_stop || matches!(signal, Signal::HUP | Signal::QUIT) => {
                self.hurried = true;
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
            | Phase::Exited => return vec![],
        };
        // Standard signals merge, as they do in the kernel, so they are few.
        let counts = if signal.is_real_time() { kept.len() < KEPT_AT_MOST } else { !kept.contains(&signal) };
        if counts {
            kept.push(signal);
        }
        self.hurried |= is_stop;
        vec![Action::Tell(Note::Kept(signal))]
    }

    fn forward_or_hold(&mut self, now: Duration, signal: Signal) -> Vec<Action> {
        let delay = self.rules.delays.iter().rev().find(|rule| rule.0 == signal).map(|rule| rule.1);
        match (&mut self.phase, delay) {
            (Phase::Running { held, .. }, Some(delay)) if !delay.is_zero() && held.len() < KEPT_AT_MOST => {
                held.push((now + delay, signal));
                vec![Action::Tell(Note::Delayed(signal, delay))]
            }
            _ => self.forward(now, signal),
        }
    }

    fn forward(&mut self, now: Duration, signal: Signal) -> Vec<Action> {
        let Phase::Running { main, kill_at, .. } = &mut self.phase else { return vec![] };
        let rule = self.rules.rewrites.iter().rev().find(|rule| rule.0 == signal);
        let Some(sent) = rule.map_or(Some(signal), |rule| rule.1) else {
            return vec![Action::Tell(Note::Dropped(signal))];
        };
        if let Some(grace) = self.rules.grace
            && self.rules.stop_signals.contains(&signal)
        {
            kill_at.get_or_insert(now + grace);
        }
        match sent {
            Signal::CONT if !self.rules.pid1 => vec![Action::HandTerminal(*main), Action::Send(*main, sent)],
            _ => vec![Action::Send(*main, sent)],
        }
    }

    fn main_ended(&mut self, now: Duration, ended: Ended, guard: Guard) -> Vec<Action> {
        let outcome = match guard {
            Guard::Asked => Outcome::Done,
            Guard::None | Guard::Holding { .. } => self.rules.map_exit.apply(ended),
        };
        let mut actions = vec![Action::TakeTerminal];
        actions.extend(match self.rules.leftovers {
            time if !time.is_zero() && !self.hurried => {
                self.phase = Phase::Leftovers { outcome, until: now + time };
                vec![Action::TermLeftovers]
            }
            _ => self.leave_group(now, outcome, Presses::None),
        });
        actions
    }

    /// Who is not the last one out leaves the sidecars to the others.
    fn leave_group(&mut self, now: Duration, outcome: Outcome, presses: Presses) -> Vec<Action> {
        let is_member = matches!(self.rules.job, Job::Command | Job::GiveUp);
        if !(self.rules.grouped && is_member) {
            return self.linger(now, outcome, presses);
        }
        self.phase = Phase::Leaving { outcome, presses };
        vec![Action::LeaveGroup(outcome)]
    }

    fn linger(&mut self, now: Duration, outcome: Outcome, presses: Presses) -> Vec<Action> {
        // What never ran has nothing to flush.
        let wanted = !self.rules.linger.is_zero() && !self.hurried && outcome.main().is_some();
        if wanted && self.will_stop(outcome) {
            self.phase = Phase::Lingering { outcome, until: now + self.rules.linger };
            return vec![];
        }
        self.stop(now, outcome, presses)
    }

    fn will_stop(&self, outcome: Outcome) -> bool {
        !self.rules.steps.is_empty()
            && match self.rules.job {
                Job::Command | Job::GiveUp => self.rules.stop_on.covers(outcome),
                Job::Stop | Job::GuardSidecars => true,
                Job::Wait | Job::Guard => false,
            }
    }

    /// The way out of everything that is not main's own end.
    fn finish(&mut self, now: Duration, outcome: Outcome) -> Vec<Action> {
        // The signal that ended the waiting was the first press.
        let presses = if self.hurried { Presses::Once } else { Presses::None };
        self.leave_group(now, outcome, presses)
    }

    fn stop(&mut self, now: Duration, outcome: Outcome, presses: Presses) -> Vec<Action> {
        if !self.will_stop(outcome) {
            return self.exit(outcome);
        }
        let end = now + self.rules.stop_timeout;
        let steps = self.rules.steps.clone();
        self.phase = Phase::Stopping { outcome, presses, pending: vec![], steps, step_end: now, end };
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
        vec![Action::Ask { sidecars: pending.clone(), deadline: *step_end, hurried: self.hurried }]
    }

    fn sidecar_done(&mut self, now: Duration, sidecar: usize, good: bool) -> Vec<Action> {
        let Phase::Stopping { outcome, pending, .. } = &mut self.phase else { return vec![] };
        if !good && self.rules.job == Job::Stop {
            *outcome = Outcome::NotStopped;
        }
        let before = pending.len();
        pending.retain(|index| *index != sidecar);
        if pending.len() < before && pending.is_empty() { self.next_step(now) } else { vec![] }
    }

    fn tick(&mut self, now: Duration) -> Vec<Action> {
        match &mut self.phase {
            Phase::Waiting { deadline: Some(at), .. } if now >= *at => {
                let Phase::Waiting { kept, .. } = &mut self.phase else { return vec![] };
                let kept = core::mem::take(kept);
                let mut actions = vec![Action::CloseGate, Action::TellTimeout];
                actions.extend(match self.rules.run_unready {
                    true => self.gate_is_open(kept),
                    false => self.finish(now, Outcome::WaitTimeout),
                });
                actions
            }
            Phase::Waiting { tell_at, tell_step, .. } if now >= *tell_at => {
                *tell_at = now + *tell_step;
                *tell_step *= 2;
                vec![Action::TellWaiting]
            }
            Phase::Running { main, held, kill_at, .. } => {
                let main = *main;
                let due: Vec<Signal> =
                    held.iter().filter(|(at, _)| *at <= now).map(|(_, signal)| *signal).collect();
                held.retain(|(at, _)| *at > now);
                let kill = kill_at.take_if(|at| *at <= now).is_some();
                let mut actions: Vec<_> =
                    due.into_iter().flat_map(|signal| self.forward(now, signal)).collect();
                if kill {
                    actions.extend([Action::Tell(Note::Killed), Action::Send(main, Signal::KILL)]);
                }
                actions
            }
            Phase::Leftovers { outcome, until } if now >= *until => {
                let outcome = *outcome;
                self.leave_group(now, outcome, Presses::None)
            }
            Phase::Lingering { outcome, until } if now >= *until => {
                let outcome = *outcome;
                self.stop(now, outcome, Presses::None)
            }
            Phase::Stopping { outcome, step_end, .. } if now >= *step_end + WORKER_SLACK => {
                // Of whom nothing was heard, nothing is known.
                if self.rules.job == Job::Stop {
                    *outcome = Outcome::NotStopped;
                }
                self.next_step(now)
            }
            Phase::New
            | Phase::Guarding { .. }
            | Phase::Waiting { .. }
            | Phase::Starting { .. }
            | Phase::Leftovers { .. }
            | Phase::Leaving { .. }
            | Phase::Lingering { .. }
            | Phase::Stopping { .. }
            | Phase::Exited => vec![],
        }
    }

    fn exit(&mut self, outcome: Outcome) -> Vec<Action> {
        self.phase = Phase::Exited;
        vec![Action::Exit(outcome)]
    }
}
