//! docs/reference/kubectl-options.md: written out of what clap reads.
//!
//! `LASTOUT_BLESS=1 cargo test -p kubectl-lastout --test book reference` writes it.

use crate::repository;
use clap::{Arg, ArgAction, Command};
use kubectl_lastout::cli;
use std::fmt::Write as _;
use support::golden;

const WRITTEN: &str =
    "<!-- Written by a test: LASTOUT_BLESS=1 cargo test -p kubectl-lastout --test book reference -->";

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn usage(argument: &Arg) -> String {
    let named: Vec<&str> =
        argument.get_value_names().into_iter().flatten().map(|name| name.as_str()).collect();
    // clap itself takes the id where no name is given.
    let names = if named.is_empty() { vec![argument.get_id().as_str()] } else { named };
    let takes = argument.get_action().takes_values();
    let words: Vec<String> =
        argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let value = match (takes, words.is_empty() || argument.is_positional()) {
        (false, _) => String::new(),
        (true, true) => format!(" {}", names.join(" ")),
        (true, false) => format!(" {}", words.join("|")),
    };
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    let spelt: Vec<String> = short.into_iter().chain(long).collect();
    let repeats = matches!(argument.get_action(), ArgAction::Append);
    let words = if spelt.is_empty() { names.join(" ") } else { format!("{}{value}", spelt.join(", ")) };
    format!("`{}`{}", cell(&words), if repeats { " …" } else { "" })
}

fn section(verb: &Command) -> String {
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("## {}\n\n{about}.\n", verb.get_name());
    let arguments: Vec<&Arg> = verb
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && argument.get_id() != "help")
        .collect();
    if arguments.is_empty() {
        return text;
    }
    text.push_str("\n| option | default | |\n|---|---|---|\n");
    for argument in arguments {
        let default: Vec<_> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default =
            if default.is_empty() { String::new() } else { format!("`{}`", cell(&default.join(" "))) };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "| {} | {default} | {} |", usage(argument), cell(&help));
    }
    text
}

#[test]
fn the_page_of_options_is_what_the_program_reads() {
    let sections: Vec<String> =
        cli::definition().get_subcommands().filter(|verb| !verb.is_hide_set()).map(section).collect();
    let text = format!(
        "# Options of kubectl lastout\n\n{WRITTEN}\n\nThe verbs of `kubectl lastout` and their options, as `kubectl lastout VERB \
         --help` has them. An option with … may be repeated. What they are for: [kubectl.md](../kubectl.md), \
         [check.md](../check.md), [doctor.md](../doctor.md), [policy.md](../policy.md), [webhook.md](../webhook.md), \
         [helper.md](../helper.md).\n\n{}",
        sections.join("\n")
    );
    golden::held(&repository().join("docs/reference/kubectl-options.md"), &text);
}
