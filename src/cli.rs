//! argv and environment → raw values. The only place that knows how an option is spelled. No value is judged
//! here: that is `lastout_core::settings`.

mod environment;
mod options;

use clap::builder::OsStringValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};
use environment::from_environment;
use lastout_core::settings::{OPTIONS, Opt, RawValue, Verb};
use lastout_core::text::{Quoted, distance, nearest};
use options::{PAGES, Page, help, is_ours_alone};
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What the user wants.
#[derive(Debug)]
pub enum Call<'a> {
    /// Print this on stdout and leave with 0.
    Print(String),
    /// Something that is governed by settings.
    Work(Work<'a>),
    /// `presets`, or `presets --json`
    Presets {
        /// For programs.
        json: bool,
    },
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
    /// The command is the very first word: should there be no such program, a verb may have been meant.
    pub may_be_verb: bool,
}

/// Reads the arguments (without the program's own name) and the environment (`NAME=value` each).
pub fn parse<'a>(args: &[&'a OsStr], env: &[&CStr]) -> Call<'a> {
    let (first, rest) = (args.first().copied(), args.get(1..).unwrap_or_default());
    let Some(page) = PAGES.iter().find(|page| first.is_some_and(|first| first == page.verb)) else {
        return work(Verb::Run, args, env);
    };
    match (page.verb, rest) {
        (_, [flag]) if *flag == "--help" || *flag == "-h" => Call::Print(page.help()),
        ("wait", _) => work(Verb::Wait, rest, env),
        ("stop", _) => work(Verb::Stop, rest, env),
        ("guard", _) => work(Verb::Guard, rest, env),
        ("install", [dest]) if !is_option(dest) => Call::Install(dest),
        ("sleep", [time]) if !is_option(time) => Call::Sleep(time),
        ("presets", []) => Call::Presets { json: false },
        ("presets", [flag]) if *flag == "--json" => Call::Presets { json: true },
        (_, _) => Call::Wrong(misused(page, rest)),
    }
}

fn is_option(word: &OsStr) -> bool {
    word.as_bytes().starts_with(b"-")
}

fn misused(page: &Page, rest: &[&OsStr]) -> String {
    let words: Vec<&OsStr> =
        [OsStr::new("lastout"), OsStr::new(page.verb)].iter().chain(rest).copied().collect();
    let given = words.join(OsStr::new(" ")).into_vec();
    format!("{} cannot be read: write {} (lastout {} --help)", Quoted(&given), page.usage(), page.verb)
}

fn work<'a>(verb: Verb, args: &[&'a OsStr], env: &[&CStr]) -> Call<'a> {
    let (mut values, warnings) = from_environment(env);
    let mut call =
        Work { verb, values: Vec::new(), command: Vec::new(), problem: None, warnings, may_be_verb: false };
    match without_options(verb, args) {
        Some(command) => {
            call.command = command.to_vec();
            call.may_be_verb = matches!(verb, Verb::Run) && call.command.len() == args.len();
        }
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
    call.warnings.extend(option_behind_the_command(&call, args));
    if matches!(verb, Verb::Run)
        && call.problem.is_none()
        && call.command.first().is_none_or(|word| word.is_empty())
    {
        call.problem =
            Some("no command to run: lastout [OPTIONS] [--] COMMAND [ARG]... (lastout --help)".to_owned());
    }
    Call::Work(call)
}

/// What of our own this word may have been meant as: one letter is wrong, missing or too many.
pub fn misspelt(word: &OsStr) -> Option<&'static str> {
    match word.to_str()? {
        "help" => Some("--help"),
        "version" => Some("--version"),
        word if word.chars().count() < 4 => None,
        word => PAGES.iter().map(|page| page.verb).find(|verb| distance(word, verb) <= 1),
    }
}

/// `lastout COMMAND --sidecar SPEC` gives the command an argument, and waits for nobody. Where the command stands behind
/// `--` it is meant so.
fn option_behind_the_command(call: &Work<'_>, args: &[&OsStr]) -> Option<String> {
    let before = args.get(..args.len().saturating_sub(call.command.len()))?;
    if !matches!(call.verb, Verb::Run | Verb::Guard) || before.last().is_some_and(|word| *word == "--") {
        return None;
    }
    let named = |word: &&OsStr| {
        let name = word.as_bytes().strip_prefix(b"--")?.split(|byte| b"= ".contains(byte)).next()?;
        OPTIONS.iter().find(|row| is_ours_alone(row.option) && row.name.as_bytes() == name)
    };
    let row = call.command.iter().skip(1).take_while(|word| **word != "--").find_map(named)?;
    Some(format!(
        "--{} stands behind the command and is its argument: options go before the command (behind -- it is meant so)",
        row.name
    ))
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
                return Ok(readable(call.verb, args));
            }
        },
    };
    if matches.try_get_one(HELP).ok().flatten().copied().unwrap_or(false) {
        let verb = match call.verb {
            Verb::Run => "",
            Verb::Wait => "wait",
            Verb::Stop => "stop",
            Verb::Guard => "guard",
        };
        return Err(PAGES.iter().find(|page| page.verb == verb).map_or_else(help, Page::help));
    }
    let words = matches.try_get_many::<OsString>(COMMAND).ok().flatten().map_or(0, Iterator::count);
    let (options, words) = args.split_at_checked(args.len().saturating_sub(words)).unwrap_or((args, &[]));
    if let Some(several) = options.iter().find(|word| is_several(word.as_bytes())) {
        call.problem = Some(one_word(&several.to_string_lossy()));
        return Ok(readable(call.verb, args));
    }
    let mut values = flags(&matches);
    if matches!(call.verb, Verb::Wait | Verb::Stop)
        && let Some(option) = words.iter().find(|word| is_option(word))
    {
        call.problem = Some(format!("{}: options go before the SPECs", option.display()));
        return Ok(readable(call.verb, args));
    }
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

