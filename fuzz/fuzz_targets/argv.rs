//! Any words as a command line: all places lie within them, values are in the order of the line, and what is wrong is said.
#![no_main]

use lastout_core::argv::{Place, Problem, Subcommand, option_behind_command, scan};
use lastout_core::settings::Verb;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // As the kernel gives them: with a NUL between two words.
    let words: Vec<&[u8]> =
        if bytes.is_empty() { Vec::new() } else { bytes.split(|byte| *byte == 0).collect() };
    let line = scan(&words);
    assert!(line.operands <= words.len());
    let there = |place: Place| &words[place.word][place.byte..];
    for given in &line.values {
        let stands_alone = given.value == b"true" && given.place == given.value_place;
        assert!(stands_alone || there(given.value_place).starts_with(given.value), "{given:?}");
        match given.name {
            Some(name) => assert!(there(given.place)[2..].starts_with(name.as_bytes()), "{given:?}"),
            None => assert_eq!(given.place, given.value_place),
        }
    }
    assert!(line.values.is_sorted_by(|one, next| one.place < next.place), "{:?}", line.values);
    for Problem { place, what } in &line.problems {
        let at_the_end = *place == Place { word: words.len(), byte: 0 };
        assert!(at_the_end || place.byte <= words[place.word].len());
        let said = what.to_string();
        assert!(!said.is_empty(), "{what:?}");
    }
    assert!(line.problems.is_sorted_by_key(|problem| problem.place));
    let nothing_to_do = line.asked.is_some() || line.refused().is_some();
    let run = line.subcommand == Subcommand::Work(Verb::Run);
    assert!(nothing_to_do || !run || line.operands < words.len());
    if let Some((at, _)) = option_behind_command(&mut words.iter().copied()) {
        assert!(at < words.len());
    }
});
