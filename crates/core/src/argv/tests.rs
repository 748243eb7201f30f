use super::*;
use alloc::{borrow::ToOwned, vec};
use proptest::prelude::*;

fn scan_text<'a>(words: &[&'a str]) -> Line<'a> {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    scan(&words)
}

/// `option=value@word.byte`, each with the place of its value; and the first of the operands.
fn read(words: &[&str]) -> (Vec<String>, usize) {
    let line = scan_text(words);
    let values = line.values.iter().map(|given| {
        let Place { word, byte } = given.value_place;
        let (name, value) = (given.name.unwrap_or("SPEC"), String::from_utf8_lossy(given.value));
        format!("{name}={value}@{word}.{byte}")
    });
    (values.collect(), line.operands)
}

/// Each thing that is wrong: its place, and what is said of it.
fn problems(words: &[&str]) -> Vec<String> {
    let said = |Problem { place: Place { word, byte }, what }: &Problem| format!("{word}.{byte} {what}");
    scan_text(words).problems.iter().map(said).collect()
}

#[test]
fn a_well_formed_line_gives_its_values_and_where_its_operands_begin() {
    for (words, values, operands) in [
        (&["sh", "-c", "exit 3"][..], &[][..], 0),
        (&["--", "wait", "x"], &[], 1),
        (&["-", "x"], &[], 0),
        (&["--no-wait", "sleep", "5"], &["no-wait=true@0.0"], 1),
        (&["--no-wait=0", "true", "--", "--x"], &["no-wait=0@0.10"], 1),
        (&["--linger", "1s", "--grace=", "--", "x"], &["linger=1s@1.0", "grace=@2.8"], 4),
        (&["--linger", "--", "--", "x"], &["linger=--@1.0"], 3),
        (&["--linger", "-3s", "x"], &["linger=-3s@1.0"], 2),
        (&["--sidecar=a:quit=file:/x", "x"], &["sidecar=a:quit=file:/x@0.10"], 1),
        (&["--env-file=/a b", "x"], &["env-file=/a b@0.11"], 1),
        (&["wait", "--compat", "x", "a", "b"], &["compat=x@2.0", "SPEC=a@3.0", "SPEC=b@4.0"], 3),
        (&["stop", "--", "a"], &["SPEC=a@2.0"], 2),
        (&["wait"], &[], 1),
        (&["guard", "--group", "/g", "envoy", "-c", "x"], &["group=/g@2.0"], 3),
        (&["guard", "--group=/g", "--sidecar", "a"], &["group=/g@1.8", "sidecar=a@3.0"], 4),
    ] {
        assert_eq!(
            read(words),
            (values.iter().map(|&value| value.to_owned()).collect(), operands),
            "{words:?}"
        );
        assert_eq!(scan_text(words).problems, [], "{words:?}");
    }
}

