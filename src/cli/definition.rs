//! The options as clap knows them: it reads every well-formed command line. What it refuses is read again by
//! [`lastout_core::argv`]: clap's own `ignore_errors` ends at the first unknown option, and a sidecar that is named behind
//! it would hang the pod. That both mean the same is tested here.

use clap::builder::OsStringValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches};
use lastout_core::argv::Asked;
use lastout_core::settings::{OPTIONS, RawValue};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

const COMMAND: &str = "COMMAND";
const HELP: &str = "help";

/// What clap makes of the words behind the subcommand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// A text is asked for.
    Text(Asked),
    /// The values of all options, by the table's order, and the number of words behind them.
    Values(Vec<RawValue>, usize),
    /// Something is wrong.
    Refused,
}

pub(super) fn read(args: &[&OsStr]) -> Reading {
    read_by(&mut definition(), args)
}

/// By a definition that can be used again.
pub(super) fn read_by(definition: &mut clap::Command, args: &[&OsStr]) -> Reading {
    match definition.try_get_matches_from_mut(args) {
        Ok(matches) if matches.try_get_one(HELP).ok().flatten().copied().unwrap_or(false) => {
            Reading::Text(Asked::Help)
        }
        Ok(matches) => {
            let operands = matches.try_get_many::<OsString>(COMMAND).ok().flatten();
            Reading::Values(values(&matches), operands.map_or(0, Iterator::count))
        }
        Err(error) if error.kind() == ErrorKind::DisplayVersion => Reading::Text(Asked::Version),
        Err(_) => Reading::Refused,
    }
}

pub(super) fn definition() -> clap::Command {
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
        // Ours asks what is shown; where another crate of the workspace has clap's help, it would add a second one.
        .disable_help_flag(true)
        .version(env!("CARGO_PKG_VERSION"))
        .args(options)
        .arg(Arg::new(HELP).long(HELP).short('h').action(ArgAction::SetTrue))
        .arg(command)
}

fn values(matches: &ArgMatches) -> Vec<RawValue> {
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
