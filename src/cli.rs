//! argv and environment → raw values. The only place that knows how an option is spelled. No value is judged
//! here: that is `lastout_core::settings`.

use clap::builder::OsStringValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};
use lastout_core::settings::{Opt, RawValue, Verb};
use lastout_core::text::nearest;
use std::ffi::{CStr, OsStr, OsString};
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What the user wants.
#[derive(Debug)]
pub enum Call<'a> {
    /// Print this on stdout and leave with 0.
    Print(String),
    /// Something that is governed by settings.
    Work(Work<'a>),
    /// `install DEST`
    Install(&'a OsStr),
    /// `sleep DURATION`
    Sleep(&'a OsStr),
    /// A usage error of a verb that has no settings.
    Wrong(String),
}

/// A call that is governed by settings.
#[derive(Debug)]
pub struct Work<'a> {
    /// What to do.
    pub verb: Verb,
    /// Every value, variables first.
    pub values: Vec<RawValue>,
    /// The command and its arguments.
    pub command: Vec<&'a OsStr>,
    /// What is wrong with the command line; the values that could be read are there all the same.
    pub problem: Option<String>,
    /// What is odd about the environment.
    pub warnings: Vec<String>,
}

/// One option, as the user sees it.
struct Row {
    option: Opt,
    name: &'static str,
    /// The name of its value in the help; a switch has none.
    value: Option<&'static str>,
    repeats: bool,
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
const OPTIONS: &[Row] = &[
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

/// Reads the arguments (without the program's own name) and the environment (`NAME=value` each).
pub fn parse<'a>(args: &[&'a OsStr], env: &[&CStr]) -> Call<'a> {
    let (first, rest) = (args.first().copied(), args.get(1..).unwrap_or_default());
    match first.and_then(OsStr::to_str) {
        Some("install") => match *rest {
            [dest] if !is_option(dest) => Call::Install(dest),
            _ => verb_help(rest, "lastout install DEST: one folder or file name is needed"),
        },
        Some("sleep") => match *rest {
            [time] if !is_option(time) => Call::Sleep(time),
            _ => verb_help(rest, "lastout sleep DURATION: one duration is needed, such as 5 or 1m30s"),
        },
        Some("presets") => match *rest {
            [] => Call::Print(crate::presets::table()),
            [flag] if flag == "--json" => Call::Print(crate::presets::json()),
            _ => verb_help(rest, "lastout presets [--json]: takes nothing else"),
        },
        Some("wait") => work(Verb::Wait, rest, env),
        Some("stop") => work(Verb::Stop, rest, env),
        Some("guard") => work(Verb::Guard, rest, env),
        _ => work(Verb::Run, args, env),
    }
}

fn is_option(word: &OsStr) -> bool {
    word.as_bytes().starts_with(b"-")
}

fn verb_help<'a>(rest: &[&OsStr], usage: &str) -> Call<'a> {
    match rest {
        [flag] if *flag == "--help" || *flag == "-h" => Call::Print(format!("{usage}\n")),
        _ => Call::Wrong(usage.to_owned()),
    }
}

fn work<'a>(verb: Verb, args: &[&'a OsStr], env: &[&CStr]) -> Call<'a> {
    let (mut values, warnings) = from_environment(env);
    let mut call = Work { verb, values: Vec::new(), command: Vec::new(), problem: None, warnings };
    match without_options(verb, args) {
        Some(command) => call.command = command.to_vec(),
        None => match from_arguments(args, &mut call) {
            Ok(given) => {
                // A flag wins over the variable; a repeated flag replaces the variable's whole list.
                values.retain(|value| given.iter().all(|flag| flag.option != value.option));
                values.extend(given);
            }
            Err(text) => return Call::Print(text),
        },
    }
    call.values = values;
    if matches!(verb, Verb::Run)
        && call.problem.is_none()
        && call.command.first().is_none_or(|word| word.is_empty())
    {
        call.problem =
            Some("no command to run: lastout [OPTIONS] [--] COMMAND [ARG]... (lastout --help)".to_owned());
    }
    Call::Work(call)
}

/// The command, where no option stands before it. Then there is nothing to parse, and clap is not asked: making its
/// tables would be most of what starting takes.
fn without_options<'a, 'b>(verb: Verb, args: &'b [&'a OsStr]) -> Option<&'b [&'a OsStr]> {
    match (verb, args.first()) {
        (Verb::Wait | Verb::Stop, Some(_)) => None,
        (_, Some(first)) if *first == "--" => args.get(1..),
        (_, Some(first)) if is_option(first) => None,
        (_, _) => Some(args),
    }
}

