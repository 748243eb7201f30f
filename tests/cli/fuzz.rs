//! What the fuzz targets start from (`fuzz/`): seeds that read as their names say, dictionaries that have every name, and how
//! `scripts/fuzz` is called. A seed that is refused at its first byte leads the fuzzer nowhere, and no run says so.

use lastout_core::argv::{Subcommand, scan};
use lastout_core::duration::{parse, parse_seconds_or};
use lastout_core::settings::OPTIONS;
use lastout_core::spec::Spec;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The seeds of a target, by name.
fn seeds(target: &str) -> BTreeMap<String, PathBuf> {
    let folder = repository().join("fuzz/seeds").join(target);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), file.path())).collect()
}

/// The names of those seeds for which this holds, sorted.
fn named(target: &str, holds: impl Fn(&str) -> bool) -> Vec<String> {
    let read = seeds(target).into_iter().map(|(name, path)| (name, fs::read_to_string(path).unwrap()));
    read.filter(|(_, text)| holds(text)).map(|(name, _)| name).collect()
}

#[test]
fn every_seed_of_a_spec_is_one() {
    let refused = named("spec", |text| {
        // As the target takes it: the text after the last line break is the value of every variable.
        let (text, variable) =
            text.rsplit_once('\n').map_or((text, None), |(text, value)| (text, Some(value)));
        Spec::parse(text, &|_| variable.map(str::to_owned)).is_err()
    });
    assert_eq!(refused, [""; 0]);
}

#[test]
fn every_seed_of_a_duration_is_one_and_some_are_plain_seconds() {
    assert_eq!(named("duration", |text| parse_seconds_or(text).is_err()), [""; 0]);
    assert_eq!(named("duration", |text| parse(text).is_err()), ["bare", "fraction", "infinity"]);
}

#[test]
fn the_seeds_of_a_command_line_have_one_that_is_wrong() {
    let refused = named("argv", |text| {
        let words: Vec<&[u8]> = text.as_bytes().split(|byte| *byte == 0).collect();
        let line = scan(&words);
        line.refused().is_some() || !line.problems.is_empty()
    });
    assert_eq!(refused, ["misspelt"]);
}

#[test]
fn the_seeds_of_an_env_file_have_one_that_is_wrong() {
    only_ours!();
    let refused = seeds("env_file").into_iter().filter(|(_, path)| {
        let mut command = Command::new(support::binary());
        let code = command.arg("--env-file").arg(path).args(["--", "true"]).output().unwrap().status.code();
        assert!(matches!(code, Some(0 | 125)), "{}: {code:?}", path.display());
        code == Some(125)
    });
    assert_eq!(refused.map(|(name, _)| name).collect::<Vec<_>>(), ["wrong"]);
}

#[test]
fn the_dictionary_of_command_lines_has_every_option_and_subcommand() {
    let dictionary = fs::read_to_string(repository().join("fuzz/dictionaries/argv.dict")).unwrap();
    let options = OPTIONS.iter().flat_map(|row| {
        let with_value = row.value.map(|_| format!("\"--{}=\"", row.name));
        [Some(format!("\"--{}\"", row.name)), with_value].into_iter().flatten()
    });
    let verbs = Subcommand::NAMED.iter().map(|subcommand| format!("\"{}\"", subcommand.name()));
    let missing: Vec<_> =
        options.chain(verbs).filter(|word| !dictionary.lines().any(|line| line == word)).collect();
    assert_eq!(missing, [""; 0]);
}

/// libFuzzer takes 0 for no end, and a number for what it begins with.
#[test]
fn seconds_that_are_none_are_refused_before_anything_is_built() {
    for seconds in ["0", "5m", "-3", "1.5", ""] {
        let output = Command::new(repository().join("scripts/fuzz")).arg(seconds).output().unwrap();
        let said = format!("fuzz: {seconds}: SECONDS has to be a whole number from 1 to 9999999\n");
        assert_eq!(
            (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
            (Some(2), &*said)
        );
    }
}
