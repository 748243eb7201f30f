//! How a verb ends: with an exit code, or with a line for the user.

use std::fmt;

/// What the exit code says. A line for the user (an [`Error`]) and a wrong command line are 2 as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: all is done, and there is nothing to tell.
    Done,
    /// 1: there is what was looked for: a finding, a change, something that hangs.
    Found,
    /// 2: something could not be read; the rest is done.
    Unreadable,
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
            Self::Unreadable => 2,
        }
    }

    /// [`Found`](Self::Found) where there is something.
    #[must_use]
    pub fn found(something: bool) -> Self {
        if something { Self::Found } else { Self::Done }
    }
}

/// Why a verb could not do what it was asked for: one line that names the thing, its value and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.0))
    }
}

impl std::error::Error for Error {}

/// What a verb comes to.
pub type Ended = Result<Exit, Error>;

/// As one line that a terminal shows and does not obey: a name in a manifest may hold line feeds and escape sequences.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
