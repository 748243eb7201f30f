//! Durations as users write and read them.

use crate::text::{Quoted, split_where, write_reason};
use core::{fmt, time::Duration};

/// Units from large to small, each in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest that is accepted: ten years. Far below where adding it to a clock overflows.
const MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A text that is no duration. Its `Display` is one line that quotes the text and says what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationError<'a> {
    /// What is wrong with it.
    pub kind: DurationErrorKind,
    /// The whole text.
    pub text: &'a str,
}

/// What is wrong with a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationErrorKind {
    /// It is none.
    Malformed,
    /// A number without a unit.
    NoUnit,
    /// Longer than the longest that is accepted.
    TooLong,
}

impl fmt::Display for DurationError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text;
        match self.kind {
            DurationErrorKind::Malformed => {
                write_reason(f, text, " is no duration: write 500ms, 10s, 2m, 1h or 1m30s")
            }
            DurationErrorKind::NoUnit => {
                write!(f, "{} has no unit: write {text:.40}s", Quoted::text(text))
            }
            DurationErrorKind::TooLong => {
                write!(f, "{} is too long: at most {}h", Quoted::text(text), MAX.as_secs() / 3600)
            }
        }
    }
}

impl core::error::Error for DurationError<'_> {}

/// Reads `500ms`, `10s`, `2m`, `1h`, `1m30s`, `0`: whole numbers, units from large to small, each once.
///
/// # Errors
/// When it is none, has no unit or is too long.
pub fn parse(text: &str) -> Result<Duration, DurationError<'_>> {
    let no_duration = || DurationError { kind: DurationErrorKind::Malformed, text };
    if text.is_empty() {
        return Err(no_duration());
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0u64;
    while !rest.is_empty() {
        let (digits, behind) = split_where(rest, |c| !c.is_ascii_digit());
        let (unit, behind) = split_where(behind, |c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(no_duration());
        }
        if unit.is_empty() {
            return match text {
                digits if digits.bytes().all(|b| b == b'0') => Ok(Duration::ZERO),
                digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                    Err(DurationError { kind: DurationErrorKind::NoUnit, text })
                }
                _ => Err(no_duration()),
            };
        }
        // `units` goes on where it stopped, so that a unit after a smaller or the same one is not found.
        let Some(&(_, millis)) = units.find(|(known, _)| *known == unit) else { return Err(no_duration()) };
        let part = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(millis));
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(|| too_long(text))?;
        rest = behind;
    }
    limited(Duration::from_millis(total), text)
}

/// As [`parse`], but a bare number, also with a fraction (`5`, `0.5`), is seconds, and `infinity` is the longest there
/// is, as for `sleep(1)`.
///
/// # Errors
/// As [`parse`].
pub fn parse_seconds_or(text: &str) -> Result<Duration, DurationError<'_>> {
    if text == "infinity" {
        return Ok(MAX);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || !text.contains(|c: char| c.is_ascii_digit()) {
        return parse(text);
    }
    let seconds = if whole.is_empty() { Ok(0) } else { whole.parse() }.map_err(|_| too_long(text))?;
    let nanos = fraction.bytes().chain(core::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0u32, |nanos, digit| 10 * nanos + u32::from(digit - b'0'));
    limited(Duration::new(seconds, nanos), text)
}

fn limited(duration: Duration, text: &str) -> Result<Duration, DurationError<'_>> {
    if duration > MAX { Err(too_long(text)) } else { Ok(duration) }
}

fn too_long(text: &str) -> DurationError<'_> {
    DurationError { kind: DurationErrorKind::TooLong, text }
}

/// A duration for the eye: `350 ms`, `1.2 s`, `10 s`, `2m 05s`, `1h 02m`. Cut, never rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Human(pub Duration);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.as_secs(), self.0.subsec_millis());
        match seconds {
            0 => write!(f, "{millis} ms"),
            1..60 if millis < 100 => write!(f, "{seconds} s"),
            1..60 => write!(f, "{seconds}.{} s", millis / 100),
            60..3600 => write!(f, "{}m {:02}s", seconds / 60, seconds % 60),
            3600.. => write!(f, "{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{
        format,
        string::{String, ToString},
    };
    use proptest::prelude::*;

    #[test]
    fn durations_that_users_write() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("500ms", 500),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
            ("1h2m3s4ms", 3_723_004),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_an_error_that_says_so() {
        assert_eq!(parse("30").unwrap_err().to_string(), "`30` has no unit: write 30s");
        for text in
            ["", "s", "1x", "1s1s", "1s1m", "1m30", "-1s", "+1s", "1.5s", " 1s", "1 s", "1é", "ms", "1d"]
        {
            let error = parse(text).unwrap_err();
            assert_eq!(error, DurationError { kind: DurationErrorKind::Malformed, text });
            assert!(error.to_string().contains("is no duration"), "{text}");
        }
        for text in ["99999999999999999999s", "18446744073709551615h", "87601h", "18446744073709551615ms"] {
            assert!(parse(text).unwrap_err().to_string().contains("is too long"), "{text}");
        }
    }

    #[test]
    fn sleep_takes_bare_numbers_as_seconds() {
        for (text, millis) in
            [("5", 5000), ("0.5", 500), (".25", 250), ("1.", 1000), ("0", 0), ("2m", 120_000)]
        {
            assert_eq!(parse_seconds_or(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", ".", "1.5.2", "x", "0.x", "-1", "99999999999999999999", "1e3"] {
            assert!(parse_seconds_or(text).is_err(), "{text}");
        }
    }

    #[test]
    fn human_forms() {
        for (millis, text) in [
            (0, "0 ms"),
            (350, "350 ms"),
            (1_290, "1.2 s"),
            (10_050, "10 s"),
            (59_999, "59.9 s"),
            (125_000, "2m 05s"),
            (3_725_000, "1h 02m"),
        ] {
            assert_eq!(Human(Duration::from_millis(millis)).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text: String) {
            let _ = parse(&text);
            let _ = parse_seconds_or(&text);
        }

        #[test]
        fn parts_add_up(h in 0u64..9999, m in 0u64..9999, s in 0u64..9999, ms in 0u64..9999) {
            let millis = h * 3_600_000 + m * 60_000 + s * 1000 + ms;
            let text = format!("{h}h{m}m{s}s{ms}ms");
            prop_assert_eq!(parse(&text), Ok(Duration::from_millis(millis)));
        }
    }
}
