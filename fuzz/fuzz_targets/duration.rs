//! Any text as a duration: the sum of its parts within the limit, or one line that shows a way that reads; and what is
//! shown of one is that one, cut.
#![no_main]

use lastout_core::duration::{DurationError, DurationErrorKind, Human, parse, parse_seconds_or};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The sum of `1h`, `30m` and what else there is, each read on its own.
fn sum_of_parts(text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let length = rest[unit..].find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len() - unit);
        let (part, behind) = rest.split_at(unit + length);
        sum += parse(part).ok()?;
        rest = behind;
    }
    Some(sum)
}

/// What people see is never more than it is, and less by less than its last digit.
fn shown_is_cut(duration: Duration) {
    let shown = Human(duration).to_string();
    let plain = shown.replace(' ', "");
    let (read, last) = match shown.strip_suffix(" s") {
        Some(seconds) => (parse_seconds_or(seconds), Duration::from_millis(100)),
        None if shown.ends_with("ms") => (parse(&plain), Duration::from_millis(1)),
        None if shown.ends_with('s') => (parse(&plain), Duration::from_secs(1)),
        None => (parse(&plain), Duration::from_secs(60)),
    };
    let read = read.unwrap_or_else(|_| panic!("{shown} does not read back"));
    assert!(read <= duration && duration - read < last, "{duration:?} is shown as {shown}");
}

fn has_one_line(error: &DurationError<'_>) {
    let line = error.to_string();
    assert!(!line.is_empty() && !line.chars().any(char::is_control), "{line}");
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let strict = parse(text);
    match &strict {
        Ok(duration) => {
            assert!(*duration <= LONGEST && duration.subsec_nanos() % 1_000_000 == 0, "{text}: {duration:?}");
            assert_eq!(sum_of_parts(text), Some(*duration), "{text}");
            let millis = format!("{}ms", duration.as_millis());
            assert_eq!(parse(&millis), Ok(*duration));
            shown_is_cut(*duration);
        }
        Err(error) => {
            has_one_line(error);
            if error.kind == DurationErrorKind::NoUnit {
                let advised = parse(&format!("{text}s")).map_err(|error| error.kind);
                assert!(matches!(advised, Ok(_) | Err(DurationErrorKind::TooLong)), "{text}: {advised:?}");
            }
        }
    }
    match parse_seconds_or(text) {
        Ok(duration) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
            let wanted: f64 = text.parse().expect("a number");
            // What is beyond a nanosecond is cut, and a float is not exact.
            assert!(
                (duration.as_secs_f64() - wanted).abs() <= 2e-9 * wanted.max(1.0),
                "{text}: {duration:?}"
            );
            assert!(duration <= LONGEST, "{text}: {duration:?}");
            shown_is_cut(duration);
        }
        Ok(duration) if text == "infinity" => assert_eq!(duration, LONGEST),
        // Whatever is no number is what it is elsewhere.
        Ok(duration) => assert_eq!(strict, Ok(duration)),
        Err(error) => {
            has_one_line(&error);
            assert!(strict.is_err(), "{text}");
        }
    }
});
