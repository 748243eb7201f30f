//! The words of a command line, each with its place.

use super::Place;

/// One after the other. An item of a list that holds several words gives them one by one: what is meant is plain.
pub(super) struct Words<'a, 'b> {
    items: &'b [&'a [u8]],
    next: usize,
    /// Where in the item before `next` the rest of its words begins.
    rest: Option<usize>,
}

/// A word and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// How a word came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As an item of its own.
    Whole,
    /// As the first of several in one item.
    First,
    /// Behind the first in the same item.
    Later,
}

impl<'a, 'b> Words<'a, 'b> {
    pub(super) fn new(items: &'b [&'a [u8]], next: usize) -> Self {
        Self { items, next, rest: None }
    }

    /// Of the item that is open.
    fn next_part(&mut self) -> Option<Word<'a>> {
        let rest = self.rest.take()?;
        let word = self.next.checked_sub(1)?;
        let behind = self.items.get(word)?.get(rest..)?;
        let blanks = behind.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let part = behind.get(blanks..)?.split(u8::is_ascii_whitespace).next()?;
        let byte = rest + blanks;
        self.rest = Some(byte + part.len());
        let kind = if byte == 0 { Kind::First } else { Kind::Later };
        Some(Word { bytes: part, place: Place { word, byte }, kind })
    }
}

impl<'a> Iterator for Words<'a, '_> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        if let Some(part) = self.next_part() {
            return Some(part);
        }
        let item = *self.items.get(self.next)?;
        let place = Place { word: self.next, byte: 0 };
        self.next += 1;
        if is_several(item) {
            self.rest = Some(0);
            return self.next_part();
        }
        Some(Word { bytes: item, place, kind: Kind::Whole })
    }
}

/// An option and more that came as one word: `--sidecar envoy`, `--sidecar=envoy --no-wait`.
fn is_several(item: &[u8]) -> bool {
    let blank = item.iter().position(u8::is_ascii_whitespace);
    let equals = item.iter().position(|byte| *byte == b'=');
    item.starts_with(b"--")
        && match (blank, equals) {
            (Some(blank), Some(equals)) if equals < blank => item.windows(3).any(|three| three == b" --"),
            (Some(_), _) => true,
            (None, _) => false,
        }
}
