//! README.md tells what the program does: its tables are held against `--help`.

use std::collections::BTreeMap;
use std::process::Command;

fn help() -> String {
    let output = Command::new(support::binary()).arg("--help").output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Rows of the README's table whose first cell begins with a backtick and `prefix`.
fn rows(prefix: &str) -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let cells = |line: &str| -> Vec<String> {
        let line = line.replace("\\|", "\u{1}");
        line.split('|').map(|cell| cell.replace('\u{1}', "|").trim().to_owned()).skip(1).collect()
    };
    readme.lines().filter(|line| line.starts_with(&format!("| `{prefix}"))).map(cells).collect()
}

#[test]
fn every_option_of_the_help_is_in_the_readme_and_the_other_way_round() {
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
    let readme: BTreeMap<String, String> = rows("--")
        .into_iter()
        .map(|row| (row[0].trim_matches('`').split(' ').next().unwrap().to_owned(), row[1].clone()))
        .collect();
    assert_eq!(helped.keys().collect::<Vec<_>>(), readme.keys().collect::<Vec<_>>());
    for (option, default) in readme {
        let text = &helped[&option];
        if let Some((_, said)) = text.split_once("[default: ") {
            let said = said.trim_end_matches(']').split(';').next().unwrap();
            assert_eq!(said, default, "the default of {option}");
        }
    }
}

#[test]
fn the_help_names_every_verb_of_the_readme() {
    let help = help();
    for row in rows("lastout ") {
        let verb = row[0].trim_matches('`').split(' ').nth(1).unwrap().to_owned();
        assert!(help.contains(&format!("lastout {verb}")), "{verb}");
    }
}
