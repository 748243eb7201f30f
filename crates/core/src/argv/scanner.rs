//! The options and SPECs of a subcommand that is governed by settings. Parsing ends at the first word that is no option,
//! as POSIX has it: `lastout sh -c 'exit 3'` works.

use super::words::{Kind, Word, Words};
use super::{Asked, Given, Line, Place, Wrong};
use crate::settings::{OPTIONS, Opt, OptionRow};
use alloc::{format, string::String};

pub(super) struct Scanner<'a, 'b> {
    words: Words<'a, 'b>,
    line: &'b mut Line<'a>,
    /// Operands have begun. What follows is a SPEC, or, behind something wrong, perhaps the command.
    in_operands: bool,
}

impl<'a, 'b> Scanner<'a, 'b> {
    pub(super) fn new(words: &'b [&'a [u8]], line: &'b mut Line<'a>) -> Self {
        let first = usize::from(!line.subcommand.name().is_empty());
        Self { words: Words::new(words, first), line, in_operands: false }
    }

    /// Reads all that may be ours. True: the operands stand behind `--`.
    pub(super) fn run(mut self) -> bool {
        let has_specs = self.line.subcommand.takes_specs();
        while let Some(word) = self.next_word() {
            if word.bytes == b"--" && word.kind == Kind::Whole && !(has_specs && self.in_operands) {
                self.in_operands = true;
                self.line.operands = word.place.word + 1;
                if has_specs {
                    continue;
                }
                return true;
            }
            let is_operand = !word.bytes.starts_with(b"-") || word.bytes == b"-";
            if is_operand && !self.in_operands {
                self.in_operands = true;
                self.line.operands = word.place.word;
            }
            if is_operand && !has_specs && self.line.problems.is_empty() {
                return false;
            }
            if has_specs && self.in_operands {
                self.spec(word);
            }
            match word.bytes {
                [b'-', b'-', option @ ..] => self.long(word, option),
                [b'-', letters @ ..] => self.short(word, letters),
                _ => {}
            }
            if self.line.asked == Some(Asked::Version) {
                return false;
            }
        }
        false
    }

    fn next_word(&mut self) -> Option<Word<'a>> {
        let word = self.words.next()?;
        if word.kind == Kind::First {
            self.wrong(word.place, Wrong::SeveralWords { option: shown(word.bytes) });
        }
        Some(word)
    }

    /// Among the operands all but the SPECs' own errors would be guesses.
    fn wrong(&mut self, place: Place, what: Wrong) {
        if !self.in_operands {
            self.line.wrong(place, what);
        }
    }

    fn spec(&mut self, word: Word<'a>) {
        let Word { bytes: value, place, .. } = word;
        if value.starts_with(b"-") {
            self.line.wrong(place, Wrong::OptionBehindSpecs { option: shown(value) });
        } else {
            let spec = Given { option: Opt::Sidecar, name: None, place, value_place: place, value };
            self.line.values.push(spec);
        }
    }

    /// `option`: the word behind its two dashes.
    fn long(&mut self, word: Word<'a>, option: &'a [u8]) {
        let (name, attached) = match option.iter().position(|byte| *byte == b'=') {
            Some(equals) => option.split_at(equals),
            None => (option, &[][..]),
        };
        let attached = attached.get(1..);
        let behind_equals = Place { byte: word.place.byte + 2 + name.len() + 1, ..word.place };
        let row = OPTIONS.iter().find(|row| row.name.as_bytes() == name);
        match (row, attached) {
            (Some(row), Some(value)) => self.value(row, word.place, behind_equals, value),
            (Some(row), None) if row.value.is_none() => self.value(row, word.place, word.place, b"true"),
            // Whatever it looks like, `--` included: `--linger -3s` is an error of the value.
            (Some(row), None) => match self.next_word() {
                Some(value) => self.value(row, word.place, value.place, value.bytes),
                None => self.wrong(word.place, Wrong::ValueMissing(row.name)),
            },
            (None, Some(value)) if let Some((option, _)) = text_named(name) => {
                let value = String::from_utf8_lossy(value).into_owned();
                self.wrong(behind_equals, Wrong::ValueUnexpected { option, value });
            }
            (None, None) if let Some((name, asked)) = text_named(name) => self.ask(word.place, name, asked),
            // Of several words in one item, or again among SPECs.
            (None, None) if name.is_empty() => {}
            (None, _) => self.wrong(word.place, Wrong::unknown(&[b"--", name].concat())),
        }
    }

    /// `letters`: the word behind its dash.
    fn short(&mut self, word: Word<'a>, letters: &'a [u8]) {
        for (at, letter) in letters.iter().enumerate() {
            let place = Place { byte: word.place.byte + 1 + at, ..word.place };
            match letter {
                b'h' => self.ask(place, "help", Asked::Help),
                b'V' => {
                    self.ask(place, "version", Asked::Version);
                    return;
                }
                _ => {
                    let rest = letters.get(at..).unwrap_or_default();
                    let valid = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
                    let letter = valid.map_or_else(|| shown(rest), String::from);
                    self.wrong(place, Wrong::unknown(format!("-{letter}").as_bytes()));
                    return;
                }
            }
        }
    }

    fn value(&mut self, row: &OptionRow, place: Place, value_place: Place, value: &'a [u8]) {
        let may_be_the_commands = self.in_operands && !self.line.subcommand.takes_specs();
        if row.option == Opt::Sidecar || !may_be_the_commands {
            let given = Given { option: row.option, name: Some(row.name), place, value_place, value };
            self.line.values.push(given);
        }
    }

    fn ask(&mut self, place: Place, name: &'static str, asked: Asked) {
        if self.line.asked == Some(asked) {
            self.wrong(place, Wrong::Repeated(name));
        } else if self.line.problems.is_empty() {
            self.line.asked = Some(asked);
        }
    }
}

/// The options that are no settings.
fn text_named(name: &[u8]) -> Option<(&'static str, Asked)> {
    match name {
        b"help" => Some(("help", Asked::Help)),
        b"version" => Some(("version", Asked::Version)),
        _ => None,
    }
}

/// An option as it is shown: without its value.
fn shown(word: &[u8]) -> String {
    let name = word.split(|byte| *byte == b'=').next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}
