//! What is wrong with a value of an option, and where in it.

use super::Opt;
use crate::duration::{DurationError, DurationErrorKind};
use crate::signal::Signal;
use crate::spec::SpecError;
use crate::text::{Path, Quoted, kept, nearest, place_in, write_reason};
use alloc::{borrow::ToOwned, boxed::Box, format, string::String};
use core::{fmt, ops::Range};

/// A value that cannot be used. Its `Display` is one line for the user that names the option, its value and the way
/// out. What may be a secret is in no field of it, as in a [`SpecError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// What is wrong.
    pub kind: SettingsErrorKind,
    /// Of which option.
    pub option: Opt,
    /// How the user wrote it; empty where there is nothing to name.
    pub origin: String,
    /// Which of the values that [`resolve`](super::resolve) was given, from 0. `None`: none of them, but a variable of
    /// `--compat`, or what is missing.
    pub given: Option<usize>,
    /// What is wrong, as the line shows it; empty where the line does not show it.
    pub value: String,
    /// The bytes of the value that are wrong. Of a variable of `--compat`: of its text without the blanks around it, or
    /// of the spec that is made of it.
    pub at: Range<usize>,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsErrorKind {
    /// A spec that cannot be used.
    Spec(Box<SpecError>),
    /// The word behind a sidecar with a header, and no sidecar: it may be the rest of the header's value.
    BehindHeader,
    /// Bytes that are no text.
    NotUtf8,
    /// No path at all.
    NoPath,
    /// A NUL in a path.
    Nul,
    /// A relative path, and the working directory is gone.
    NoWorkingDirectory,
    /// No duration.
    Duration(DurationErrorKind),
    /// A budget of 0.
    NoTime,
    /// None of these words.
    Word(&'static [&'static str]),
    /// Neither true nor false.
    NoSwitch,
    /// Neither a policy nor exit codes.
    StopOn,
    /// Exit codes that are none, or the higher one first.
    ExitCodes,
    /// No pair of exit codes.
    MapExit,
    /// A signal instead of the exit code that it means.
    MapSignal {
        /// Its exit code.
        from: u8,
        /// What that is mapped to.
        to: u8,
    },
    /// No signal.
    Signal,
    /// A signal that no process sees.
    Uncatchable(Signal),
    /// The signal that tells of ended children.
    ChildSignal,
    /// No pair of signals.
    Rewrite,
    /// No pair of a signal and a duration.
    Delay,
    /// No size of a group.
    GroupSize,
    /// No name of a member, for this reason.
    GroupName(&'static str),
    /// A member of a group without a name.
    MemberWithoutName,
    /// It is about a group, and there is none.
    NoGroup,
    /// A guard without a group.
    GuardWithoutGroup,
}

impl SettingsError {
    /// `whole`: the value.
    pub(super) fn new(
        option: Opt,
        origin: &str,
        whole: &[u8],
        given: Option<usize>,
        wrong: Wrong<'_>,
    ) -> Self {
        let at = place_in(whole, wrong.at).unwrap_or_default();
        let (kind, value, origin) = (wrong.kind, wrong.value, origin.to_owned());
        Self { kind, option, origin, given, value, at }
    }

    /// Of no value that could be pointed at.
    pub(super) fn of(option: Opt, kind: SettingsErrorKind, value: &[u8]) -> Self {
        Self {
            kind,
            option,
            origin: String::new(),
            given: None,
            value: String::from_utf8_lossy(value).into_owned(),
            at: 0..0,
        }
    }

    /// What to write instead of the bytes at `at`, where that is plain.
    #[must_use]
    pub fn mend(&self) -> Option<String> {
        if let SettingsErrorKind::Spec(error) = &self.kind {
            error.mend()
        } else if let SettingsErrorKind::MapSignal { from, to } = self.kind {
            Some(format!("{from}={to}"))
        } else if matches!(self.kind, SettingsErrorKind::Duration(DurationErrorKind::NoUnit)) {
            Some(format!("{}s", self.value))
        } else {
            self.meant().map(str::to_owned)
        }
    }

    /// The word that the value was most likely meant to be.
    fn meant(&self) -> Option<&'static str> {
        let words: &[&str] = if let SettingsErrorKind::Word(words) = self.kind {
            words
        } else if matches!(self.kind, SettingsErrorKind::StopOn) {
            &["always", "success", "never"]
        } else if matches!(self.kind, SettingsErrorKind::Signal) {
            &["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "KILL", "WINCH"]
        } else {
            &[]
        };
        nearest(&self.value, words.iter().copied())
    }

