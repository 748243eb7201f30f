//! docs/doctor.md is held to the code.

use kubectl_lastout::cluster::doctor::rbac::ROLES;
use kubectl_lastout::cluster::doctor::reasons;
use std::fs;

fn page() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md")).unwrap()
}

#[test]
fn the_table_of_reasons_is_the_codes() {
    let page = page();
    let table = page.split("### Reasons").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> =
        reasons().into_iter().map(|(slug, words)| format!("| `{slug}` | {words} |")).collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_page_names_every_option_of_both_verbs() {
    let definition = kubectl_lastout::cli::definition();
    for verb in ["doctor", "rescue"] {
        let verb = definition.find_subcommand(verb).unwrap();
        for option in verb.get_arguments().filter_map(|argument| argument.get_long()) {
            let short = match option {
                "namespace" => "`-n ",
                "all-namespaces" => "`-A`",
                "output" => "`-o ",
                "yes" => "`--yes`",
                other => &format!("`--{other}"),
            };
            assert!(page().contains(short), "{} --{option}", verb.get_name());
        }
    }
}

#[test]
fn the_roles_have_no_verb_that_is_not_used_and_no_wildcard() {
    assert!(!ROLES.contains('*'));
    let verbs = ROLES.lines().filter_map(|line| line.trim().strip_prefix("verbs: "));
    for verb in verbs.flat_map(|list| list.trim_matches(['[', ']']).split(", ")) {
        assert!(["get", "list", "create", "patch"].contains(&verb), "{verb}");
    }
    for line in ROLES.lines().filter(|line| line.contains("name: lastout-")) {
        let name = line.trim().trim_start_matches("name: ");
        assert!(page().contains(name), "{name}");
    }
}