#[test]
fn each_thing_that_is_wrong_has_its_place_and_is_told_the_way_out() {
    for (words, expected) in [
        (&["--linger", "1s"][..], &["2.0 no command to run: lastout [OPTIONS] [--] COMMAND"][..]),
        (&["--linger", "1s", ""], &["2.0 no command to run"]),
        (
            &["--no-wait", "--stop-timout=5s", "x"],
            &["1.0 --stop-timout: no such option; did you mean `--stop-timeout`?"],
        ),
        (&["-x", "true"], &["0.1 -x: no such option; lastout --help lists them"]),
        (&["-hé", "true"], &["0.2 -é: no such option"]),
        (&["--=x", "true"], &["0.0 --: no such option"]),
        (&["-e 143", "true"], &["0.1 -e: an option of another init"]),
        (&["-e143", "true"], &["0.1 -e: an option of another init; here it is --map-exit CODE=0"]),
        (&["--rewrite=1:2", "true"], &["0.0 --rewrite: an option of another init"]),
        (&["stop", "--grace"], &["1.0 --grace: needs a value"]),
        (&["--help=x", "y"], &["0.7 unexpected value 'x' for '--help' found"]),
        (&["-hh", "y"], &["0.2 the argument '--help' cannot be used multiple times"]),
        (&["--no-wait -- sh -x"], &["0.0 `--no-wait …` came as one word"]),
        (&["--sidecar envoy", "x"], &["0.0 `--sidecar …` came as one word: write each"]),
        (&["--linger", "1s", "--sidecar=a --no-wait", "x"], &["2.0 `--sidecar …` came as one word"]),
        (
            &["wait", "a", "--linger=1s", "b", "-x"],
            &["2.0 --linger: options go before the SPECs", "4.0 -x: options"],
        ),
        (&["stop", "--", "--a b"], &["2.0 --a: options go before the SPECs"]),
        (&["stop", "-"], &["1.0 -: options go before the SPECs"]),
        (
            &["true", "x", "--stop-on", "never"],
            &["2.0 --stop-on stands behind the command and is its argument"],
        ),
        (&["guard", "--group=/g", "x", "--sidecar=a"], &["3.0 --sidecar stands behind the command"]),
        (&["true", "--sidecar a"], &["1.0 --sidecar stands behind the command"]),
        (&["", "--sidecar"], &["0.0 no command to run", "1.0 --sidecar stands behind the command"]),
        (&["--a", "--b", "--linger"], &["0.0 --a: no", "1.0 --b: no", "2.0 --linger: needs a value"]),
        (
            &["install"],
            &["1.0 `lastout install` cannot be read: write lastout install DEST (lastout install --help)"],
        ),
        (&["install", "--json"], &["1.0 `lastout install --json` cannot be read"]),
        (&["sleep", "1", "2"], &["2.0 `lastout sleep 1 2` cannot be read"]),
        (&["sleep", "-1"], &["1.0 `lastout sleep -1` cannot be read"]),
        (&["presets", "--json", "x"], &["1.0 `lastout presets --json x` cannot be read"]),
    ] {
        let said = problems(words);
        assert_eq!(said.len(), expected.len(), "{words:?}: {said:?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{words:?}: {said}");
        }
    }
}

#[test]
fn what_is_no_text_is_shown_all_the_same() {
    for (word, shown) in
        [(&b"-h\xffx"[..], "-\u{fffd}x: no such option"), (b"--\xff=x", "--\u{fffd}: no such option")]
    {
        let said = scan(&[word]).refused().map(Wrong::to_string);
        assert!(said.as_ref().is_some_and(|said| said.starts_with(shown)), "{said:?}");
    }
}

#[test]
fn what_may_be_meant_so_is_said_and_not_refused() {
    assert!(scan_text(&["true", "--sidecar", "a"]).refused().is_none());
    for words in [&["--", "true", "--sidecar"][..], &["true", "--log-level=x"], &["true", "--", "--sidecar"]]
    {
        assert_eq!(problems(words), [""; 0], "{words:?}");
    }
}

#[test]
fn sidecars_are_read_wherever_they_stand_behind_a_mistake_and_other_options_until_the_command_may_have_begun()
{
    for (words, values) in [
        (&["--x", "5s", "--sidecar", "a", "--grace=1s", "--", "b"][..], &["sidecar=a@3.0"][..]),
        (&["--x=5s", "--grace=1s", "--sidecar=a", "b"], &["grace=1s@1.8", "sidecar=a@2.10"]),
        (&["--x", "--", "true", "--sidecar", "a"], &[]),
        (&["--sidecar  a:port=1 --no-wait", "x"], &["sidecar=a:port=1@0.11", "no-wait=true@0.20"]),
        (&["--no-wait --sidecar", "a", "x"], &["no-wait=true@0.0", "sidecar=a@1.0"]),
        (&["--no-wait --sidecar=a", "x"], &["no-wait=true@0.0", "sidecar=a@0.20"]),
        (&["--no-wait -- sh --sidecar a"], &["no-wait=true@0.0", "sidecar=a@0.26"]),
        (&["--x", "sh", "--sidecar a --grace 1s"], &["sidecar=a@2.10"]),
        (&["--x", "--version", "--sidecar", "a", "b"], &["sidecar=a@3.0"]),
        (&["stop", "a", "--version", "b"], &["SPEC=a@1.0", "SPEC=b@3.0"]),
        (&["stop", "--x", "5s", "a"], &["SPEC=5s@2.0", "SPEC=a@3.0"]),
        (&["stop", "a", "--stop-timeout", "1s", "b"], &["SPEC=a@1.0", "stop-timeout=1s@3.0", "SPEC=b@4.0"]),
        (&["stop", "--x", "--", "a", "--", "b"], &["SPEC=a@3.0", "SPEC=b@5.0"]),
    ] {
        let line = scan_text(words);
        assert!(line.refused().is_some() && line.asked.is_none(), "{words:?}");
        assert_eq!(read(words).0, values, "{words:?}");
    }
}

