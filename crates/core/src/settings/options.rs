//! Every option as a row of data: what parses it, what prints it and what reads its default are made from this.

use super::{Opt, Verb};
use alloc::{format, string::String};

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
    default: &'static [&'static str],
    default_of_guard: Option<&'static [&'static str]>,
}

const fn row(option: Opt, name: &'static str, value: &'static str, meaning: &'static str) -> OptionRow {
    OptionRow {
        option,
        name,
        value: Some(value),
        repeats: false,
        meaning,
        default: &[],
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
    const fn by_default(self, default: &'static [&'static str]) -> Self {
        Self { default, ..self }
    }

    const fn for_a_guard(self, default: &'static [&'static str]) -> Self {
        Self { default_of_guard: Some(default), ..self }
    }

    /// What holds when the user does not give it, as the user would write it; several where it repeats.
    #[must_use]
    pub fn default(&self, verb: Verb) -> &'static [&'static str] {
        match (verb, self.default_of_guard) {
            (Verb::Guard, Some(default)) => default,
            (Verb::Run | Verb::Wait | Verb::Stop | Verb::Guard, _) => self.default,
        }
    }

    /// The default in words: `10s`, `TERM, INT`, `none; guard: 10s`; empty where there is none.
    #[must_use]
    pub fn default_in_words(&self) -> String {
        let words = self.default.join(", ");
        match self.default_of_guard {
            Some(of_guard) if words.is_empty() => format!("none; guard: {}", of_guard.join(", ")),
            Some(of_guard) => format!("{words}; guard: {}", of_guard.join(", ")),
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
    ).by_default(&["2m"]),
    row(
        Opt::OnWaitTimeout,
        "on-wait-timeout",
        "fail|run",
        "Then exit 124, or run the command all the same",
    ).by_default(&["fail"]),
    switch(Opt::NoWait, "no-wait", "Start the command at once"),
    row(
        Opt::AbsentAfter,
        "absent-after",
        "DUR",
        "An optional sidecar (NAME?) that accepts no connection this long is absent",
    ).by_default(&["3s"]),
    list(Opt::EnvFile, "env-file", "FILE", "Read KEY=value lines from FILE just before the command starts"),
    row(
        Opt::StopOn,
        "stop-on",
        "always|success|never|CODES",
        "After which exit codes to stop the sidecars (CODES: 0,3,64-78); `success` for restartPolicy OnFailure",
    ).by_default(&["always"]),
    row(Opt::StopTimeout, "stop-timeout", "DUR", "Budget for stopping all sidecars").by_default(&["10s"]),
    row(Opt::Linger, "linger", "DUR", "Pause between the command's end and the stop").by_default(&["0"]),
    // Not QUIT, a thread dump to a JVM.
    list(Opt::StopSignal, "stop-signal", "SIG", "Signals that mean `end`").by_default(&["TERM", "INT"]),
    row(
        Opt::Grace,
        "grace",
        "DUR",
        "Kill the command this long after a stop signal",
    ).for_a_guard(&["10s"]),
    row(
        Opt::Leftovers,
        "leftovers",
        "DUR",
        "TERM what the command left behind, and wait this long for it",
    ).by_default(&["0"]),
    switch(Opt::SignalGroup, "signal-group", "Forward signals to the command's whole process group"),
    list(Opt::RewriteSignal, "rewrite-signal", "FROM=TO", "Forward TO instead of FROM; TO may be `drop`"),
    list(Opt::DelaySignal, "delay-signal", "SIG=DUR", "Hold a signal back this long before forwarding it"),
    list(Opt::MapExit, "map-exit", "FROM=TO", "Turn an exit code of the command into another, such as 143=0"),
    row(Opt::Group, "group", "DIR", "Folder shared by several mains; the last one out stops the sidecars"),
    row(Opt::GroupSize, "group-size", "N", "How many mains there are").by_default(&["1"]),
    row(Opt::GroupName, "group-name", "NAME", "Our own name among them"),
    row(
        Opt::GroupWait,
        "group-wait",
        "DUR",
        "Count out mains that did not register in this time",
    ),
    row(
        Opt::ParentDeathSignal,
        "parent-death-signal",
        "SIG",
        "Outside PID 1: the signal that the death of our parent means",
    ),
    row(Opt::Report, "report", "FILE|-", "Write a JSON report at the end (-: one line on stderr)"),
    row(Opt::Compat, "compat", "scuttle|linkerd-await", "Read that program's variables, too"),
    row(Opt::LogLevel, "log-level", "error|warn|info|debug", "How much to tell on stderr").by_default(&["warn"]),
    row(Opt::LogFormat, "log-format", "text|json", "").by_default(&["text"]),
];

impl Opt {
    /// What holds when the user does not give it.
    pub(super) fn default(self, verb: Verb) -> &'static [&'static str] {
        OPTIONS.iter().find(|row| row.option == self).map_or(&[], |row| row.default(verb))
    }
}
