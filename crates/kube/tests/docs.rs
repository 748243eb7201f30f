//! `docs/kubectl.md` says what the program does: its options, reasons, labels and annotations.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use kubectl_lastout::{cli, decide};

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kubectl.md")).unwrap()
}

#[test]
fn the_page_names_every_option_and_verb() {
    let page = page();
    for verb in cli::definition().get_subcommands().filter(|verb| !verb.is_hide_set()) {
        assert!(page.contains(&format!("| `{}", verb.get_name())), "{}", verb.get_name());
        for name in verb.get_arguments().filter_map(|argument| argument.get_long()) {
            let elsewhere = ["check", "policy"].contains(&verb.get_name());
            assert!(elsewhere || page.contains(&format!("--{name}")), "{} --{name}", verb.get_name());
        }
    }
}

#[test]
fn the_page_names_every_reason_and_every_label_and_annotation() {
    let page = page();
    for reason in decide::Reason::ALL.iter().filter(|reason| !reason.slug().starts_with("injected-")) {
        let named = page.contains(&format!("`{}`", reason.slug()));
        assert!(named || *reason == decide::Reason::NotSelected, "{reason}");
    }
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