#[test]
fn a_text_that_is_asked_for() {
    for (words, asked) in [
        (&["--help"][..], Some(Asked::Help)),
        (&["--linger", "1s", "-h", "x"], Some(Asked::Help)),
        (&["-hV"], Some(Asked::Version)),
        (&["-Vx"], Some(Asked::Version)),
        (&["--version", "--nonsense"], Some(Asked::Version)),
        (&["wait", "--help"], Some(Asked::Help)),
        (&["sleep", "-h"], Some(Asked::Help)),
        (&["true", "--help"], None),
        (&["--", "--help"], None),
    ] {
        let line = scan_text(words);
        assert_eq!((line.asked, line.problems), (asked, vec![]), "{words:?}");
    }
}

#[test]
fn a_command_that_is_like_a_subcommand() {
    for (word, meant) in [
        ("waitt", Some("wait")),
        ("preset", Some("presets")),
        ("help", Some("--help")),
        ("version", Some("--version")),
        ("stap", Some("stop")),
        ("wat", None),
        ("cat0", None),
        ("wget", None),
    ] {
        assert_eq!(misspelt(word.as_bytes()), meant, "{word}");
    }
    assert_eq!(misspelt(b"wait\xff"), None);
}

const PIECES: &[&str] = &[
    "--",
    "-",
    "=",
    " ",
    "\t",
    "sidecar",
    "linger",
    "no-wait",
    "help",
    "version",
    "x",
    "é",
    "h",
    "V",
    "a:port=1",
    "wait",
    "stop",
    "guard",
    "install",
    "sleep",
    "presets",
    "--sidecar",
];

fn word() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        9 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => any::<[u8; 2]>().prop_map(|bytes| bytes.to_vec()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_words_are_read_and_all_places_are_there(words in prop::collection::vec(word(), 0..7)) {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let line = scan(&words);
        prop_assert!(line.operands <= words.len());
        for given in &line.values {
            let there = |place: Place| &words[place.word][place.byte..];
            let stands_alone = given.value == b"true" && given.place == given.value_place;
            prop_assert!(stands_alone || there(given.value_place).starts_with(given.value));
            match given.name {
                Some(name) => prop_assert!(there(given.place)[2..].starts_with(name.as_bytes())),
                None => prop_assert_eq!(given.place, given.value_place),
            }
        }
        for Problem { place, what } in &line.problems {
            let at_the_end = *place == Place { word: words.len(), byte: 0 };
            prop_assert!(at_the_end || place.byte <= words[place.word].len());
            prop_assert!(!what.to_string().is_empty());
        }
        prop_assert!(line.problems.is_sorted_by_key(|problem| problem.place));
        let nothing_to_do = line.asked.is_some() || line.refused().is_some();
        let run = line.subcommand == Subcommand::Work(Verb::Run);
        prop_assert!(nothing_to_do || !run || line.operands < words.len());
    }

    #[test]
    fn an_option_is_read_in_both_spellings(at in 0..crate::settings::OPTIONS.len(), value: Vec<u8>) {
        let row = &crate::settings::OPTIONS[at];
        let name = format!("--{}", row.name).into_bytes();
        let one = [&name[..], b"=", &value].concat();
        let mut lines = vec![scan(&[&one[..], &b"x"[..]]).values];
        if row.value.is_some() {
            lines.push(scan(&[&name[..], &value[..], &b"x"[..]]).values);
        }
        for values in lines {
            // What looks like several words in one item is none of it.
            if !value.starts_with(b"--") && !value.windows(3).any(|three| three == b" --") {
                prop_assert_eq!(values.len(), 1);
                prop_assert_eq!((values[0].option, values[0].value), (row.option, &value[..]));
            }
        }
    }
}
