//! What is wrong with a spec, and where in its text.

mod line;
#[cfg(test)]
mod tests;

use super::Spec;
use super::parse::KEYS;
use super::target::METHODS;
use crate::duration::DurationErrorKind;
use crate::presets::{self, PRESETS};
use crate::text::{kept, nearest, place_in, split_where};
use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec::Vec};
use core::ops::Range;

/// A spec that cannot be used. Its `Display` is one line that names the sidecar, the key, its value and the way out.
/// What may be a secret (a header's value, a user in an URL) is in no field of it: `at` says where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// What is wrong.
    pub kind: SpecErrorKind,
    /// The sidecar's name, as far as it could be read.
    pub name: String,
    /// What the value belongs to.
    pub subject: Subject,
    /// What is wrong, as the line shows it (escapes may be decoded); empty where the line does not show it. Of an
    /// error about a header: the header's name.
    pub value: String,
    /// The bytes of the text that are wrong: a value or the part of it that is meant, the whole `key=value` where
    /// that is wrong as such. The name, where the value is a variable's.
    pub at: Range<usize>,
}

/// What a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The name, or the spec as a whole.
    Spec,
    /// This key.
    Key(&'static str),
    /// This variable, which a row of data takes something from.
    Variable(&'static str),
}

/// What is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecErrorKind {
    /// It has so many bytes.
    TooLong(usize),
    /// It does not begin with a name.
    NoName,
    /// A comma behind the name, as in a list of names.
    CommaBehindName,
    /// A blank behind the name: several words came as one.
    BlankBehindName,
    /// The name ends in a character that no name has.
    StrangeCharacter,
    /// The name has neither a letter nor a digit.
    NoLetter,
    /// An URL, without a name and a key in front.
    OnlyUrl,
    /// There is no such sidecar, and nothing says how to treat it.
    UnknownSidecar,
    /// There is nothing between two commas.
    NoKey,
    /// A number instead of `port=` and the number.
    OnlyNumber,
    /// There is no such key.
    UnknownKey,
    /// No key, behind a header: it may be the rest of that header's value.
    BehindHeader,
    /// The key has no value.
    NoValue,
    /// The key is given twice.
    Twice,
    /// `socket` is given, too.
    SocketToo,
    /// `signal` without `process`.
    NoProcess,
    /// The key changes nothing, for this reason.
    NoEffect(&'static str),
    /// `header` without a name or a value.
    HeaderIncomplete,
    /// What stands before the `=` is no header's name.
    HeaderName,
    /// A header that says where the request ends.
    HeaderFraming,
    /// The value of a header holds what no header does.
    HeaderValue,
    /// A path alone, and nothing says where.
    OnlyPath,
    /// The URL has a port, and `socket` is given.
    UrlWithPort,
    /// An address to which no request can be sent.
    NoRequest,
    /// `refused` is to prove the end of one that has no port.
    NoPortToRefuse,
    /// No duration.
    Duration(DurationErrorKind),
    /// A timeout of 0.
    NoTime,
    /// No address.
    Address,
    /// `https://`.
    Https,
    /// `tcp://` without a port.
    TcpWithoutPort,
    /// A user or a password in an URL.
    User,
    /// No loopback host.
    Host,
    /// No port.
    Port,
    /// A fragment in an URL.
    Fragment,
    /// A character that may not stand in a request line.
    PathCharacter(char),
    /// No name of a file behind this scheme.
    NoFile(&'static str),
    /// A NUL in the name of a file.
    Nul,
    /// `@` alone.
    AbstractName,
    /// The path has no room in the address of a socket.
    SocketTooLong,
    /// No method.
    Method,
    /// No set of statuses.
    Statuses,
    /// Nothing that proves an end.
    Proof,
    /// `process:` without a name.
    NoProcessName,
    /// A control character in the name of a process.
    ControlCharacter,
    /// No signal.
    Signal,
    /// No whole number.
    Order,
}

impl SpecError {
    pub(super) fn new(text: &str, wrong: Wrong<'_>) -> Self {
        let (name, rest) = split_where(text, |c| !is_of_name(c));
        let mut at = wrong.at.and_then(|piece| place_in(text.as_bytes(), piece.as_bytes()));
        if let (None, Subject::Key(key)) = (&at, wrong.subject) {
            let mut items = rest.split_once(':').unwrap_or_default().1.split(',');
            let item = items.find_map(|item| Some((item, item.strip_prefix(key)?.strip_prefix('=')?)));
            let piece = item.map(|(item, value)| if wrong.kind.is_of_the_key() { item } else { value });
            at = piece.and_then(|piece| place_in(text.as_bytes(), piece.as_bytes()));
        }
        Self {
            kind: wrong.kind,
            subject: wrong.subject,
            value: wrong.value,
            at: at.unwrap_or(0..name.len()),
            name: name.to_owned(),
        }
    }

    /// Of a spec that could be read, and whose socket has no room in an address now that its path is whole.
    pub(super) fn socket_too_long(spec: &Spec, shown: &str) -> Self {
        Self {
            kind: SpecErrorKind::SocketTooLong,
            name: spec.name.clone(),
            subject: Subject::Spec,
            value: kept(shown.as_bytes()),
            at: 0..0,
        }
    }

    /// What to write instead of the bytes at `at`, where that is plain.
    #[must_use]
    pub fn mend(&self) -> Option<String> {
        if matches!(self.kind, SpecErrorKind::OnlyNumber) {
            Some(format!("port={}", self.value))
        } else if matches!(self.kind, SpecErrorKind::Duration(DurationErrorKind::NoUnit)) {
            Some(format!("{}s", self.value))
        } else {
            self.meant().map(str::to_owned)
        }
    }

    /// The word that the value was most likely meant to be.
    fn meant(&self) -> Option<&'static str> {
        let of = |words: &[&'static str]| nearest(&self.value, words.iter().copied());
        if matches!(self.kind, SpecErrorKind::UnknownSidecar) {
            let row = presets::find_by_container(&self.value);
            row.map(|preset| preset.name).or_else(|| of(&names()))
        } else if matches!(self.kind, SpecErrorKind::UnknownKey) {
            of(&KEYS)
        } else if matches!(self.kind, SpecErrorKind::Method) {
            of(&METHODS)
        } else {
            None
        }
    }
}

fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name).collect()
}