    fn write_unknown(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is unknown: ", Quoted::text(&self.value))?;
        self.meant().map_or(Ok(()), |near| write!(f, "did you mean `{near}`? "))
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use SettingsErrorKind as Kind;
        if !self.origin.is_empty() {
            write!(f, "{}: ", self.origin)?;
        }
        let value = self.value.as_str();
        let quoted = Quoted::text(value);
        // One that begins with a blank stands behind the value.
        let reason = match &self.kind {
            Kind::Spec(error) => return error.fmt(f),
            Kind::BehindHeader => {
                "what follows the header of the sidecar before is none (not shown): a blank in a value is written %20"
            }
            Kind::NotUtf8 => " is not UTF-8: write plain text",
            Kind::NoPath => "it is empty: write a path",
            Kind::Nul => " holds a NUL, which no path does",
            Kind::NoWorkingDirectory => {
                let path = Path(value.as_bytes());
                return write!(f, "{path}: the working directory is gone: write a whole path");
            }
            Kind::Duration(kind) => return DurationError { kind: *kind, text: value }.fmt(f),
            Kind::NoTime => "`0` leaves no time to stop anything: write 10s, or --stop-on never",
            Kind::Word(words) => {
                self.write_unknown(f)?;
                return write!(f, "write {}", words.join(", "));
            }
            Kind::StopOn => {
                self.write_unknown(f)?;
                "write always, success, never or exit codes such as 0,3,64-78"
            }
            Kind::ExitCodes => {
                " is unknown: codes are 0 to 255, the lower one first; write always, success, never or exit codes such as 0,3,64-78"
            }
            Kind::NoSwitch => " is neither true nor false",
            Kind::MapExit => " maps no exit code: write FROM=TO with numbers from 0 to 255, such as 143=0",
            Kind::MapSignal { from, to } => {
                return write!(f, "{quoted} maps a signal: write its exit code, {from}={to}");
            }
            Kind::Signal => {
                write!(f, "{quoted} is no signal: ")?;
                if let Some(near) = self.meant() {
                    write!(f, "did you mean {near}? ")?;
                }
                "write a name such as TERM or RTMIN+3, or a number from 1 to 64"
            }
            Kind::Uncatchable(signal) => {
                return write!(f, "{quoted} cannot be used: no process sees {signal}, the kernel acts on it");
            }
            Kind::ChildSignal => " cannot be used: CHLD tells of ended children and is never forwarded",
            Kind::Rewrite => " rewrites nothing: write FROM=TO, such as TERM=QUIT or HUP=drop",
            Kind::Delay => " delays nothing: write SIGNAL=DURATION, such as TERM=5s",
            Kind::GroupSize => " is no group size: write a number from 1 to 999",
            Kind::GroupName(why) => {
                return write!(f, "{quoted} {why}: write a name such as the container's");
            }
            Kind::MemberWithoutName => "a member needs a name of its own: add --group-name NAME",
            Kind::NoGroup => "there is no group: add --group DIR, a shared folder",
            Kind::GuardWithoutGroup => {
                "guard has no group to wait for: add --group DIR, the folder that it shares with the mains"
            }
        };
        write_reason(f, value, reason)
    }
}

impl core::error::Error for SettingsError {}

/// What a reader of this stage returns.
pub(super) type Read<'a, T> = Result<T, Box<Wrong<'a>>>;

/// An error that does not know yet of which option the value is.
pub(super) struct Wrong<'a> {
    kind: SettingsErrorKind,
    value: String,
    at: &'a [u8],
}

impl<'a> Wrong<'a> {
    /// This piece of the value is wrong; `value`: what of it is shown.
    pub(super) fn shown(kind: SettingsErrorKind, at: &'a [u8], value: &[u8]) -> Box<Self> {
        Box::new(Self { kind, value: kept(value), at })
    }

    /// This piece of the value is wrong.
    pub(super) fn new(kind: SettingsErrorKind, at: &'a [u8]) -> Box<Self> {
        Self::shown(kind, at, at)
    }

    /// The same, of text.
    pub(super) fn text(kind: SettingsErrorKind, at: &'a str) -> Box<Self> {
        Self::new(kind, at.as_bytes())
    }

    /// A piece that is not shown.
    pub(super) fn hidden(kind: SettingsErrorKind, at: &'a [u8]) -> Box<Self> {
        Self::shown(kind, at, b"")
    }
}
