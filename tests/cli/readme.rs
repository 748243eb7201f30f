//! README.md and docs/usage.md tell what the program does: their tables are held against `--help`, and the commands of
//! README.md are run.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use support::TempDir;

fn help() -> String {
    let output = Command::new(support::binary()).arg("--help").output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Rows of a table of docs/usage.md whose first cell begins with a backtick and `prefix`.
fn rows(prefix: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.replace("\\|", "\u{1}");
        line.split('|').map(|cell| cell.replace('\u{1}', "|").trim().to_owned()).skip(1).collect()
    };
    usage().lines().filter(|line| line.starts_with(&format!("| `{prefix}"))).map(cells).collect()
}

#[test]
fn the_options_of_the_usage_page_are_in_the_help_with_these_defaults() {
    let helped: BTreeMap<String, String> = help()
        .lines()
        .filter_map(|line| line.strip_prefix("  --"))
        .filter(|line| !line.starts_with("help"))
        .map(|line| {
            let (usage, text) = line.split_once("  ").unwrap_or_else(|| {
                let cut = line.find(|c: char| c.is_ascii_uppercase() && !line.starts_with(c)).unwrap();
                line.split_at(cut)
            });
            (format!("--{}", usage.split(' ').next().unwrap()), text.trim().to_owned())
        })
        .collect();
    let told: BTreeMap<String, String> = rows("--")
        .into_iter()
        .map(|row| (row[0].trim_matches('`').split(' ').next().unwrap().to_owned(), row[1].clone()))
        .collect();
    // All of them are in docs/reference/options.md, which is written from the code; here are those that most need.
    assert!(told.len() >= 8, "{told:?}");
    for (option, default) in told {
        let text = helped.get(&option).unwrap_or_else(|| panic!("{option} is not in the help"));
        if let Some((_, said)) = text.split_once("[default: ") {
            assert_eq!(said.trim_end_matches(']'), default, "the default of {option}");
        }
    }
}

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

fn usage() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/usage.md")).unwrap()
}

fn presets() -> Vec<Value> {
    let output = Command::new(support::binary()).args(["presets", "--json"]).output().unwrap();
    serde_json::from_slice::<Value>(&output.stdout).unwrap().as_array().unwrap().clone()
}

#[test]
fn every_preset_is_named_those_without_a_quit_endpoint_apart() {
    only_ours!();
    let readme = readme();
    let quote: Vec<_> = readme
        .split_once("\n## Sidecars\n")
        .unwrap()
        .1
        .lines()
        .skip_while(|line| !line.starts_with("> "))
        .map_while(|line| line.strip_prefix("> "))
        .collect();
    let quote = quote.join(" ");
    let (quit, others) = quote.split_once(", and some that have no quit endpoint").unwrap();
    let others = others.split_once(": ").unwrap().1;
    let named = |presets: &[Value], quit: bool| -> String {
        let names = presets.iter().filter(|preset| preset["quit"].is_null() != quit);
        names.map(|preset| preset["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" · ")
    };
    let presets = presets();
    assert_eq!((quit, others), (named(&presets, true).as_str(), named(&presets, false).as_str()));
}

#[test]
fn what_is_often_forgotten_is_what_the_presets_need() {
    only_ours!();
    let needs: Vec<_> = presets()
        .iter()
        .flat_map(|preset| preset["needs"].as_array().unwrap().clone())
        .filter_map(|need| {
            let key =
                need["annotation"].as_str().map(|key| format!("{key}: {}", need["value"].as_str().unwrap()));
            key.or_else(|| need["flag"].as_str().map(str::to_owned))
        })
        .collect();
    let readme = readme();
    let told =
        readme.split_once("\nThree that are often forgotten:").unwrap().1.split("\n\n").next().unwrap();
    let told: Vec<_> = told.split('`').skip(1).step_by(2).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    for word in told {
        assert!(needs.iter().any(|need| need == word), "{word}");
    }
}

#[test]
fn the_help_names_every_verb_of_the_usage_page() {
    let help = help();
    let rows = rows("lastout ");
    assert!(rows.len() >= 7, "{rows:?}");
    for row in rows {
        let verb = row[0].trim_matches('`').split(' ').nth(1).unwrap().to_owned();
        assert!(help.contains(&format!("lastout {verb}")), "{verb}");
    }
}

/// The README's blocks that show a terminal.
fn terminals() -> Vec<String> {
    let readme = readme();
    let blocks = readme.split("\n```console\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    only_ours!();
    let programs = TempDir::new();
    std::os::unix::fs::symlink(support::binary(), programs.at("lastout")).unwrap();
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let mut run = 0;
    for block in terminals() {
        for part in format!("\n{block}").split("\n$ ").skip(1).map(|part| format!("{}\n", part.trim_end())) {
            let (command, shown) = part.split_once('\n').unwrap();
            let output = Command::new("sh")
                .args(["-c", &format!("{{ {command}\n}} 2>&1")])
                .env_clear()
                .env("PATH", &path)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), shown, "$ {command}");
            run += 1;
        }
    }
    assert!(run >= 3, "{run}");
}

#[test]
fn the_first_line_of_the_readme_is_a_command_line_without_a_fault() {
    let readme = readme();
    let line = readme.lines().find_map(|line| line.strip_prefix("lastout --sidecar ")).unwrap();
    let line = format!("--sidecar {line}");
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    let scanned = lastout_core::argv::scan(&words);
    assert!(scanned.problems.is_empty(), "{:?}", scanned.problems);
    let names: Vec<_> = presets().iter().map(|preset| preset["name"].as_str().unwrap().to_owned()).collect();
    for value in &scanned.values {
        assert!(names.iter().any(|name| name.as_bytes() == value.value), "{value:?}");
    }
    assert_eq!(words[scanned.operands], b"/app/report");
}

/// `make X` and `scripts/X`: what they do is the continuous integration's; that they are there is ours.
#[test]
fn the_targets_and_scripts_that_the_readme_names_are_there() {
    let root = env!("CARGO_MANIFEST_DIR");
    let makefile = std::fs::read_to_string(format!("{root}/Makefile")).unwrap();
    let readme = readme();
    let code: Vec<&str> = readme.split('`').collect();
    let mut seen = 0;
    for word in code {
        if let Some(target) = word.strip_prefix("make ").filter(|rest| !rest.contains([' ', '\n'])) {
            assert!(makefile.contains(&format!("\n{target}: ")), "make {target}");
            seen += 1;
        }
        if word.starts_with("scripts/") {
            assert!(std::path::Path::new(&format!("{root}/{word}")).exists(), "{word}");
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn the_examples_of_specs_are_specs() {
    let usage = usage();
    let examples = usage.split_once("\n```text\nenvoy:port=15000 ").unwrap().1.split("```").next().unwrap();
    let examples = format!("envoy:port=15000 {examples}");
    assert!(examples.lines().count() >= 5, "{examples}");
    for line in examples.lines() {
        let spec = line.split(' ').next().unwrap();
        if let Err(wrong) = lastout_core::spec::Spec::parse(spec, &|_| None) {
            panic!("{spec}: {wrong}");
        }
    }
}
