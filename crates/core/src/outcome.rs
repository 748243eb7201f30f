//! How a run ended, and the exit code that says so. The only place that knows 128+n.

use crate::signal::Signal;
use alloc::vec::Vec;
use core::fmt;

/// How a process ended, as `waitpid` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By `exit`, with this code.
    Exited(u8),
    /// By this signal.
    Killed(Signal),
}

/// How the whole run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Main ran and ended.
    Main(Ended),
    /// Main ran and ended, and `--map-exit` gave it this code.
    Mapped {
        /// What really happened.
        ended: Ended,
        /// The code that it is mapped to.
        code: u8,
    },
    /// The command, or its interpreter, is not there.
    NotFound,
    /// The command is there but cannot be executed.
    CannotExecute,
    /// Bad options or settings, or a failure of our own.
    Internal,
    /// A sidecar was not ready in time, and main was not to run without it.
    WaitTimeout,
    /// A signal ended us before main began.
    Signalled(Signal),
    /// A verb other than the main job did what it was asked to.
    Done,
    /// `lastout stop` could not stop every sidecar.
    NotStopped,
}

/// How to leave the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(u8),
    /// By this signal, so that the parent sees the truth.
    Die(Signal),
}

impl Outcome {
    /// The exit code: main's own; 128+n for a signal; 127 not found; 126 cannot be executed; 125 ours; 124
    /// wait timeout (the codes of `env`, `timeout` and the shells).
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Main(Ended::Exited(code)) | Self::Mapped { code, .. } => code,
            Self::Main(Ended::Killed(signal)) | Self::Signalled(signal) => 128 + signal.number(),
            Self::NotFound => 127,
            Self::CannotExecute => 126,
            Self::Internal => 125,
            Self::WaitTimeout => 124,
            Self::NotStopped => 1,
            Self::Done => 0,
        }
    }

    /// How to leave: PID 1 always by a code (it cannot die of a signal); an ordinary process dies of the
    /// signal that ended main.
    #[must_use]
    pub fn exit(self, pid1: bool) -> Exit {
        match self {
            Self::Main(Ended::Killed(signal)) if !pid1 => Exit::Die(signal),
            Self::Main(_)
            | Self::Mapped { .. }
            | Self::NotFound
            | Self::CannotExecute
            | Self::Internal
            | Self::WaitTimeout
            | Self::Signalled(_)
            | Self::Done
            | Self::NotStopped => Exit::Code(self.code()),
        }
    }

    /// How main ended, if it ran.
    #[must_use]
    pub fn main(self) -> Option<Ended> {
        match self {
            Self::Main(ended) | Self::Mapped { ended, .. } => Some(ended),
            Self::NotFound
            | Self::CannotExecute
            | Self::Internal
            | Self::WaitTimeout
            | Self::Signalled(_)
            | Self::Done
            | Self::NotStopped => None,
        }
    }
}

/// `--map-exit`: codes of main's own outcome that are turned into others. The last rule for a code wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitMap(pub Vec<(u8, u8)>);

impl ExitMap {
    /// What main's end means. A death by signal is looked up as 128+n; without a rule it stays a death.
    #[must_use]
    pub fn apply(&self, ended: Ended) -> Outcome {
        let from = Outcome::Main(ended).code();
        match self.0.iter().rev().find(|rule| rule.0 == from) {
            Some(&(_, code)) => Outcome::Mapped { ended, code },
            None => Outcome::Main(ended),
        }
    }
}

/// `--stop-on`: after which ends the sidecars are stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StopOn {
    /// After every end (`restartPolicy: Never`).
    #[default]
    Always,
    /// Only when the exit code is 0 (`OnFailure`: a failed main is restarted and needs its proxy).
    Success,
    /// After none.
    Never,
    /// After these exit codes, as inclusive ranges.
    Codes(Vec<(u8, u8)>),
}

impl StopOn {
    /// True when the sidecars are stopped after this outcome. It judges the exit code that the kubelet will
    /// see, so the mapped one, and 124–127 too.
    #[must_use]
    pub fn covers(&self, outcome: Outcome) -> bool {
        self.covers_code(outcome.code())
    }

    /// True when the sidecars are stopped after this exit code.
    #[must_use]
    pub fn covers_code(&self, code: u8) -> bool {
        match self {
            Self::Always => true,
            Self::Success => code == 0,
            Self::Never => false,
            Self::Codes(ranges) => ranges.iter().any(|&(low, high)| (low..=high).contains(&code)),
        }
    }
}

/// As in a setting: `always`, `0,3,64-78`.
impl fmt::Display for StopOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Success => f.write_str("success"),
            Self::Never => f.write_str("never"),
            Self::Codes(ranges) => {
                for (index, (low, high)) in ranges.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{low}-{high}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const TERM_DEATH: Ended = Ended::Killed(Signal::TERM);

    #[test]
    fn codes_are_those_of_the_contract() {
        let codes = [
            (Outcome::Main(Ended::Exited(0)), 0),
            (Outcome::Main(Ended::Exited(255)), 255),
            (Outcome::Main(TERM_DEATH), 143),
            (Outcome::Main(Ended::Killed(Signal::new(64).unwrap())), 192),
            (Outcome::Mapped { ended: TERM_DEATH, code: 0 }, 0),
            (Outcome::NotFound, 127),
            (Outcome::CannotExecute, 126),
            (Outcome::Internal, 125),
            (Outcome::WaitTimeout, 124),
            (Outcome::Signalled(Signal::INT), 130),
            (Outcome::Done, 0),
            (Outcome::NotStopped, 1),
        ];
        for (outcome, code) in codes {
            assert_eq!(outcome.code(), code, "{outcome:?}");
        }
    }

    #[test]
    fn only_an_ordinary_process_whose_main_was_killed_dies_of_the_signal() {
        assert_eq!(Outcome::Main(TERM_DEATH).exit(false), Exit::Die(Signal::TERM));
        assert_eq!(Outcome::Main(TERM_DEATH).exit(true), Exit::Code(143));
        assert_eq!(Outcome::Mapped { ended: TERM_DEATH, code: 0 }.exit(false), Exit::Code(0));
        assert_eq!(Outcome::Signalled(Signal::TERM).exit(false), Exit::Code(143));
    }

    #[test]
    fn the_last_rule_for_a_code_wins_and_an_unmapped_death_stays_a_death() {
        let map = ExitMap(vec![(143, 1), (143, 0)]);
        assert_eq!(map.apply(TERM_DEATH).code(), 0);
        assert_eq!(map.apply(Ended::Killed(Signal::INT)), Outcome::Main(Ended::Killed(Signal::INT)));
        assert_eq!(map.apply(Ended::Exited(143)).code(), 0);
    }

    #[test]
    fn the_policy_judges_the_code_that_the_kubelet_sees() {
        let mapped = Outcome::Mapped { ended: TERM_DEATH, code: 0 };
        assert!(StopOn::Success.covers(mapped));
        assert!(!StopOn::Success.covers(Outcome::Signalled(Signal::TERM)));
        assert!(!StopOn::Never.covers(mapped));
        let codes = StopOn::Codes(vec![(0, 0), (3, 3), (64, 78)]);
        for (code, covered) in
            [(0, true), (1, false), (3, true), (63, false), (64, true), (78, true), (79, false)]
        {
            assert_eq!(codes.covers(Outcome::Main(Ended::Exited(code))), covered, "{code}");
        }
    }
}
