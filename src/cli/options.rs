//! Every option, and the help that lists them.

use lastout_core::settings::Opt;
use std::fmt::Write;

/// One option, as the user sees it.
pub(super) struct Row {
    pub(super) option: Opt,
    pub(super) name: &'static str,
    /// The name of its value in the help; a switch has none.
    pub(super) value: Option<&'static str>,
    pub(super) repeats: bool,
    help: &'static str,
}

const fn row(option: Opt, name: &'static str, value: &'static str, help: &'static str) -> Row {
    Row { option, name, value: Some(value), repeats: false, help }
}

const fn list(option: Opt, name: &'static str, value: &'static str, help: &'static str) -> Row {
    Row { option, name, value: Some(value), repeats: true, help }
}

const fn switch(option: Opt, name: &'static str, help: &'static str) -> Row {
    Row { option, name, value: None, repeats: false, help }
}

/// All options. Each has a variable `LASTOUT_<NAME>`.
pub(super) const OPTIONS: &[Row] = &[
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
        "How long to wait for the sidecars; 0 = for ever [default: 2m]",
    ),
    row(
        Opt::OnWaitTimeout,
        "on-wait-timeout",
        "fail|run",
        "Then exit 124, or run the command all the same [default: fail]",
    ),
    switch(Opt::NoWait, "no-wait", "Start the command at once"),
    row(
        Opt::AbsentAfter,
        "absent-after",
        "DUR",
        "An optional sidecar (NAME?) that accepts no connection this long is absent [default: 3s]",
    ),
    list(Opt::EnvFile, "env-file", "FILE", "Read KEY=value lines from FILE just before the command starts"),
    row(
        Opt::StopOn,
        "stop-on",
        "always|success|never|CODES",
        "After which exit codes to stop the sidecars (CODES: 0,3,64-78); `success` for restartPolicy OnFailure [default: always]",
    ),
    row(Opt::StopTimeout, "stop-timeout", "DUR", "Budget for stopping all sidecars [default: 10s]"),
    row(Opt::Linger, "linger", "DUR", "Pause between the command's end and the stop [default: 0]"),
    list(Opt::StopSignal, "stop-signal", "SIG", "Signals that mean `end` [default: TERM, INT]"),
    row(
        Opt::Grace,
        "grace",
        "DUR",
        "Kill the command this long after a stop signal [default: none; guard: 10s]",
    ),
    row(
        Opt::Leftovers,
        "leftovers",
        "DUR",
        "TERM what the command left behind, and wait this long for it [default: 0]",
    ),
    switch(Opt::SignalGroup, "signal-group", "Forward signals to the command's whole process group"),
    list(Opt::RewriteSignal, "rewrite-signal", "FROM=TO", "Forward TO instead of FROM; TO may be `drop`"),
    list(Opt::DelaySignal, "delay-signal", "SIG=DUR", "Hold a signal back this long before forwarding it"),
    list(Opt::MapExit, "map-exit", "FROM=TO", "Turn an exit code of the command into another, such as 143=0"),
    row(Opt::Group, "group", "DIR", "Folder shared by several mains; the last one out stops the sidecars"),
    row(Opt::GroupSize, "group-size", "N", "How many mains there are [default: 1]"),
    row(Opt::GroupName, "group-name", "NAME", "Our own name among them"),
    row(
        Opt::GroupWait,
        "group-wait",
        "DUR",
        "Count out mains that did not register in this time [default: none]",
    ),
    row(
        Opt::ParentDeathSignal,
        "parent-death-signal",
        "SIG",
        "Outside PID 1: the signal that the death of our parent means",
    ),
    row(Opt::Report, "report", "FILE|-", "Write a JSON report at the end (-: one line on stderr)"),
    row(Opt::Compat, "compat", "scuttle|linkerd-await", "Read that program's variables, too"),
    row(Opt::LogLevel, "log-level", "error|warn|info|debug", "How much to tell on stderr [default: warn]"),
    row(Opt::LogFormat, "log-format", "text|json", "[default: text]"),
];

const ABOUT: &str = "\
Runs COMMAND as the container's init (PID 1): waits for the sidecars, forwards signals, reaps zombies; when
COMMAND is over, stops the sidecars, proves that they are gone, and exits with COMMAND's own exit code.

Usage: lastout [OPTIONS] [--] COMMAND [ARG]...
       lastout install DEST        copy this program to DEST (a folder or a file name)
       lastout wait [SPEC]...      only wait for the sidecars: 0, or 124
       lastout stop [SPEC]...      only stop them: 0 when all are gone, else 1
       lastout guard [OPTIONS] [--] COMMAND [ARG]...
                                   run a sidecar until the mains of --group are out, then end it
       lastout guard [OPTIONS] --sidecar SPEC...
                                   wait until they are out, then stop these sidecars
       lastout sleep DURATION      for preStop hooks in images without a shell
       lastout presets             the known sidecars, and what must be switched on in them

Options:
";

const AFTER: &str = "  --help, --version

Every option has a variable LASTOUT_<OPTION>, such as LASTOUT_STOP_ON; lists are separated by blanks.
Exit codes: COMMAND's own; 128+n when signal n ended it; 127 not found; 126 cannot be executed; 125 bad
options or settings; 124 a sidecar was not ready in time.
";

/// Written here and not by clap, whose templates for every kind of program would be a twelfth of the binary.
pub(super) fn help() -> String {
    let mut text = ABOUT.to_owned();
    for row in OPTIONS {
        let name = row.value.map_or_else(|| row.name.to_owned(), |value| format!("{} {value}", row.name));
        let _ = writeln!(text, "  --{name:<28} {}", row.help);
    }
    text + AFTER
}
