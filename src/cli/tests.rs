//! clap's reading of a command line and the scanner's are the same.

use super::definition::{Reading, definition, read_by};
use lastout_core::argv::{Given, Line, Wrong, scan};
use lastout_core::settings::{OPTIONS, RawValue};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// One of each kind of word: options with and without a value, in each spelling and misspelt; texts; letters; what ends
/// the options; what is no text; what holds several words.
const WORDS: [&[u8]; 35] = [
    b"--sidecar",
    b"--linger",
    b"--linger=1s",
    b"--linger=",
    b"--linger==",
    b"--sidecar=a b",
    b"--no-wait",
    b"--no-wait=0",
    b"--no-wait=",
    b"--help",
    b"--help=x",
    b"-h",
    b"--version",
    b"--version=",
    b"-V",
    b"-hV",
    b"-Vx",
    b"-hh",
    b"-hx=y",
    b"-h=x",
    b"-5",
    b"-\xc3\xa9",
    b"-h\xff",
    b"--ling",
    b"--lingers=x",
    b"--\xff=x",
    b"--=x",
    b"---",
    b"--",
    b"-",
    b"",
    b"word",
    b"wor\xffd",
    b"--linger 1s",
    b"--linger=1s --no-wait",
];

/// Every line of up to two of the words, and many longer ones.
fn lines() -> impl Iterator<Item = Vec<&'static [u8]>> {
    let number = WORDS.len();
    let short = (0..=2).flat_map(move |length| {
        (0..number.pow(length))
            .map(move |line| (0..length).map(|at| WORDS[line / number.pow(at) % number]).collect())
    });
    // A sequence of its own each time, always the same ones: a failure is found again.
    let mut state = 1_u64;
    let long = (0..15_000).map(move |line| {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % number
        };
        (0..3 + line % 5).map(|_| WORDS[next()]).collect()
    });
    short.chain(long)
}

/// What clap does not know: it takes these for options, values and operands like any other.
fn is_for_clap(wrong: &Wrong) -> bool {
    match wrong {
        Wrong::UnknownOption { .. }
        | Wrong::OptionOfAnotherInit { .. }
        | Wrong::ValueMissing(_)
        | Wrong::ValueUnexpected { .. }
        | Wrong::Repeated(_) => true,
        Wrong::SeveralWords { .. }
        | Wrong::OptionBehindSpecs { .. }
        | Wrong::OptionBehindCommand(_)
        | Wrong::NoCommand
        | Wrong::Misused { .. } => false,
    }
}

/// By the table's order, as clap gives them.
fn options(line: &Line<'_>) -> Vec<RawValue> {
    let of =
        |row: &'static str| line.values.iter().filter(move |given| given.name == Some(row)).map(Given::raw);
    OPTIONS.iter().flat_map(|row| of(row.name)).collect()
}

/// What both make of a line.
#[derive(PartialEq, Eq)]
enum Same {
    Accepted,
    Refused,
    Asked,
    /// From an item with several words on the scanner reads what is meant, and clap what is there.
    Unlike,
}

#[track_caller]
fn same(definition: &mut clap::Command, words: &[&[u8]]) -> Same {
    let args: Vec<&OsStr> = words.iter().map(|word| OsStr::from_bytes(word)).collect();
    let line = scan(words);
    let several = line.problems.iter().position(|problem| matches!(problem.what, Wrong::SeveralWords { .. }));
    let known = &line.problems[..several.unwrap_or(line.problems.len())];
    let wrong = known.iter().any(|problem| is_for_clap(&problem.what));
    match read_by(definition, &args) {
        Reading::Refused if several.is_some() => Same::Unlike,
        Reading::Refused => {
            assert!(wrong, "only clap refuses {args:?}: {line:?}");
            Same::Refused
        }
        _ if wrong => panic!("only the scanner refuses {args:?}: {line:?}"),
        _ if several.is_some() => Same::Unlike,
        Reading::Text(text) => {
            assert_eq!(line.asked, Some(text), "{args:?}");
            Same::Asked
        }
        Reading::Values(values, operands) => {
            let of_line = (options(&line), args.len() - line.operands, line.asked);
            assert_eq!(of_line, (values, operands, None), "{args:?}");
            Same::Accepted
        }
    }
}

#[test]
fn the_scanner_reads_and_refuses_what_clap_does() {
    let mut definition = definition();
    let all: Vec<Same> = lines().map(|words| same(&mut definition, &words)).collect();
    let count = |kind| all.iter().filter(|same| **same == kind).count();
    let counts = [Same::Accepted, Same::Refused, Same::Asked].map(count);
    assert!(counts.into_iter().all(|count| count > 1_000), "{counts:?}");
}

#[test]
fn every_option_is_read_as_clap_reads_it() {
    let mut definition = definition();
    for row in OPTIONS {
        let [alone, attached] = ["", "=v"].map(|value| format!("--{}{value}", row.name).into_bytes());
        let twice = [&alone[..], b"v", &attached[..], b"x", b"--y"];
        let switch = [&alone[..], &attached[..], b"x", b"--y"];
        let line = if row.value.is_some() { &twice[..] } else { &switch };
        assert!(same(&mut definition, line) == Same::Accepted, "{}", row.name);
    }
}