/// An option and more that came as one word: `--sidecar envoy`, `--sidecar=envoy --no-wait`.
fn is_several(word: &[u8]) -> bool {
    let blank = word.iter().position(u8::is_ascii_whitespace);
    let equals = word.iter().position(|byte| *byte == b'=');
    word.starts_with(b"--")
        && match (blank, equals) {
            (Some(blank), Some(equals)) if equals < blank => word.windows(3).any(|three| three == b" --"),
            (Some(_), _) => true,
            (None, _) => false,
        }
}

/// What can be read in spite of an error: the sidecars are to be stopped. clap's own `ignore_errors` ends at the first
/// unknown option, and a sidecar that is named behind it would hang the pod.
fn readable<'a>(verb: Verb, args: &[&'a OsStr]) -> Vec<RawValue> {
    let given = args.iter().map(|word| word.as_bytes()).take_while(|word| *word != b"--");
    // Several words that came as one item of a list are read as what they are meant to be.
    let as_meant = |word: &'a [u8]| -> Vec<&'a [u8]> {
        if is_several(word) { word.split(u8::is_ascii_whitespace).collect() } else { vec![word] }
    };
    let mut words = given.flat_map(as_meant);
    let mut values = Vec::new();
    // Behind it options may be the command's own: nothing there is to keep a sidecar from being stopped.
    let mut in_command = false;
    while let Some(word) = words.next() {
        let option = word.strip_prefix(b"--").unwrap_or_default();
        let row =
            OPTIONS.iter().find(|row| option.split(|byte| *byte == b'=').next() == Some(row.name.as_bytes()));
        let value = match row {
            Some(row) => match option.get(row.name.len() + 1..) {
                Some(value) => Some((row.option, value)),
                None => row.value.and_then(|_| words.next()).map(|value| (row.option, value)),
            },
            None => (matches!(verb, Verb::Wait | Verb::Stop) && !word.starts_with(b"-"))
                .then_some((Opt::Sidecar, word)),
        };
        in_command |= value.is_none() && !word.starts_with(b"-");
        let value = value.filter(|(option, _)| *option == Opt::Sidecar || !in_command);
        values.extend(value.map(|(option, value)| RawValue {
            option,
            origin: String::new(),
            value: value.to_vec(),
        }));
    }
    values
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

/// Options of tini, dumb-init and catatonit, and what to say instead.
const OTHER_INITS: [(&str, &str); 11] = [
    ("-g", "it is --signal-group"),
    ("-s", "that holds always: outside PID 1 orphans are adopted"),
    ("-v", "it is --log-level info, or debug"),
    ("--verbose", "it is --log-level info, or debug"),
    ("-w", "that is --log-level warn, the default"),
    ("-e", "it is --map-exit CODE=0"),
    ("-p", "it is --parent-death-signal SIGNAL"),
    ("-r", "it is --rewrite-signal FROM=TO"),
    ("--rewrite", "it is --rewrite-signal FROM=TO"),
    ("-c", "that is the default (--signal-group is the other way)"),
    ("--single-child", "that is the default (--signal-group is the other way)"),
];

fn of_another_init(option: &str) -> Option<&'static str> {
    OTHER_INITS.iter().find(|(theirs, _)| *theirs == option).map(|(_, ours)| *ours)
}

fn one_word(word: &str) -> String {
    let option = word.split([' ', '=']).next().unwrap_or_default();
    format!(
        "`{option} …` came as one word: write each of its words as an item of the list, or {option}=VALUE"
    )
}

fn one_line(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let word = context(ContextKind::InvalidArg);
    let option = word.split(' ').next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if word.contains(' ') => one_word(word),
        ErrorKind::UnknownArgument if let Some(ours) = of_another_init(option) => {
            format!("{option}: an option of another init; here {ours} (lastout --help)")
        }
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