/// The values of all options; `Err`: a text that is asked for instead.
fn from_arguments<'a>(args: &[&'a OsStr], call: &mut Work<'a>) -> Result<Vec<RawValue>, String> {
    let matches = match definition().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => match error.kind() {
            ErrorKind::DisplayVersion => return Err(format!("lastout {}\n", env!("CARGO_PKG_VERSION"))),
            _ => {
                call.problem = Some(one_line(&error));
                // What can be read in spite of that: the sidecars are to be stopped.
                definition().ignore_errors(true).try_get_matches_from(args).unwrap_or_default()
            }
        },
    };
    if matches.try_get_one(HELP).ok().flatten().copied().unwrap_or(false) {
        return Err(help());
    }
    let mut values = flags(&matches);
    let words = matches.try_get_many::<OsString>(COMMAND).ok().flatten().map_or(0, Iterator::count);
    let words = args.get(args.len().saturating_sub(words)..).unwrap_or_default();
    match call.verb {
        Verb::Run | Verb::Guard => call.command = words.to_vec(),
        Verb::Wait | Verb::Stop => values.extend(words.iter().map(|word| RawValue {
            option: Opt::Sidecar,
            origin: "SPEC".to_owned(),
            value: word.as_bytes().to_vec(),
        })),
    }
    Ok(values)
}

const COMMAND: &str = "COMMAND";
const HELP: &str = "help";

fn definition() -> clap::Command {
    let options = OPTIONS.iter().map(|row| {
        let parser = OsStringValueParser::new();
        let arg = Arg::new(row.name).long(row.name).action(ArgAction::Append).value_parser(parser);
        match row.value {
            Some(_) => arg.allow_hyphen_values(true),
            None => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        }
    });
    // Parsing ends at the first word that is no option, as POSIX has it: `lastout sh -c 'exit 3'` works.
    let command =
        Arg::new(COMMAND).num_args(0..).trailing_var_arg(true).value_parser(OsStringValueParser::new());
    clap::Command::new("lastout")
        .no_binary_name(true)
        .version(env!("CARGO_PKG_VERSION"))
        .args(options)
        .arg(Arg::new(HELP).long(HELP).short('h').action(ArgAction::SetTrue))
        .arg(command)
}

/// Written here and not by clap, whose templates for every kind of program would be a twelfth of the binary.
fn help() -> String {
    let mut text = ABOUT.to_owned();
    for row in OPTIONS {
        let name = row.value.map_or_else(|| row.name.to_owned(), |value| format!("{} {value}", row.name));
        let _ = writeln!(text, "  --{name:<28} {}", row.help);
    }
    text + AFTER
}

fn flags(matches: &ArgMatches) -> Vec<RawValue> {
    let mut values = Vec::new();
    for row in OPTIONS {
        for value in matches.try_get_many::<OsString>(row.name).ok().flatten().into_iter().flatten() {
            values.push(RawValue {
                option: row.option,
                origin: format!("--{}", row.name),
                value: value.clone().into_vec(),
            });
        }
    }
    values
}

fn one_line(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let word = context(ContextKind::InvalidArg);
    let option = word.split(' ').next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let name = option.trim_start_matches('-').split('=').next().unwrap_or_default();
            let known = nearest(name, OPTIONS.iter().map(|row| row.name));
            let hint = known.map_or(String::new(), |known| format!(" did you mean `--{known}`?"));
            format!(
                "{option}: no such option;{hint} lastout --help lists them, and a command that begins with a dash goes behind --"
            )
        }
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            format!("{option}: needs a value; lastout --help tells which")
        }
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            format!("{}; see lastout --help", line.trim_start_matches("error: "))
        }
    }
}

const PREFIX: &[u8] = b"LASTOUT_";

fn from_environment(env: &[&CStr]) -> (Vec<RawValue>, Vec<String>) {
    let (mut values, mut warnings) = (Vec::new(), Vec::new());
    for entry in env.iter().filter_map(|entry| entry.to_bytes().strip_prefix(PREFIX)) {
        let mut parts = entry.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let name = String::from_utf8_lossy(name);
        let option = OPTIONS.iter().find(|row| variable(row) == name);
        match option {
            _ if value.is_empty() => {}
            Some(row) if row.repeats => {
                let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
                values.extend(words.map(|word| raw(row, word)));
            }
            Some(row) => values.push(raw(row, value)),
            None if is_service_link(&name) => {}
            None => {
                let names: Vec<String> = OPTIONS.iter().map(variable).collect();
                let known = nearest(&name, names.iter().map(String::as_str));
                let hint = known.map_or(String::new(), |known| format!("; did you mean LASTOUT_{known}?"));
                warnings.push(format!("LASTOUT_{name}: no such setting{hint}"));
            }
        }
    }
    (values, warnings)
}

fn raw(row: &Row, value: &[u8]) -> RawValue {
    RawValue { option: row.option, origin: format!("LASTOUT_{}", variable(row)), value: value.to_vec() }
}

fn variable(row: &Row) -> String {
    row.name.replace('-', "_").to_ascii_uppercase()
}

/// Variables that Kubernetes sets for a Service whose name begins with `lastout` (`{SVC}_SERVICE_HOST`,
/// `{SVC}_PORT_80_TCP_ADDR`, …).
fn is_service_link(name: &str) -> bool {
    let last_is_port = name == "PORT" || name.ends_with("_PORT");
    last_is_port
        || name.contains("SERVICE_HOST")
        || name.contains("SERVICE_PORT")
        || ["_TCP", "_UDP", "_SCTP"]
            .iter()
            .any(|protocol| format!("_{name}").contains("_PORT_") && name.contains(protocol))
}