/// A character that may stand in a name.
pub(super) fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

impl SpecErrorKind {
    /// The item is wrong as such, not only its value.
    fn is_of_the_key(&self) -> bool {
        use SpecErrorKind as Kind;
        matches!(self, Kind::NoValue | Kind::Twice | Kind::SocketToo | Kind::NoProcess | Kind::NoEffect(_))
    }
}

impl core::error::Error for SpecError {}

/// What a reader of this stage returns. Boxed, as it is handed on by every one of them and seldom made.
pub(super) type Read<'a, T> = Result<T, Box<Wrong<'a>>>;

/// An error that has not yet met the text as a whole.
pub(super) struct Wrong<'a> {
    kind: SpecErrorKind,
    subject: Subject,
    value: String,
    at: Option<&'a str>,
}

impl<'a> Wrong<'a> {
    /// This piece of the text is wrong; `value`: how it is shown.
    pub(super) fn shown(kind: SpecErrorKind, at: &'a str, value: &str) -> Box<Self> {
        Box::new(Self { kind, subject: Subject::Spec, value: kept(value.as_bytes()), at: Some(at) })
    }

    /// This piece of the text is wrong, and may be shown.
    pub(super) fn new(kind: SpecErrorKind, at: &'a str) -> Box<Self> {
        Self::shown(kind, at, at)
    }

    /// This piece of the text is wrong; it may be a secret, or says nothing.
    pub(super) fn hidden(kind: SpecErrorKind, at: &'a str) -> Box<Self> {
        Self::shown(kind, at, "")
    }

    /// The key is wrong as such, or its whole value, which says nothing.
    pub(super) fn of_key(kind: SpecErrorKind, key: &'static str) -> Box<Self> {
        Box::new(Self { kind, subject: Subject::Key(key), value: String::new(), at: None })
    }

    /// The same, of this key.
    pub(super) fn with_key(mut self: Box<Self>, key: &'static str) -> Box<Self> {
        self.subject = Subject::Key(key);
        self
    }

    /// The same, of a variable's value, which is not in the text.
    pub(super) fn with_variable(self, variable: &'static str) -> Box<Wrong<'static>> {
        let Self { kind, value, .. } = self;
        Box::new(Wrong { kind, subject: Subject::Variable(variable), value, at: None })
    }
}
