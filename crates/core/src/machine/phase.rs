//! Where a run is, and exactly what is known there.

use super::{PhaseName, Pid, SidecarId};
use crate::outcome::Outcome;
use crate::signal::Signal;
use alloc::vec::Vec;
use core::time::Duration;

/// How often a stop signal has come since main's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopSignals {
    None,
    One,
}

/// What a running guard knows of the end of its sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// It is no guard: main is main.
    None,
    /// The mains are in. `held`: a stop signal that waits for them.
    Holding { held: Option<Signal> },
    /// The end was asked for, so it is a good one whatever its code.
    Asked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    New,
    /// A guard before its sidecar, or without one: the mains are in. `held`: a stop signal waits for them.
    Guarding {
        held: Option<Signal>,
    },
    Waiting {
        closed: Vec<SidecarId>,
        kept: Vec<Signal>,
        deadline: Option<Duration>,
        /// The last probe has begun: the deadline is that of its answer.
        last_probe: bool,
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
        heard: StopSignals,
    },
    Lingering {
        outcome: Outcome,
        until: Duration,
    },
    Stopping {
        outcome: Outcome,
        heard: StopSignals,
        pending: Vec<SidecarId>,
        /// Of the current and all later steps: no request to it is out yet.
        unasked: Vec<SidecarId>,
        steps: Vec<Vec<SidecarId>>,
        step_end: Duration,
        end: Duration,
    },
    /// A second one cut the stop off: only those that have not been asked are asked, once.
    CuttingOff {
        outcome: Outcome,
        unasked: Vec<SidecarId>,
        until: Duration,
    },
    Exited,
}

/// Stop signals within this time of the first merge into one: kata, containerd and coreutils' `timeout` send TERM to
/// the child and, within a millisecond, to its group.
pub(super) const MERGE_WITHIN: Duration = Duration::from_millis(150);
/// How long a second stop signal waits for requests that are not out yet.
pub(super) const LAST_REQUESTS: Duration = Duration::from_millis(300);
/// How long the last probe, at the end of `--wait-timeout`, may take.
pub(super) const LAST_PROBE: Duration = Duration::from_millis(100);

/// How long a worker that does not report is waited for beyond its step's end.
pub(super) const WORKER_SLACK: Duration = Duration::from_millis(500);

impl Phase {
    pub(super) fn name(&self) -> PhaseName {
        match self {
            Phase::New | Phase::Guarding { .. } | Phase::Waiting { .. } | Phase::Starting { .. } => {
                PhaseName::Waiting
            }
            Phase::Running { .. } => PhaseName::Running,
            Phase::Leftovers { .. } => PhaseName::Leftovers,
            Phase::Leaving { .. } => PhaseName::Leaving,
            Phase::Lingering { .. } => PhaseName::Lingering,
            Phase::Stopping { .. } | Phase::CuttingOff { .. } => PhaseName::Stopping,
            Phase::Exited => PhaseName::Exit,
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self {
            Phase::New
            | Phase::Guarding { .. }
            | Phase::Starting { .. }
            | Phase::Leaving { .. }
            | Phase::Exited => None,
            Phase::Waiting { deadline, tell_at, .. } => {
                Some(deadline.map_or(*tell_at, |at| at.min(*tell_at)))
            }
            Phase::Running { held, kill_at, .. } => held.iter().map(|(due, _)| *due).chain(*kill_at).min(),
            Phase::Leftovers { until, .. }
            | Phase::Lingering { until, .. }
            | Phase::CuttingOff { until, .. } => Some(*until),
            Phase::Stopping { step_end, .. } => Some(*step_end + WORKER_SLACK),
        }
    }
}
