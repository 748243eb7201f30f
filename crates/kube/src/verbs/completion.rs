//! `kubectl lastout completion SHELL`: scripts for shells, and what kubectl asks of `kubectl_complete-lastout` (its own
//! protocol, cobra's).

use crate::exit::{Ended, Exit};
use crate::output::print;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use clap_complete::{Shell, generate};
use std::fmt::Write as _;

/// Its command line.
#[must_use]
pub fn definition() -> Command {
    Command::new("completion")
        .about("Print a completion script; `kubectl` is the program that kubectl asks: save it as kubectl_complete-lastout on PATH")
        .arg(
            Arg::new("SHELL")
                .required(true)
                .value_parser(PossibleValuesParser::new(["bash", "zsh", "fish", "powershell", "kubectl"])),
        )
}

/// Prints the script. `all` is the whole command line.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(matches: &ArgMatches, all: Command) -> Ended {
    print(&script(matches.get_one("SHELL").map_or("", String::as_str), all))?;
    Ok(Exit::Done)
}

/// What `kubectl_complete-lastout` runs.
#[must_use]
pub fn definition_for_kubectl() -> Command {
    Command::new("__complete")
        .hide(true)
        .arg(Arg::new("WORD").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true))
}

/// Answers it. `all` is the whole command line.
///
/// # Errors
/// When stdout cannot be written.
pub fn run_for_kubectl(matches: &ArgMatches, all: &Command) -> Ended {
    let words: Vec<String> = matches.get_many("WORD").into_iter().flatten().cloned().collect();
    print(&candidates(&words, all))?;
    Ok(Exit::Done)
}

/// kubectl runs a program of this name with the words behind `lastout`, the last of which is not finished.
const KUBECTL: &str = "\
#!/bin/sh
# Save as kubectl_complete-lastout in a folder of PATH, executable.
exec kubectl-lastout __complete \"$@\"
";

/// The script for this shell.
fn script(shell: &str, mut definition: Command) -> String {
    let shell = match shell {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        "powershell" => Shell::PowerShell,
        _ => return KUBECTL.to_owned(),
    };
    let mut script = Vec::new();
    generate(shell, &mut definition, "kubectl-lastout", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// What may stand in the place of the last word: a line each with its meaning behind a tab, then the directive that says
/// whether files may stand there, too.
fn candidates(words: &[String], definition: &Command) -> String {
    /// No files; cobra's `ShellCompDirectiveNoFileComp`.
    const NO_FILES: u8 = 4;
    const FILES: u8 = 0;
    let (last, before) = words.split_last().map_or(("", words), |(last, before)| (last.as_str(), before));
    let verb = before.iter().find_map(|word| definition.find_subcommand(word));
    let mut lines = String::new();
    let mut line = |word: &str, help: String| {
        if word.starts_with(last) {
            let _ = writeln!(lines, "{word}\t{help}");
        }
    };
    let Some(verb) = verb else {
        for verb in definition.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            line(verb.get_name(), help_of_verb(verb));
        }
        return format!("{lines}:{NO_FILES}\n");
    };
    let option = before.last().and_then(|word| word.strip_prefix("--")).and_then(|name| option(verb, name));
    if let Some(option) = option.filter(|option| option.get_action().takes_values()) {
        for value in option.get_possible_values() {
            line(value.get_name(), String::new());
        }
        return format!("{lines}:{NO_FILES}\n");
    }
    if last.starts_with('-') {
        for option in verb.get_arguments() {
            if let Some(name) = option.get_long() {
                line(&format!("--{name}"), help_of(option));
            }
        }
        return format!("{lines}:{NO_FILES}\n");
    }
    let positional = verb.get_positionals().next();
    for value in positional.map(Arg::get_possible_values).unwrap_or_default() {
        line(value.get_name(), String::new());
    }
    let files = positional.is_some_and(|positional| positional.get_id() == "FILE");
    format!("{lines}:{}\n", if files { FILES } else { NO_FILES })
}

fn option<'a>(verb: &'a Command, name: &str) -> Option<&'a Arg> {
    verb.get_arguments().find(|argument| argument.get_long() == Some(name))
}

fn help_of(argument: &Arg) -> String {
    argument.get_help().map(ToString::to_string).unwrap_or_default()
}

fn help_of_verb(verb: &Command) -> String {
    verb.get_about().map(ToString::to_string).unwrap_or_default()
}
