//! What has happened so far: to each sidecar, and phase by phase.

use crate::sidecar::Found;
use lastout_core::machine::{PhaseName, Pid};
use lastout_core::spec::Spec;
use lastout_core::stop::Verdict;
use lastout_core::tell::Said;
use std::sync::Arc;
use std::time::Duration;

/// The command: its pid, and when it began and ended.
#[derive(Clone, Copy, Debug)]
pub struct MainRun {
    /// Its process.
    pub pid: Pid,
    /// When it was started.
    pub began: Duration,
    /// When it was reaped.
    pub ended: Option<Duration>,
}

/// One sidecar's status. Times are durations since our start.
#[derive(Clone, Debug)]
pub struct SidecarStatus {
    /// What it is.
    pub spec: Arc<Spec>,
    /// Where it was found.
    pub found: Arc<Found>,
    /// It has accepted a connection at some time.
    pub seen: bool,
    /// That is only presumed.
    pub presumed: bool,
    /// The gate took it as absent.
    pub absent: bool,
    /// What it said last.
    pub last: Said,
    /// The last main out has stopped it before us.
    pub stopped: bool,
    /// When it was ready.
    pub ready_at: Option<Duration>,
    /// When its stop began.
    pub stop_at: Option<Duration>,
    /// When it was asked to end.
    pub asked_at: Option<Duration>,
    /// When its stop was over.
    pub done_at: Option<Duration>,
    /// How its stop ended.
    pub verdict: Option<Verdict>,
    /// What the user was told about that.
    pub told: Option<String>,
}

impl SidecarStatus {
    /// Nothing has happened to it yet. `presumed`: it is taken as one that was there.
    pub fn new(spec: Spec, presumed: bool) -> Self {
        Self {
            spec: Arc::new(spec),
            found: Arc::default(),
            seen: presumed,
            presumed,
            absent: false,
            last: Said::default(),
            stopped: false,
            ready_at: None,
            stop_at: None,
            asked_at: None,
            done_at: None,
            verdict: None,
            told: None,
        }
    }
}

/// A phase as users read it.
pub fn phase_name(phase: PhaseName) -> &'static str {
    match phase {
        PhaseName::Waiting => "waiting",
        PhaseName::Running => "running",
        PhaseName::Leftovers => "leftovers",
        PhaseName::Leaving => "leaving",
        PhaseName::Lingering => "lingering",
        PhaseName::Stopping => "stopping",
        PhaseName::Exit => "exit",
    }
}
