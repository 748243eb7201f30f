//! What is wrong with a command line, and what to say of it.

use super::{Place, Subcommand};
use crate::settings::{OPTIONS, Verb};
use crate::text::{Quoted, nearest};
use alloc::string::String;
use core::fmt;

/// Something wrong, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Behind the last word where something is missing.
    pub place: Place,
    /// What.
    pub what: Wrong,
}

/// What can be wrong. Shown in one line for the user, with the way out and without the option's value, which may be a
/// secret. Bad UTF-8 is replaced; control characters are for the writer of the line to escape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No option of ours has this name.
    UnknownOption {
        /// As it is written, such as `--stop-timout` or `-x`.
        option: String,
        /// The name of the one that may be meant, without dashes.
        meant: Option<&'static str>,
    },
    /// One of tini, dumb-init or catatonit.
    OptionOfAnotherInit {
        /// As it is written there.
        option: &'static str,
        /// What to say instead.
        ours: &'static str,
    },
    /// The last word is an option of this name, which takes a value.
    ValueMissing(&'static str),
    /// `--help=x`
    ValueUnexpected {
        /// The name, without dashes.
        option: &'static str,
        /// What follows the `=`.
        value: String,
    },
    /// An option of this name counts once and is there again.
    Repeated(&'static str),
    /// An item of the list holds an option and more words.
    SeveralWords {
        /// Its first word, up to the `=`.
        option: String,
    },
    /// `wait` and `stop`: behind the first SPEC all words are SPECs.
    OptionBehindSpecs {
        /// As it is written, up to the `=`.
        option: String,
    },
    /// An option of ours of this name is an argument of the command.
    OptionBehindCommand(&'static str),
    /// There is none, or its name is empty.
    NoCommand,
    /// `install`, `sleep` or `presets` with words that mean nothing to it.
    Misused {
        /// Which.
        subcommand: Subcommand,
        /// The whole line.
        line: String,
    },
}

impl Wrong {
    /// The wrapper does not start the command. Else it warns: what is odd may be meant.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !matches!(self, Self::OptionBehindCommand(_))
    }

    /// This option, as it is written up to the `=`, is none of ours.
    pub(super) fn unknown(option: &[u8]) -> Self {
        let option = String::from_utf8_lossy(option).into_owned();
        match OTHER_INITS.iter().find(|(theirs, _)| *theirs == option) {
            Some(&(option, ours)) => Self::OptionOfAnotherInit { option, ours },
            None => {
                let name = option.trim_start_matches('-');
                let meant = nearest(name, OPTIONS.iter().map(|row| row.name));
                Self::UnknownOption { option, meant }
            }
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOption { option, meant } => {
                write!(f, "{option}: no such option;")?;
                if let Some(meant) = meant {
                    write!(f, " did you mean `--{meant}`?")?;
                }
                f.write_str(
                    " lastout --help lists them, and a command that begins with a dash goes behind --",
                )
            }
            Self::OptionOfAnotherInit { option, ours } => {
                write!(f, "{option}: an option of another init; here {ours} (lastout --help)")
            }
            Self::ValueMissing(name) => write!(f, "--{name}: needs a value; lastout --help tells which"),
            Self::ValueUnexpected { option, value } => write!(
                f,
                "unexpected value '{value}' for '--{option}' found; no more were expected; see lastout --help"
            ),
            Self::Repeated(name) => {
                write!(f, "the argument '--{name}' cannot be used multiple times; see lastout --help")
            }
            Self::SeveralWords { option } => write!(
                f,
                "`{option} …` came as one word: write each of its words as an item of the list, or {option}=VALUE"
            ),
            Self::OptionBehindSpecs { option } => write!(f, "{option}: options go before the SPECs"),
            Self::OptionBehindCommand(name) => write!(
                f,
                "--{name} stands behind the command and is its argument: options go before the command (behind -- it is meant so)"
            ),
            Self::NoCommand => {
                write!(f, "no command to run: {} (lastout --help)", Subcommand::Work(Verb::Run).usage())
            }
            Self::Misused { subcommand, line } => {
                let (line, usage, name) = (Quoted::text(line), subcommand.usage(), subcommand.name());
                write!(f, "{line} cannot be read: write {usage} (lastout {name} --help)")
            }
        }
    }
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
