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
use alloc::string::{String, ToString};
use alloc::{format, vec::Vec};
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

/// A file of a group that cannot be used: the fact, in lower case, to be put behind the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupError {
    /// Not a record of ours.
    NotARecord,
    /// A record without this field.
    Missing(&'static str),
    /// A record whose field of this name cannot be read.
    Unreadable(&'static str),
    /// Not a lock file of ours.
    NotALockFile,
    /// A lock file without a size.
    NoSize,
    /// Written in another version of the format: this one.
    Version(String),
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARecord => f.write_str("not a record of lastout"),
            Self::Missing(field) => write!(f, "a record without {field}"),
            Self::Unreadable(field) => write!(f, "a record with a bad {field}"),
            Self::NotALockFile => f.write_str("not a lock file of lastout"),
            Self::NoSize => f.write_str("a lock file without a size"),
            Self::Version(found) => write!(
                f,
                "written by a lastout with format {found}, this one knows {VERSION}: use one version in a pod"
            ),
        }
    }
}

impl core::error::Error for GroupError {}

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
    /// When it is none of this version.
    pub fn parse(text: &str) -> Result<Self, GroupError> {
        let line = text.lines().next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some("lastout-member") {
            return Err(GroupError::NotARecord);
        }
        let field = |name: &'static str| {
            let value =
                line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            value.ok_or(GroupError::Missing(name))
        };
        check_version(field("v")?)?;
        let bad = GroupError::Unreadable;
        Ok(Self {
            size: field("size")?.parse().map_err(|_| bad("size"))?,
            policy: parse_stop_on(field("policy")?).ok_or(bad("policy"))?,
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

/// The lock file's line: who takes its lock may write records.
#[must_use]
pub fn lock_line(size: u32) -> String {
    format!("lastout-group v={VERSION} size={size}\n")
}

/// Reads the lock file's line and returns the size of the group.
///
/// # Errors
/// When it is none of this version.
pub fn parse_lock_line(text: &str) -> Result<u32, GroupError> {
    let mut words = text.split_ascii_whitespace();
    let (Some("lastout-group"), Some(version), Some(size)) = (words.next(), words.next(), words.next())
    else {
        return Err(GroupError::NotALockFile);
    };
    check_version(version.strip_prefix("v=").unwrap_or_default())?;
    let size = size.strip_prefix("size=").and_then(|size| size.parse().ok());
    size.ok_or(GroupError::NoSize)
}

fn check_version(version: &str) -> Result<(), GroupError> {
    match version.parse() {
        Ok(VERSION) => Ok(()),
        _ => Err(GroupError::Version(version.to_string())),
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
        assert_eq!(parse_lock_line(&lock_line(20)), Ok(20));
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
        for (text, error) in [
            ("", GroupError::NotARecord),
            ("x", GroupError::NotARecord),
            ("lastout-group v=1 size=2", GroupError::NotARecord),
            ("lastout-member v=2 size=1", GroupError::Version("2".to_string())),
            ("lastout-member v=1", GroupError::Missing("size")),
            ("lastout-member v=1 size=x", GroupError::Unreadable("size")),
            ("lastout-member v=1 size=1 policy=x", GroupError::Unreadable("policy")),
            ("lastout-member v=1 size=1 policy=never state=left code=256", GroupError::Unreadable("code")),
            ("lastout-member v=1 size=1 policy=never state=x", GroupError::Unreadable("state")),
            ("lastout-member v=1 size=1 policy=never state=running", GroupError::Missing("stopped")),
        ] {
            assert_eq!(Record::parse(text), Err(error), "{text}");
        }
        assert_eq!(parse_lock_line("x"), Err(GroupError::NotALockFile));
        assert_eq!(parse_lock_line("lastout-group v=1 2"), Err(GroupError::NoSize));
        let newer = parse_lock_line("lastout-group v=9 size=2").unwrap_err();
        assert_eq!(newer, GroupError::Version("9".to_string()));
        assert!(newer.to_string().contains("format 9"));
    }
}
