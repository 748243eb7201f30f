//! What the first word asks for.

use crate::settings::Verb;
use crate::text::distance;

/// What `lastout …` is asked to do. A subcommand is one only as the very first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subcommand {
    /// What is governed by settings; [`Verb::Run`] is the one without a word of its own.
    Work(Verb),
    /// `install DEST`
    Install,
    /// `sleep DURATION`
    Sleep,
    /// `presets [--json]`
    Presets,
}

impl Subcommand {
    /// All that have a word.
    pub const NAMED: [Self; 6] = [
        Self::Install,
        Self::Work(Verb::Wait),
        Self::Work(Verb::Stop),
        Self::Work(Verb::Guard),
        Self::Sleep,
        Self::Presets,
    ];

    /// What this first word asks for; one that is none of ours begins the options or the command.
    #[must_use]
    pub fn named(first: Option<&[u8]>) -> Self {
        let named = Self::NAMED.into_iter().find(|own| first == Some(own.name().as_bytes()));
        named.unwrap_or(Self::Work(Verb::Run))
    }

    /// Its word; empty for the one that has none.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Work(Verb::Run) => "",
            Self::Work(Verb::Wait) => "wait",
            Self::Work(Verb::Stop) => "stop",
            Self::Work(Verb::Guard) => "guard",
            Self::Install => "install",
            Self::Sleep => "sleep",
            Self::Presets => "presets",
        }
    }

    /// How it is called, in one line.
    #[must_use]
    pub fn usage(self) -> &'static str {
        match self {
            Self::Work(Verb::Run) => "lastout [OPTIONS] [--] COMMAND [ARG]...",
            Self::Work(Verb::Wait) => "lastout wait [OPTIONS] [SPEC]...",
            Self::Work(Verb::Stop) => "lastout stop [OPTIONS] [SPEC]...",
            Self::Work(Verb::Guard) => "lastout guard --group DIR [OPTIONS] [--] COMMAND [ARG]...",
            Self::Install => "lastout install DEST",
            Self::Sleep => "lastout sleep DURATION",
            Self::Presets => "lastout presets [--json]",
        }
    }

    /// Its operands are SPECs: no word behind them is a command's.
    pub(super) fn takes_specs(self) -> bool {
        matches!(self, Self::Work(Verb::Wait | Verb::Stop))
    }
}

/// What of our own a command's name may have been meant as: one letter is wrong, missing or too many. No error by
/// itself, as a program may have that name.
#[must_use]
pub fn misspelt(command: &[u8]) -> Option<&'static str> {
    match core::str::from_utf8(command).ok()? {
        "help" => Some("--help"),
        "version" => Some("--version"),
        word if word.chars().count() < 4 => None,
        word => Subcommand::NAMED.into_iter().map(Subcommand::name).find(|name| distance(word, name) <= 1),
    }
}
