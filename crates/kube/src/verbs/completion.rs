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
        .about("Print a completion script; `kubectl`: the program for kubectl's own completion, to save as kubectl_complete-lastout on PATH")
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
    print(&script(matches.get_one("SHELL").map_or("", String::as_str), &all))?;
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

const PROGRAM: &str = "kubectl-lastout";

/// The script for this shell.
fn script(shell: &str, definition: &Command) -> String {
    let shell = match shell {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        "powershell" => Shell::PowerShell,
        _ => return KUBECTL.to_owned(),
    };
    // Without what is hidden, which clap_complete offers all the same; it cannot be taken out of a command line.
    let shown = definition.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    let mut definition = Command::new(PROGRAM).version(env!("CARGO_PKG_VERSION")).subcommands(shown);
    // clap_complete 4.6 writes a `-` of a program's name in one way where bash's script sets its state, and in another one
    // where it asks for that: only the first word was completed.
    let name = if shell == Shell::Bash { PROGRAM.replace('-', "_") } else { PROGRAM.to_owned() };
    let mut script = Vec::new();
    generate(shell, &mut definition, &name, &mut script);
    String::from_utf8_lossy(&script).replace(&format!(" {name}\n"), &format!(" {PROGRAM}\n"))
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
    let mut line = |last: &str, word: &str, help: String| {
        if word.starts_with(last) {
            let _ = writeln!(lines, "{word}\t{help}");
        }
    };
    let Some(verb) = verb else {
        for verb in definition.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            line(last, verb.get_name(), help_of_verb(verb));
        }
        return format!("{lines}:{NO_FILES}\n");
    };
    // What is before the `=` is not asked for: kubectl's script takes it off.
    let (option, last) = match last.split_once('=') {
        Some((name, value)) if name.starts_with("--") => (option(verb, name), value),
        _ => (before.last().and_then(|word| option(verb, word)), last),
    };
    if let Some(option) = option.filter(|option| option.get_action().takes_values()) {
        for value in option.get_possible_values() {
            line(last, value.get_name(), String::new());
        }
        return format!("{lines}:{NO_FILES}\n");
    }
    if last.starts_with('-') {
        for option in verb.get_arguments() {
            if let Some(name) = option.get_long() {
                line(last, &format!("--{name}"), help_of(option));
            }
        }
        return format!("{lines}:{NO_FILES}\n");
    }
    let positional = verb.get_positionals().next();
    for value in positional.map(Arg::get_possible_values).unwrap_or_default() {
        line(last, value.get_name(), String::new());
    }
    let files = positional.is_some_and(|positional| positional.get_id() == "FILE");
    format!("{lines}:{}\n", if files { FILES } else { NO_FILES })
}

/// The option that a word is: `--output`, `-o`.
fn option<'a>(verb: &'a Command, word: &str) -> Option<&'a Arg> {
    verb.get_arguments().find(|argument| {
        let is_long = argument.get_long().is_some_and(|name| word.strip_prefix("--") == Some(name));
        is_long
            || argument
                .get_short()
                .is_some_and(|name| word.strip_prefix('-') == Some(name.encode_utf8(&mut [0; 4])))
    })
}

fn help_of(argument: &Arg) -> String {
    argument.get_help().map(ToString::to_string).unwrap_or_default()
}

fn help_of_verb(verb: &Command) -> String {
    verb.get_about().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What bash offers for these words, the last of which is not finished.
    fn offered(words: &[&str]) -> Vec<String> {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let (last, before) = (words.len() - 1, words[words.len() - 2]);
        let ask = format!(
            "\nCOMP_WORDS=({}); COMP_CWORD={last}; _kubectl_lastout kubectl-lastout '{}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            quoted.join(" "),
            words[last],
        );
        let script = script("bash", &crate::cli::definition()) + &ask;
        let output = std::process::Command::new("bash").arg("-c").arg(script).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn bash_completes_every_word() {
        assert_eq!(offered(&["kubectl-lastout", "in"]), ["inject"]);
        assert_eq!(offered(&["kubectl-lastout", "inject", "--mo"]), ["--mode"]);
        assert_eq!(
            offered(&["kubectl-lastout", "inject", "--mode", ""]),
            ["auto", "native", "wrap", "helper"]
        );
        assert_eq!(offered(&["kubectl-lastout", "check", "-o", "s"]), ["sarif"]);
        assert!(!offered(&["kubectl-lastout", ""]).iter().any(|word| word.starts_with('_')));
        let script = script("bash", &crate::cli::definition());
        assert!(script.contains("complete -F _kubectl_lastout"), "{script}");
        assert!(!script.contains(" kubectl_lastout\n") && script.contains(" kubectl-lastout\n"), "{script}");
    }

    #[test]
    fn kubectl_is_told_the_values_of_every_spelling() {
        let told = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            candidates(&words, &crate::cli::definition())
        };
        assert_eq!(told(&["check", "-o", ""]), "text\t\njson\t\nsarif\t\ngithub\t\n:4\n");
        assert_eq!(told(&["check", "--output", "s"]), "sarif\t\n:4\n");
        assert_eq!(told(&["inject", "--mode=n"]), "native\t\n:4\n");
        assert!(told(&["inject", "--mo"]).starts_with("--mode\t"));
    }
}
