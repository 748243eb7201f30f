//! argv and environment → raw values. No value is judged here: that is `lastout_core::settings`; nor is it decided here
//! what a wrong line means: that is `lastout_core::argv`.

mod definition;
mod environment;
mod pages;
#[cfg(test)]
mod tests;

use definition::Reading;
use environment::from_environment;
use lastout_core::argv::{self, Asked, Subcommand, Wrong};
use lastout_core::settings::{Opt, RawValue, Verb};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;

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
    /// What is odd about the command line and the environment.
    pub warnings: Vec<String>,
    /// The command is the very first word: should there be no such program, a verb may have been meant.
    pub may_be_verb: bool,
}

/// Reads the arguments (without the program's own name) and the environment (`NAME=value` each).
pub fn parse<'a>(args: &[&'a OsStr], env: &[&CStr]) -> Call<'a> {
    let subcommand = Subcommand::named(args.first().map(|word| word.as_bytes()));
    match subcommand {
        Subcommand::Work(verb) => work(verb, args, env),
        Subcommand::Install | Subcommand::Sleep | Subcommand::Presets => simple(subcommand, args),
    }
}

/// A subcommand that has no settings.
fn simple<'a>(subcommand: Subcommand, args: &[&'a OsStr]) -> Call<'a> {
    let words = bytes(args);
    let line = argv::scan(&words);
    let operand = args.get(line.operands).copied().unwrap_or_default();
    match (subcommand, line.refused()) {
        (_, Some(wrong)) => Call::Wrong(wrong.to_string()),
        _ if line.asked.is_some() => Call::Print(pages::help(subcommand)),
        (Subcommand::Install, None) => Call::Install(operand),
        (Subcommand::Sleep, None) => Call::Sleep(operand),
        (Subcommand::Presets | Subcommand::Work(_), None) => Call::Presets { json: args.len() > 1 },
    }
}

fn bytes<'a>(args: &[&'a OsStr]) -> Vec<&'a [u8]> {
    args.iter().map(|word| word.as_bytes()).collect()
}

fn work<'a>(verb: Verb, args: &[&'a OsStr], env: &[&CStr]) -> Call<'a> {
    // Alone, as it mostly is, it needs no parser: making clap's tables takes longer than the page.
    if let [word] = behind_subcommand(verb, args)
        && (*word == "--help" || *word == "-h")
    {
        return Call::Print(pages::help(Subcommand::Work(verb)));
    }
    let (values, warnings) = from_environment(env);
    let mut call = Work { verb, values, command: Vec::new(), problem: None, warnings, may_be_verb: false };
    let asked = match without_options(verb, args) {
        Some(command) => {
            only_a_command(command, args, &mut call);
            None
        }
        None => with_options(args, &mut call),
    };
    match asked {
        Some(Asked::Help) => Call::Print(pages::help(Subcommand::Work(verb))),
        Some(Asked::Version) => Call::Print(format!("lastout {}\n", env!("CARGO_PKG_VERSION"))),
        None => Call::Work(call),
    }
}

/// What follows the subcommand's word.
fn behind_subcommand<'a, 'b>(verb: Verb, args: &'b [&'a OsStr]) -> &'b [&'a OsStr] {
    match verb {
        Verb::Run => args,
        Verb::Wait | Verb::Stop | Verb::Guard => args.get(1..).unwrap_or_default(),
    }
}

/// The command, where no option stands before it. Then there is nothing to parse, and neither clap nor the scanner is
/// asked: making clap's tables would be most of what starting takes.
fn without_options<'a, 'b>(verb: Verb, args: &'b [&'a OsStr]) -> Option<&'b [&'a OsStr]> {
    let args = behind_subcommand(verb, args);
    match (verb, args.first()) {
        (Verb::Wait | Verb::Stop, Some(_)) => None,
        (_, Some(first)) if *first == "--" => args.get(1..),
        (_, Some(first)) if first.as_bytes().starts_with(b"-") => None,
        (_, _) => Some(args),
    }
}

fn only_a_command<'a>(command: &[&'a OsStr], args: &[&'a OsStr], call: &mut Work<'a>) {
    let is_run = matches!(call.verb, Verb::Run);
    let without_dashes = behind_subcommand(call.verb, args).len() == command.len();
    call.command = command.to_vec();
    call.may_be_verb = is_run && without_dashes;
    if is_run && command.first().is_none_or(|word| word.is_empty()) {
        call.problem = Some(Wrong::NoCommand.to_string());
    }
    if without_dashes
        && let Some((_, row)) = argv::option_behind_command(&mut command.iter().map(|word| word.as_bytes()))
    {
        call.warnings.push(Wrong::OptionBehindCommand(row.name).to_string());
    }
}

/// Adds all that is given to the variables' values.
fn with_options<'a>(args: &[&'a OsStr], call: &mut Work<'a>) -> Option<Asked> {
    let reading = definition::read(behind_subcommand(call.verb, args));
    if let Reading::Text(asked) = reading {
        return Some(asked);
    }
    let words = bytes(args);
    let line = argv::scan(&words);
    let odd = line.problems.iter().filter(|problem| !problem.what.is_refused());
    call.warnings.extend(odd.map(|problem| problem.what.to_string()));
    let given = match (reading, line.refused()) {
        (Reading::Values(mut given, operands), None) => {
            let operands = args.get(args.len().saturating_sub(operands)..).unwrap_or_default();
            match call.verb {
                Verb::Run | Verb::Guard => call.command = operands.to_vec(),
                Verb::Wait | Verb::Stop => given.extend(operands.iter().map(|word| RawValue {
                    option: Opt::Sidecar,
                    origin: argv::SPEC.to_owned(),
                    value: word.as_bytes().to_vec(),
                })),
            }
            given
        }
        // A typo fails the Job, it does not hang it: what can be read says which sidecars to stop, and when.
        (_, wrong) => {
            let unknown = || "the command line cannot be read; see lastout --help".to_owned();
            call.problem = Some(wrong.map_or_else(unknown, Wrong::to_string));
            line.values.iter().map(argv::Given::raw).collect()
        }
    };
    // A flag wins over the variable; a repeated flag replaces the variable's whole list.
    call.values.retain(|value| given.iter().all(|flag| flag.option != value.option));
    call.values.extend(given);
    None
}

/// What of our own this word may have been meant as.
pub fn misspelt(word: &OsStr) -> Option<&'static str> {
    argv::misspelt(word.as_bytes())
}
