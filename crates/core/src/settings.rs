//! Raw values of options and variables → [`Settings`]. Total: bad values become errors, and what can be
//! read is still there, so that the sidecars are stopped even when the command line is wrong.

mod compat;
mod error;
mod fold;
mod options;
mod resolve;
#[cfg(test)]
mod tests;
mod value;

pub use error::{SettingsError, SettingsErrorKind};
pub use options::{OPTIONS, OptionRow, PREFIX};

use crate::outcome::{ExitMap, StopOn};
use crate::signal::Signal;
use crate::spec::Spec;
use alloc::{boxed::Box, string::String, vec::Vec};
use core::time::Duration;

/// An option of the wrapper; its row in [`OPTIONS`] says how it is spelled, and its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is documented where it is resolved, in `Settings`")]
pub enum Opt {
    Sidecar,
    WaitTimeout,
    OnWaitTimeout,
    NoWait,
    AbsentAfter,
    EnvFile,
    StopOn,
    StopTimeout,
    Linger,
    StopSignal,
    Grace,
    Leftovers,
    SignalGroup,
    RewriteSignal,
    DelaySignal,
    MapExit,
    Group,
    GroupSize,
    GroupName,
    GroupWait,
    ParentDeathSignal,
    Report,
    Compat,
    LogLevel,
    LogFormat,
}

/// One value as the user gave it. Repeatable options come once per value, switches as `true` or `false`
/// text (a bare flag is `true`). The last value of an option that is not repeatable wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawValue {
    /// Which option.
    pub option: Opt,
    /// How the user wrote it (`--wait-timeout`, `LASTOUT_WAIT_TIMEOUT`): what an error names.
    pub origin: String,
    /// The bytes.
    pub value: Vec<u8>,
}

/// What the settings are for; decides a few defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `lastout COMMAND`.
    Run,
    /// `lastout wait`.
    Wait,
    /// `lastout stop`.
    Stop,
    /// `lastout guard`.
    Guard,
}

/// Everything that the user can say, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `--sidecar`, in the order given.
    pub sidecars: Vec<Spec>,
    /// `--wait-timeout`; `None` = for ever.
    pub wait_timeout: Option<Duration>,
    /// `--on-wait-timeout run`: start main although a sidecar is not ready.
    pub run_unready: bool,
    /// `--no-wait` turned round: true = gate.
    pub gate: bool,
    /// `--absent-after`.
    pub absent_after: Duration,
    /// `--env-file`, paths as bytes.
    pub env_files: Vec<Vec<u8>>,
    /// `--stop-on`.
    pub stop_on: StopOn,
    /// `--stop-timeout`.
    pub stop_timeout: Duration,
    /// `--linger`.
    pub linger: Duration,
    /// `--stop-signal`, in the order given.
    pub stop_signals: Vec<Signal>,
    /// `--grace`.
    pub grace: Option<Duration>,
    /// `--leftovers`.
    pub leftovers: Duration,
    /// `--signal-group`.
    pub signal_group: bool,
    /// `--rewrite-signal`; `None` drops the signal. The last rule for a signal wins.
    pub rewrites: Vec<(Signal, Option<Signal>)>,
    /// `--delay-signal`. The last rule for a signal wins.
    pub delays: Vec<(Signal, Duration)>,
    /// `--map-exit`.
    pub map_exit: ExitMap,
    /// `--group…`.
    pub group: Option<Group>,
    /// `--parent-death-signal`.
    pub parent_death_signal: Option<Signal>,
    /// `--report`.
    pub report: Option<Report>,
    /// `--log-level`.
    pub log_level: LogLevel,
    /// `--log-format json`.
    pub log_json: bool,
}

/// Membership in a group of mains that share sidecars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The shared folder, path as bytes.
    pub dir: Vec<u8>,
    /// How many mains there are, 1–999.
    pub size: u32,
    /// Our own name in it (required for a member, none for a guard).
    pub name: Option<String>,
    /// How long members that never registered are waited for; `None` = for ever.
    pub wait: Option<Duration>,
}

