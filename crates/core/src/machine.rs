//! The whole run as a pure state machine: events in, actions out. No clock, no descriptor, no environment;
//! `now` comes with each event, as a duration since the wrapper's start.
//!
//! ```text
//! waiting → running → leftovers → leaving → lingering → stopping → exit
//! begin     signals   end
//! ```
//! `phase`: where a run is and what is known there; `rules`: what the settings mean for it.

mod begin;
mod end;
mod phase;
mod rules;
mod signals;

use crate::outcome::{Ended, Outcome};
use crate::settings::Settings;
use crate::signal::Signal;
use alloc::{vec, vec::Vec};
use core::time::Duration;
use phase::{LAST_PROBE, Phase, StopSignals, WORKER_SLACK};
use rules::Rules;
use signals::Reached;

/// A process of this name space.
pub type Pid = i32;

/// A sidecar: its place among those of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SidecarId(pub usize);

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
    Open(SidecarId),
    /// Main was started: the answer to [`Action::Start`].
    Started(Pid),
    /// Main could not be started, or the gate not opened, or the group not watched, for this reason.
    NotStarted(Outcome),
    /// A signal for us or for main; neither CHLD, nor a fault of our own, nor one that we sent ourselves.
    Signal(Signal),
    /// A signal that the terminal sent to our whole process group, main included.
    GroupSignal(Signal),
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
    /// This sidecar's quit request is out.
    Asked(SidecarId),
    /// The stop of this sidecar is over; `true`: nothing of it keeps the pod from ending.
    SidecarDone(SidecarId, bool),
    /// A deadline has come.
    Tick,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Probe all sidecars until each is ready.
    OpenGate,
    /// The wait is over: probe each sidecar that holds up the gate once more, at once.
    LastProbe,
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
    /// Look once whether the mains of the group are out; the answer is [`Event::MainsIn`] or [`Event::MainsOut`].
    LookAtGroup,
    /// Watch the mains of the group from now on: [`Event::MainsOut`] comes when they are out.
    WatchGroup,
    /// TERM every descendant that main left behind.
    TermLeftovers,
    /// Stop these sidecars until that moment; `terminating`: one try each.
    Ask {
        /// Which.
        sidecars: Vec<SidecarId>,
        /// The end of this step's budget.
        deadline: Duration,
        /// A stop signal has come.
        terminating: bool,
    },
    /// A stop signal has come: those who are being stopped get one try more, and a second at most; a main of the
    /// group that we guard will not be restarted.
    Terminating,
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
    /// A stop signal that merges with the one before it.
    Merged(Signal),
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
    Leaving,
    Lingering,
    Stopping,
    Exit,
}

/// The machine. Feed it [`Event::Begin`], then whatever happens, and [`Event::Tick`] at [`Machine::deadline`].
#[derive(Clone, Debug)]
pub struct Machine {
    rules: Rules,
    phase: Phase,
    /// A stop signal has come in any phase: the pod may be going.
    terminating: bool,
    /// When the newest stop signal came with which later ones merge.
    stop_signal_at: Option<Duration>,
}

impl Machine {
    /// A run under these settings; `pid1`: we are the init of a process namespace.
    #[must_use]
    pub fn new(job: Job, settings: &Settings, pid1: bool) -> Self {
        Self {
            rules: Rules::new(job, settings, pid1),
            phase: Phase::New,
            terminating: false,
            stop_signal_at: None,
        }
    }

    /// Where the run is.
    #[must_use]
    pub fn phase(&self) -> PhaseName {
        self.phase.name()
    }

    /// The moment of the next [`Event::Tick`]; `None`: nothing is timed, idle without waking.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.phase.deadline()
    }

    /// Takes in an event that happened at `now` and says what to do about it, in this order.
    #[must_use]
    pub fn on(&mut self, now: Duration, event: Event) -> Vec<Action> {
        match event {
            Event::Begin => self.begin(now),
            Event::Open(sidecar) => self.opened(sidecar),
            Event::Started(pid) => self.started(now, pid),
            Event::NotStarted(outcome) => self.not_started(now, outcome),
            Event::Signal(signal) => self.signal(now, signal, Reached::Us),
            Event::GroupSignal(signal) => self.signal(now, signal, Reached::MainToo),
            Event::Reaped(pid, ended) => self.reaped(now, pid, ended),
            Event::Stopped(pid, signal) => self.stopped(pid, signal),
            Event::Childless => self.childless(now),
            Event::Left(last) => self.left(now, last),
            Event::MainsIn => self.mains_in(),
            Event::MainsOut => self.mains_out(now),
            Event::Asked(sidecar) => self.asked(sidecar),
            Event::SidecarDone(sidecar, good) => self.sidecar_done(now, sidecar, good),
            Event::Tick => self.tick(now),
        }
    }

    fn tick(&mut self, now: Duration) -> Vec<Action> {
        match &mut self.phase {
            Phase::Waiting { deadline: Some(at), last_probe, kept, .. } if now >= *at => {
                if !core::mem::replace(last_probe, true) {
                    *at = now + LAST_PROBE;
                    return vec![Action::LastProbe];
                }
                let kept = core::mem::take(kept);
                self.waited_long_enough(now, kept)
            }
            Phase::Waiting { tell_at, tell_step, .. } if now >= *tell_at => {
                *tell_at = now + *tell_step;
                *tell_step *= 2;
                vec![Action::TellWaiting]
            }
            Phase::Running { .. } => self.send_what_is_due(now),
            Phase::Leftovers { outcome, until } if now >= *until => {
                let outcome = *outcome;
                self.leave_group(now, outcome, StopSignals::None)
            }
            Phase::Lingering { outcome, until } if now >= *until => {
                let outcome = *outcome;
                self.stop(now, outcome, StopSignals::None)
            }
            Phase::Stopping { step_end, .. } if now >= *step_end + WORKER_SLACK => self.step_is_late(now),
            Phase::CuttingOff { outcome, until, .. } if now >= *until => {
                let outcome = *outcome;
                self.exit(outcome)
            }
            Phase::New
            | Phase::Guarding { .. }
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
}
