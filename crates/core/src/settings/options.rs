//! Every option as a row of data: what parses it, what prints it and what reads its default are made from this.

use super::{Opt, Verb};
use crate::signal::Signal;
use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::time::Duration;

/// One option, as the user sees it.
#[derive(Debug)]
pub struct OptionRow {
    /// Which.
    pub option: Opt,
    /// `--NAME`; its variable is `LASTOUT_NAME`.
    pub name: &'static str,
    /// The name of its value; a switch has none.
    pub value: Option<&'static str>,
    /// It may be given several times; its variable holds words with blanks between them.
    pub repeats: bool,
    /// What it means, in one line.
    pub meaning: &'static str,
    default: Default,
    default_of_guard: Option<Default>,
}

/// What holds without a word of the user's. Not as text: reading it would be a fiftieth of what starting takes.
#[derive(Clone, Copy, Debug)]
enum Default {
    None,
    Word(&'static str),
    Time(Duration),
    Number(u32),
    Signals(&'static [Signal]),
}

impl Default {
    fn words(self) -> Vec<String> {
        match self {
            Self::None => vec![],
            Self::Word(word) => vec![word.to_string()],
            Self::Time(Duration::ZERO) => vec!["0".to_string()],
            Self::Time(time) if time.as_secs() % 60 == 0 => vec![format!("{}m", time.as_secs() / 60)],
            Self::Time(time) => vec![format!("{}s", time.as_secs())],
            Self::Number(number) => vec![number.to_string()],
            Self::Signals(signals) => signals.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(super) const WAIT_TIMEOUT: Duration = Duration::from_secs(120);
pub(super) const ABSENT_AFTER: Duration = Duration::from_secs(3);
pub(super) const STOP_TIMEOUT: Duration = Duration::from_secs(10);
pub(super) const GRACE_OF_GUARD: Duration = Duration::from_secs(10);
pub(super) const GROUP_SIZE: u32 = 1;
/// Not QUIT, a thread dump to a JVM.
pub(super) const STOP_SIGNALS: &[Signal] = &[Signal::TERM, Signal::INT];

const fn row(option: Opt, name: &'static str, value: &'static str, meaning: &'static str) -> OptionRow {
    OptionRow {
        option,
        name,
        value: Some(value),
        repeats: false,
        meaning,
        default: Default::None,
        default_of_guard: None,
    }
}

const fn list(option: Opt, name: &'static str, value: &'static str, meaning: &'static str) -> OptionRow {
    OptionRow { repeats: true, ..row(option, name, value, meaning) }
}

const fn switch(option: Opt, name: &'static str, meaning: &'static str) -> OptionRow {
    OptionRow { value: None, ..row(option, name, "", meaning) }
}

impl OptionRow {
    const fn by_default(self, default: Default) -> Self {
        Self { default, ..self }
    }

    const fn for_a_guard(self, default: Default) -> Self {
        Self { default_of_guard: Some(default), ..self }
    }

    /// What holds when the user does not give it, as the user would write it; several where it repeats.
    #[must_use]
    pub fn default(&self, verb: Verb) -> Vec<String> {
        match (verb, self.default_of_guard) {
            (Verb::Guard, Some(default)) => default.words(),
            (Verb::Run | Verb::Wait | Verb::Stop | Verb::Guard, _) => self.default.words(),
        }
    }

    /// The default in words: `10s`, `TERM, INT`, `none; guard: 10s`; empty where there is none.
    #[must_use]
    pub fn default_in_words(&self) -> String {
        let words = self.default.words().join(", ");
        match self.default_of_guard {
            Some(of_guard) if words.is_empty() => format!("none; guard: {}", of_guard.words().join(", ")),
            Some(of_guard) => format!("{words}; guard: {}", of_guard.words().join(", ")),
            None => words,
        }
    }

    /// The name of its variable: `LASTOUT_WAIT_TIMEOUT`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('-', "_").to_ascii_uppercase())
    }
}

/// What every variable of ours begins with.
pub const PREFIX: &str = "LASTOUT_";

/// All options.
pub const OPTIONS: &[OptionRow] = &[
    list(
        Opt::Sidecar,
        "sidecar",
        "SPEC",
        "A sidecar to wait for and to stop: NAME[?][:key=value,...]; see `lastout presets`",
    ),
    row(
        Opt::WaitTimeout,
        "wait-timeout",
        "DUR",
        "How long to wait for the sidecars; 0 = for ever",
    ).by_default(Default::Time(WAIT_TIMEOUT)),
    row(
        Opt::OnWaitTimeout,
        "on-wait-timeout",
        "fail|run",
        "When --wait-timeout is over: exit 124, or start the command all the same",
    ).by_default(Default::Word("fail")),
    switch(Opt::NoWait, "no-wait", "Start the command at once"),
    row(
        Opt::AbsentAfter,
        "absent-after",
        "DUR",
        "An optional sidecar (NAME?) that accepts no connection this long is absent",
    ).by_default(Default::Time(ABSENT_AFTER)),
    list(Opt::EnvFile, "env-file", "FILE", "Read KEY=value lines from FILE just before the command starts; with vault-agent or openbao-agent, wait for FILE first"),
    row(
        Opt::StopOn,
        "stop-on",
        "always|success|never|CODES",
        "After which exit codes to stop the sidecars (CODES: 0,3,64-78); `success` for restartPolicy OnFailure",
    ).by_default(Default::Word("always")),
    row(Opt::StopTimeout, "stop-timeout", "DUR", "The most time for stopping all sidecars").by_default(Default::Time(STOP_TIMEOUT)),
    row(Opt::Linger, "linger", "DUR", "Pause between the command's end and the stop").by_default(Default::Time(Duration::ZERO)),
    list(Opt::StopSignal, "stop-signal", "SIG", "Signals that ask for the end: they end the wait, and start --grace").by_default(Default::Signals(STOP_SIGNALS)),
    row(
        Opt::Grace,
        "grace",
        "DUR",
        "Kill the command this long after a stop signal",
    ).for_a_guard(Default::Time(GRACE_OF_GUARD)),
    row(
        Opt::Leftovers,
        "leftovers",
        "DUR",
        "Send TERM to processes that the command left behind, and wait this long for them",
    ).by_default(Default::Time(Duration::ZERO)),
    switch(Opt::SignalGroup, "signal-group", "Forward signals to the command's whole process group"),
    list(Opt::RewriteSignal, "rewrite-signal", "FROM=TO", "Forward TO instead of FROM; TO may be `drop`"),
    list(Opt::DelaySignal, "delay-signal", "SIG=DUR", "Hold a signal back this long before forwarding it"),
    list(Opt::MapExit, "map-exit", "FROM=TO", "Turn an exit code of the command into another, such as 143=0"),
    row(Opt::Group, "group", "DIR", "Folder shared by several mains (the pod's jobs); the last one to end stops the sidecars"),
    row(Opt::GroupSize, "group-size", "N", "The number of mains of the group").by_default(Default::Number(GROUP_SIZE)),
    row(Opt::GroupName, "group-name", "NAME", "This main's own name in the group"),
    row(
        Opt::GroupWait,
        "group-wait",
        "DUR",
        "Count a main as ended if it has not registered in this time",
    ),
    row(
        Opt::ParentDeathSignal,
        "parent-death-signal",
        "SIG",
        "If not PID 1: the signal to get when the parent process ends",
    ),
    row(Opt::Report, "report", "FILE|-", "Write a JSON report at the end (-: one line on stderr)"),
    row(Opt::Compat, "compat", "scuttle|linkerd-await", "Read that program's variables, too"),
    row(Opt::LogLevel, "log-level", "error|warn|info|debug", "How much to write to stderr").by_default(Default::Word("warn")),
    row(Opt::LogFormat, "log-format", "text|json", "How lines on stderr are written; json: time, severity, message, sidecar").by_default(Default::Word("text")),
];