/// Where the report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// One line on stderr.
    Stderr,
    /// A file, path as bytes.
    File(Vec<u8>),
}

impl Report {
    /// As an error names it.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Stderr => String::from("-"),
            Self::File(path) => alloc::format!("{}", crate::text::Path(path)),
        }
    }
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the usual four")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// What could be read, and what could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Everything that can be used; the defaults stand where a value could not be read.
    pub settings: Settings,
    /// One line for each that was given twice and counts once.
    pub warnings: Vec<String>,
    /// One per value that could not be used. With any, main must not be started.
    pub errors: Vec<SettingsError>,
}

/// Raw values → settings. Total: a value that cannot be read becomes an error, and what it was for keeps its
/// default (an unreadable `--stop-on` counts as `always`), so that the sidecars can still be stopped. The
/// values of `--compat` count as given before all others. `env` looks a variable up.
#[must_use]
pub fn resolve(
    verb: Verb,
    values: impl IntoIterator<Item = RawValue>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Resolved {
    resolve::resolve(verb, values.into_iter().collect(), env)
}

/// Reads the value of `--stop-on`.
#[must_use]
pub fn parse_stop_on(text: &str) -> Option<StopOn> {
    value::stop_on(text).ok()
}

impl Settings {
    /// What holds when the user says nothing: the defaults of the table. That its words mean this is tested.
    #[must_use]
    pub fn defaults(verb: Verb) -> Self {
        Self {
            sidecars: Vec::new(),
            wait_timeout: Some(options::WAIT_TIMEOUT),
            run_unready: false,
            gate: true,
            absent_after: options::ABSENT_AFTER,
            env_files: Vec::new(),
            stop_on: StopOn::Always,
            stop_timeout: options::STOP_TIMEOUT,
            linger: Duration::ZERO,
            stop_signals: options::STOP_SIGNALS.to_vec(),
            grace: match verb {
                Verb::Guard => Some(options::GRACE_OF_GUARD),
                Verb::Run | Verb::Wait | Verb::Stop => None,
            },
            leftovers: Duration::ZERO,
            signal_group: false,
            rewrites: Vec::new(),
            delays: Vec::new(),
            map_exit: ExitMap::default(),
            group: None,
            parent_death_signal: None,
            report: None,
            log_level: LogLevel::Warn,
            log_json: false,
        }
    }
}

impl Settings {
    /// Makes every path absolute, as the working directory is left later on. `cwd` is only asked for when a path
    /// needs it.
    ///
    /// # Errors
    /// When it is needed and not there, or a socket's whole path is too long.
    pub fn make_paths_absolute(&mut self, cwd: impl Fn() -> Option<Vec<u8>>) -> Result<(), SettingsError> {
        let sidecars = self.sidecars.iter_mut().flat_map(Spec::paths_mut).map(|path| (Opt::Sidecar, path));
        let group = self.group.iter_mut().map(|group| (Opt::Group, &mut group.dir));
        let report = self.report.iter_mut().filter_map(|report| match report {
            Report::File(path) => Some((Opt::Report, path)),
            Report::Stderr => None,
        });
        let env_files = self.env_files.iter_mut().map(|path| (Opt::EnvFile, path));
        for (option, path) in sidecars.chain(group).chain(report).chain(env_files) {
            // A NUL begins the name of an abstract socket, which is in no folder.
            if !matches!(path.first(), Some(b'/' | 0)) {
                let Some(mut whole) = cwd() else {
                    return Err(SettingsError::of(option, SettingsErrorKind::NoWorkingDirectory, path));
                };
                whole.push(b'/');
                whole.append(path);
                *path = whole;
            }
        }
        // One whose socket nobody can have is not asked.
        let mut first = None;
        self.sidecars.retain(|spec| {
            let wrong = spec.check_sockets().err();
            let keep = wrong.is_none();
            first = first.take().or(wrong);
            keep
        });
        first.map_or(Ok(()), |error| {
            Err(SettingsError::of(Opt::Sidecar, SettingsErrorKind::Spec(Box::new(error)), b""))
        })
    }
}
