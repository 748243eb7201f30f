//! The group of mains that share sidecars: what stands in a member's file, and who is out.
//!
//! ```text
//! lastout-member v=1 size=2 policy=success state=left    code=0   stopped=linkerd
//! ```
//! One line, readable with `cat`. Fields are padded, and the last one only grows, so that a later record covers
//! an earlier one of the same life. The member holds an exclusive `flock` on its file for as long as it lives.

use crate::outcome::{Ended, Outcome, StopOn};
use crate::settings::parse_stop_on;
use crate::signal::Signal;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// Version of the format; another one is refused.
pub const VERSION: u32 = 1;
/// The exit code of one that was killed, or whose pod ran out of memory.
pub const KILLED: u8 = Outcome::Main(Ended::Killed(Signal::KILL)).code();

/// Where a member's main is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Begun, or about to. A member that says so without holding its lock was killed.
    Running,
    /// Over, with this exit code.
    Left(u8),
}

/// What a member has on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `--group-size`.
    pub size: u32,
    /// `--stop-on`.
    pub policy: StopOn,
    /// Where its main is.
    pub state: State,
    /// The names of the sidecars that it has stopped, as the last one out: no guard needs to ask them.
    pub stopped: Vec<String>,
}

impl Record {
    /// True when this member is over for good, by its own policy: nobody will restart it. `alive`: it holds its
    /// lock.
    #[must_use]
    pub fn is_out(&self, alive: bool) -> bool {
        match self.state {
            State::Left(code) => self.policy.covers_code(code),
            State::Running => !alive && self.policy.covers_code(KILLED),
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// In words, when it is none of this version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let line = text.lines().next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some("lastout-member") {
            return Err("not a record of lastout".to_string());
        }
        let field = |name: &str| {
            let value =
                line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            value.ok_or_else(|| format!("a record without {name}"))
        };
        check_version(field("v")?)?;
        let bad = |what: &str| format!("a record with a bad {what}");
        Ok(Self {
            size: field("size")?.parse().map_err(|_| bad("size"))?,
            policy: parse_stop_on(field("policy")?).map_err(|_| bad("policy"))?,
            state: match field("state")? {
                "running" => State::Running,
                "left" => State::Left(field("code")?.parse().map_err(|_| bad("code"))?),
                _ => return Err(bad("state")),
            },
            stopped: match field("stopped")? {
                "-" => Vec::new(),
                names => names.split(',').map(ToString::to_string).collect(),
            },
        })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, code) = match self.state {
            State::Running => ("running", "-".to_string()),
            State::Left(code) => ("left", code.to_string()),
        };
        let stopped = if self.stopped.is_empty() { "-".to_string() } else { self.stopped.join(",") };
        writeln!(
            f,
            "lastout-member v={VERSION} size={} policy={} state={state:7} code={code:3} stopped={stopped}",
            self.size, self.policy
        )
    }
}

/// The gate file's line: who takes its lock may write records.
#[must_use]
pub fn gate_line(size: u32) -> String {
    format!("lastout-group v={VERSION} size={size}\n")
}

/// Reads the gate file's line and returns the size of the group.
///
/// # Errors
/// In words, when it is none of this version.
pub fn parse_gate(text: &str) -> Result<u32, String> {
    let mut words = text.split_ascii_whitespace();
    let (Some("lastout-group"), Some(version), Some(size)) = (words.next(), words.next(), words.next())
    else {
        return Err("not a gate file of lastout".to_string());
    };
    check_version(version.strip_prefix("v=").unwrap_or_default())?;
    let size = size.strip_prefix("size=").and_then(|size| size.parse().ok());
    size.ok_or_else(|| "a gate file without a size".to_string())
}

fn check_version(version: &str) -> Result<(), String> {
    match version.parse() {
        Ok(VERSION) => Ok(()),
        _ => Err(format!(
            "written by a lastout with format {version}, this one knows {VERSION}: use one version in a pod"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn record(policy: StopOn, state: State) -> Record {
        Record { size: 3, policy, state, stopped: vec![] }
    }

    #[test]
    fn records_read_back_and_cover_each_other() {
        let policies =
            [StopOn::Always, StopOn::Success, StopOn::Never, StopOn::Codes(vec![(0, 0), (64, 78)])];
        for policy in policies {
            let lengths = [State::Running, State::Left(0), State::Left(255)].map(|state| {
                let record = record(policy.clone(), state);
                assert_eq!(Record::parse(&record.to_string()), Ok(record.clone()));
                record.to_string().len()
            });
            assert!(lengths.iter().all(|length| *length == lengths[0]));
        }
        assert_eq!(parse_gate(&gate_line(20)), Ok(20));
        let mut last = record(StopOn::Always, State::Left(0));
        let before = last.to_string().len();
        for name in ["envoy", "x"] {
            last.stopped.push(name.to_string());
            assert_eq!(Record::parse(&last.to_string()), Ok(last.clone()));
        }
        assert!(last.to_string().len() > before);
    }

    #[test]
    fn who_is_out() {
        let out = |policy, state, alive| record(policy, state).is_out(alive);
        assert!(out(StopOn::Always, State::Left(1), true), "its verdict counts as soon as it is written");
        assert!(out(StopOn::Always, State::Running, false), "killed");
        assert!(!out(StopOn::Always, State::Running, true));
        assert!(!out(StopOn::Success, State::Running, false), "it will be restarted");
        assert!(!out(StopOn::Success, State::Left(1), false));
        assert!(out(StopOn::Success, State::Left(0), false));
        assert!(!out(StopOn::Never, State::Left(0), false));
        assert!(out(StopOn::Codes(vec![(137, 137)]), State::Running, false));
    }

    #[test]
    fn others_are_refused_in_words() {
        for text in ["", "x", "lastout-member v=2 size=1", "lastout-member v=1", "lastout-group v=1 size=2"] {
            assert!(Record::parse(text).is_err(), "{text}");
        }
        assert!(parse_gate("lastout-group v=9 size=2").unwrap_err().contains("format 9"));
    }
}
