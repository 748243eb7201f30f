//! One sidecar at the gate: what a probe means, and when to probe again.

use crate::spec::Spec;
use core::time::Duration;

/// What one probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The answer that counts as ready.
    Ready,
    /// Something is there, but this was not it (another status, a broken answer, silence).
    NotYet,
    /// Nothing accepts connections (or the file is not there).
    Nobody,
}

/// What to do after a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ready: done.
    Ready,
    /// Optional, and nothing has accepted a connection for long enough: done, main may start without it.
    Absent,
    /// Probe again after this pause.
    Again(Duration),
}

/// The state of one sidecar at the gate. Times are durations since the wrapper's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    absent_at: Option<Duration>,
    /// What is looked at is the sidecar itself.
    sees_it: bool,
    seen: bool,
    tries: u32,
}

/// Until then probes are dense: a sidecar that is about to be ready is what main waits for.
const DENSE: Duration = Duration::from_secs(10);
/// Widest distance of dense probes while nobody answers. A refused connection costs nobody anything.
const DENSE_NOBODY: u64 = 10;
/// Widest distance of dense probes while somebody does: half of it is what main waits too long on average.
const DENSE_NOT_YET: u64 = 12;
/// Widest distance later on: pilot-agent logs each failed probe.
const WIDE: u64 = 500;

impl Gate {
    /// A sidecar that has not been probed yet. `absent_after` counts from the wrapper's start.
    #[must_use]
    pub fn new(spec: &Spec, absent_after: Duration) -> Self {
        let absent_at = spec.optional.then(|| spec.absent_after.unwrap_or(absent_after));
        // A file may be of an init container or of an earlier life: a sidecar that has a port was not seen by it, or its
        // refusal at the end would be taken for "already gone" while it has not started yet.
        let sees_it = spec.quit.address().is_none() || spec.ready.address().is_some();
        Self { absent_at, sees_it, seen: false, tries: 0 }
    }

    /// True once something has accepted a connection.
    #[must_use]
    pub fn seen(&self) -> bool {
        self.seen
    }

    /// What to make of a last probe that did not find it ready: the wait is over.
    #[must_use]
    pub fn ended(&self) -> Option<Next> {
        (self.absent_at.is_some() && !self.seen).then_some(Next::Absent)
    }

    /// Takes in the result of a probe that ended at `now`.
    pub fn probed(&mut self, now: Duration, probe: Probe) -> Next {
        let widest = match probe {
            Probe::Ready => {
                self.seen |= self.sees_it;
                return Next::Ready;
            }
            Probe::NotYet => {
                self.seen |= self.sees_it;
                DENSE_NOT_YET
            }
            Probe::Nobody => DENSE_NOBODY,
        };
        let absent_at = self.absent_at.filter(|_| !self.seen);
        if absent_at.is_some_and(|at| now >= at) {
            return Next::Absent;
        }
        let widest = if now < DENSE { widest } else { WIDE };
        let pause = Duration::from_millis((1 << self.tries.min(9)).min(widest));
        self.tries += 1;
        // Not past the moment in which absence is decided.
        Next::Again(absent_at.map_or(pause, |at| pause.min(at.saturating_sub(now))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Spec {
        Spec::parse(text, &|_| None).unwrap()
    }

    const ABSENT: Duration = Duration::from_secs(3);

    #[test]
    fn an_optional_sidecar_that_nobody_is_is_absent_in_time_and_not_before() {
        let mut gate = Gate::new(&spec("envoy?"), ABSENT);
        let mut now = Duration::ZERO;
        loop {
            match gate.probed(now, Probe::Nobody) {
                Next::Again(pause) => now += pause,
                Next::Absent => break,
                Next::Ready => panic!("nobody is not ready"),
            }
        }
        assert_eq!(now, ABSENT);
    }

    #[test]
    fn one_that_ever_accepted_is_waited_for() {
        let mut gate = Gate::new(&spec("envoy?"), ABSENT);
        assert!(matches!(gate.probed(Duration::ZERO, Probe::NotYet), Next::Again(_)));
        assert!(matches!(gate.probed(Duration::from_secs(60), Probe::Nobody), Next::Again(_)));
        assert!(gate.seen());
    }

    #[test]
    fn a_required_one_is_never_absent_and_probes_stay_within_their_bounds() {
        let mut gate = Gate::new(&spec("envoy"), ABSENT);
        let mut now = Duration::ZERO;
        while now < Duration::from_secs(60) {
            let Next::Again(pause) = gate.probed(now, Probe::NotYet) else { panic!("not ready") };
            let bound = if now < DENSE { DENSE_NOT_YET } else { WIDE };
            assert!(pause >= Duration::from_millis(1) && pause <= Duration::from_millis(bound));
            now += pause;
        }
    }

    #[test]
    fn an_optional_one_that_nobody_answered_for_is_absent_at_the_latest_when_the_wait_ends() {
        let mut gate = Gate::new(&spec("envoy?"), ABSENT);
        assert!(matches!(gate.probed(Duration::from_secs(1), Probe::Nobody), Next::Again(_)));
        assert_eq!(gate.ended(), Some(Next::Absent));
        assert!(matches!(gate.probed(Duration::from_secs(1), Probe::NotYet), Next::Again(_)));
        assert_eq!(gate.ended(), None, "somebody is there");
        assert_eq!(Gate::new(&spec("envoy"), ABSENT).ended(), None, "not optional");
    }

    #[test]
    fn a_spec_may_have_an_absence_of_its_own() {
        let mut gate = Gate::new(&spec("envoy?:absent=1s"), ABSENT);
        assert_eq!(gate.probed(Duration::from_secs(1), Probe::Nobody), Next::Absent);
    }

    #[test]
    fn a_file_is_no_sight_of_a_sidecar_that_has_a_port() {
        for (text, seen) in [
            ("envoy:ready=file:/run/up", false),
            ("envoy:ready=none", false),
            ("envoy", true),
            ("app:ready=file:/run/up,quit=file:/run/done", true),
        ] {
            let mut gate = Gate::new(&spec(text), ABSENT);
            assert_eq!(gate.probed(Duration::ZERO, Probe::Ready), Next::Ready);
            assert_eq!(gate.seen(), seen, "{text}");
        }
    }
}
