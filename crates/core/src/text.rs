//! What messages need: values shown on one line, and the nearest of the known words.

use alloc::{format, string::String, vec::Vec};
use core::{fmt, ops::Range};

/// A value as it may stand in a one-line message: in backticks, control characters escaped, bad UTF-8
/// replaced, cut after 60 characters.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a [u8]);

/// Characters that [`Quoted`] shows.
const SHOWN: usize = 60;

impl<'a> Quoted<'a> {
    /// The same for text.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(shown) = header_at(self.0).and_then(|at| self.0.get(..at)) {
            f.write_str("`")?;
            write_escaped(f, String::from_utf8_lossy(shown).chars().take(SHOWN))?;
            return f.write_str("…`");
        }
        // A character has at most four bytes, so the cut falls behind the last one that is shown.
        let text = String::from_utf8_lossy(self.0.get(..4 * (SHOWN + 1)).unwrap_or(self.0));
        let mut rest = text.chars();
        f.write_str("`")?;
        write_escaped(f, rest.by_ref().take(SHOWN))?;
        f.write_str(if rest.next().is_some() { "…`" } else { "`" })
    }
}

/// The key of a header.
pub const HEADER: &[u8] = b"header=";

/// Where a header's name and value begin in a text, behind the key: whatever the text was meant as, that is not shown.
#[must_use]
pub fn header_at(text: &[u8]) -> Option<usize> {
    text.windows(HEADER.len()).position(|word| word == HEADER).map(|at| at + HEADER.len())
}

/// A value as an error keeps it: without what stands behind `header=`, in its text as in its `Debug`.
pub(crate) fn kept(value: &[u8]) -> String {
    let secret = header_at(value).unwrap_or(value.len());
    String::from_utf8_lossy(value.get(..secret).unwrap_or_default()).into_owned()
}

/// The reason of an error, behind the quoted value where it begins with a blank.
pub(crate) fn write_reason(f: &mut fmt::Formatter<'_>, value: &str, reason: &str) -> fmt::Result {
    if reason.starts_with(' ') {
        fmt::Display::fmt(&Quoted::text(value), f)?;
    }
    f.write_str(reason)
}

/// Which bytes of the whole a piece of it is; `None` where it is a copy. By its address: readers hand on pieces of
/// what they read, and need not count how far they have come.
pub(crate) fn place_in(whole: &[u8], piece: &[u8]) -> Option<Range<usize>> {
    let begin = piece.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = begin.checked_add(piece.len()).filter(|end| *end <= whole.len())?;
    Some(begin..end)
}

/// Splits before the first character that the test is true for.
pub(crate) fn split_where(text: &str, test: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at_checked(text.find(test).unwrap_or(text.len())).unwrap_or((text, ""))
}

/// An answer in words: its status, and what the sidecar said.
#[must_use]
pub fn answered(status: u16, quote: &str) -> String {
    if quote.is_empty() { format!("answered {status}") } else { format!("answered {status} \"{quote}\"") }
}

/// Characters of a sidecar's own words that are told.
const QUOTE_LIMIT: usize = 160;

/// The first line that says something, without control characters.
#[must_use]
pub fn quote(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTE_LIMIT).collect()
}

/// A path as it stands in messages: whole, control characters escaped, bad UTF-8 replaced.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a>(pub &'a [u8]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(f, String::from_utf8_lossy(self.0).chars())
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: impl Iterator<Item = char>) -> fmt::Result {
    for c in text {
        if c == ' ' || c.is_ascii_graphic() {
            write!(f, "{c}")?;
        } else {
            write!(f, "{}", c.escape_debug())?;
        }
    }
    Ok(())
}

/// The candidate that the word was most likely meant to be, if one is near: at most a third of the word's
/// letters, and one more, are wrong. Case does not count.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    if letters > 64 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, _)| distance <= letters / 3 + 1 && distance < letters)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, one row at a time. Case does not count.
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    let mut last = b.chars().count();
    for (i, from) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (cell, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let here =
                if from.eq_ignore_ascii_case(&to) { diagonal } else { 1 + diagonal.min(left).min(*cell) };
            diagonal = *cell;
            *cell = here;
            left = here;
        }
        last = left;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};
    use proptest::prelude::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let words = ["istio", "linkerd", "envoy", "cloud-sql-proxy"];
        for (word, expected) in [
            ("istoi", Some("istio")),
            ("Linkred", Some("linkerd")),
            ("cloudsql-proxy", Some("cloud-sql-proxy")),
            ("ENVOY", Some("envoy")),
            ("x", None),
            ("", None),
            ("something-else", None),
        ] {
            assert_eq!(nearest(word, words), expected, "{word}");
        }
        assert_eq!(nearest("a", []), None);
    }

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_quoted_value_is_one_short_line() {
        assert_eq!(Quoted(b"30\n").to_string(), r"`30\n`");
        assert_eq!(Quoted(b"a\xffb").to_string(), "`a\u{fffd}b`");
        for c in ["é", "😀", "\"", "\\"] {
            assert_eq!(Quoted::text(&c.repeat(61)).to_string(), format!("`{}…`", c.repeat(60)));
            assert_eq!(Quoted::text(&c.repeat(60)).to_string(), format!("`{}`", c.repeat(60)));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown_on_one_line(bytes: Vec<u8>) {
            prop_assert!(!Quoted(&bytes).to_string().chars().any(char::is_control));
            prop_assert!(!Path(&bytes).to_string().chars().any(char::is_control));
        }

        #[test]
        fn a_word_is_nearest_to_itself(word in "[a-z]{2,20}", other in "[a-z]{2,20}") {
            prop_assert_eq!(nearest(&word, [other.as_str(), word.as_str()]), Some(word.as_str()));
        }
    }
}
