//! What a command line of `lastout` means: which subcommand, which values, where its operands begin, and what is wrong,
//! each with its place. Two ask: the wrapper, which stops the sidecars that can be read in spite of a typo, and a check of
//! manifests, which points at what people wrote. Total: any bytes give a [`Line`].
//!
//! Options are those of [`OPTIONS`](crate::settings::OPTIONS). No value is judged here: that is [`crate::settings`].

mod misplaced;
mod problem;
mod scanner;
mod subcommand;
#[cfg(test)]
mod tests;
mod words;

pub use misplaced::option_behind_command;
pub use problem::{Problem, Wrong};
pub use subcommand::{Subcommand, misspelt};

use crate::settings::{Opt, RawValue, Verb};
use alloc::{format, string::String, string::ToString, vec::Vec};
use scanner::Scanner;

/// A byte of a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which word, from 0. The program's own name does not count; as many as there are words: the end of the line.
    pub word: usize,
    /// Which of its bytes, from 0.
    pub byte: usize,
}

/// A value, as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given<'a> {
    /// Which option.
    pub option: Opt,
    /// Its name, without dashes; a SPEC that stands by itself has none.
    pub name: Option<&'static str>,
    /// Where its name begins, the dashes included.
    pub place: Place,
    /// Where the value begins: behind the `=`, or a word of its own. A switch that stands alone has the place of its name.
    pub value_place: Place,
    /// The bytes; `true` for a switch that stands alone.
    pub value: &'a [u8],
}

impl Given<'_> {
    /// As the settings want it.
    #[must_use]
    pub fn raw(&self) -> RawValue {
        let origin = self.name.map_or_else(|| SPEC.to_string(), |name| format!("--{name}"));
        RawValue { option: self.option, origin, value: self.value.to_vec() }
    }
}

/// What an error names where a sidecar is given without `--sidecar`.
pub const SPEC: &str = "SPEC";

/// A text that is asked for instead of any work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `--help`, `-h`
    Help,
    /// `--version`, `-V`; what follows it is not read.
    Version,
}

/// What a command line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it asks for.
    pub subcommand: Subcommand,
    /// Every value that can be read, in the order given. Behind something wrong a word may be a value that went astray or
    /// the command: `--sidecar` is still read there, as its sidecar is to be stopped, and no other option.
    pub values: Vec<Given<'a>>,
    /// The word at which the operands begin: COMMAND, the SPECs, DEST or DURATION. The number of words where there are
    /// none. Only a guess where something before it is wrong.
    pub operands: usize,
    /// Instead. Counts where nothing is refused.
    pub asked: Option<Asked>,
    /// What is wrong, in the order of the line.
    pub problems: Vec<Problem>,
}

impl Line<'_> {
    /// The first thing for which the wrapper does not start the command.
    #[must_use]
    pub fn refused(&self) -> Option<&Wrong> {
        self.problems.iter().map(|problem| &problem.what).find(|what| what.is_refused())
    }

    fn wrong(&mut self, place: Place, what: Wrong) {
        self.problems.push(Problem { place, what });
    }
}

/// Reads the words behind the program's own name.
#[must_use]
pub fn scan<'a>(words: &[&'a [u8]]) -> Line<'a> {
    let subcommand = Subcommand::named(words.first().copied());
    let (values, problems) = (Vec::new(), Vec::new());
    let mut line = Line { subcommand, values, operands: words.len(), asked: None, problems };
    match subcommand {
        Subcommand::Work(verb) => {
            let behind_dashes = Scanner::new(words, &mut line).run();
            if line.asked.is_none() && line.problems.is_empty() {
                judge_command(verb, words, behind_dashes, &mut line);
            }
        }
        Subcommand::Install | Subcommand::Sleep => take_operands(words, 1, &mut line),
        Subcommand::Presets => take_operands(words, 0, &mut line),
    }
    line
}

fn judge_command(verb: Verb, words: &[&[u8]], behind_dashes: bool, line: &mut Line<'_>) {
    let begins = line.operands;
    let command = words.get(begins..).unwrap_or_default();
    if verb == Verb::Run && command.first().is_none_or(|word| word.is_empty()) {
        line.wrong(Place { word: begins, byte: 0 }, Wrong::NoCommand);
    }
    // Nothing is wrong: none of the SPECs that `wait` and `stop` have for a command looks like an option.
    if !behind_dashes && let Some((at, row)) = option_behind_command(&mut command.iter().copied()) {
        line.wrong(Place { word: begins + at, byte: 0 }, Wrong::OptionBehindCommand(row.name));
    }
}

/// Of a subcommand without settings: so many operands, or `--help`.
fn take_operands(words: &[&[u8]], number: usize, line: &mut Line<'_>) {
    let rest = words.get(1..).unwrap_or_default();
    match rest {
        [b"--help" | b"-h"] => line.asked = Some(Asked::Help),
        [b"--json"] if line.subcommand == Subcommand::Presets => {}
        _ if rest.len() == number && !rest.iter().any(|word| word.starts_with(b"-")) => line.operands = 1,
        _ => {
            let odd = |(at, word): (usize, &&[u8])| at >= number || word.starts_with(b"-");
            let word = 1 + rest.iter().enumerate().position(odd).unwrap_or(rest.len());
            let whole = [&[&b"lastout"[..]], words].concat().join(&b' ');
            let whole = String::from_utf8_lossy(&whole).into_owned();
            line.wrong(Place { word, byte: 0 }, Wrong::Misused { subcommand: line.subcommand, line: whole });
        }
    }
}
