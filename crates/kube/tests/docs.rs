//! `docs/kubectl.md` says what the program does: its options, reasons, labels and annotations.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use kubectl_lastout::{cli, decide};
use std::collections::BTreeSet;

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kubectl.md")).unwrap()
}

/// What stands in backticks in the first cells of the page's tables.
fn first_cells(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_page_has_a_row_for_every_verb_and_option_and_none_for_others() {
    let in_page = |prefix: &str| -> BTreeSet<String> {
        let cells = first_cells(&page()).into_iter();
        cells.filter_map(|cell| Some(cell.strip_prefix(prefix)?.split(' ').next()?.to_owned())).collect()
    };
    let definition = cli::definition();
    let verbs: Vec<_> = definition.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
    for verb in &verbs {
        assert!(in_page("").contains(verb.get_name()), "{}", verb.get_name());
    }
    let in_program: BTreeSet<String> = verbs
        .iter()
        // They have pages of their own.
        .filter(|verb| {
            !["doctor", "rescue", "policy", "webhook", "helper", "manifests"].contains(&verb.get_name())
        })
        .flat_map(|verb| verb.get_arguments().filter_map(|argument| argument.get_long()))
        // `check -o` has a page of its own, `presets --json` stands in the row of its verb.
        .filter(|name| !["output", "json"].contains(name))
        .map(str::to_owned)
        .collect();
    assert_eq!(in_page("--"), in_program);
}

#[test]
fn the_page_names_every_reason_and_every_label_and_annotation() {
    let page = page();
    let (_, reasons) = page.split_once("## Why a pod is left alone").unwrap();
    let in_page = first_cells(reasons.split("\n## ").next().unwrap());
    let in_program: BTreeSet<String> = decide::Reason::ALL
        .iter()
        // A webhook's: a manifest is given to us, so it is selected.
        .filter(|reason| !reason.slug().starts_with("injected-") && **reason != decide::Reason::NotSelected)
        .map(|reason| reason.slug().to_owned())
        .collect();
    assert_eq!(in_page, in_program);
    for key in [
        decide::INJECT,
        decide::MODE,
        decide::MAIN,
        decide::SIDECARS,
        decide::EXCLUDE,
        decide::STOP_ON,
        decide::STATUS,
        decide::COMMAND,
    ] {
        assert!(page.contains(key), "{key}");
    }
}

#[test]
fn before_and_after_are_what_inject_does() {
    for case in ["native", "wrap-by-init-container"] {
        let golden = format!("{}/tests/cases/{case}.golden", env!("CARGO_MANIFEST_DIR"));
        let golden = std::fs::read_to_string(golden).unwrap();
        let (_, diff) = golden.split_once("\n\n").unwrap();
        assert!(page().contains(diff.trim_end()), "{case}");
    }
}

#[test]
fn the_page_of_policies_names_every_option_and_what_a_policy_cannot_do() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy.md")).unwrap();
    for name in kubectl_lastout::verbs::policy::definition()
        .get_arguments()
        .filter_map(|argument| argument.get_long())
    {
        assert!(page.contains(&format!("--{name}")), "{name}");
    }
    for limit in kubectl_lastout::cel::Limit::ALL {
        assert!(page.contains(limit.words()), "{}", limit.words());
    }
}
