//! A typo fails the Job, it does not hang it: the sidecars that can be read are stopped, wherever they are named.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

mod support;

use support::{Launch, TempDir};

/// Runs `lastout ARGUMENTS… -- true` with a sidecar that is told to quit by a file: whether it was.
fn stopped_in_spite_of(arguments: &[&str]) -> bool {
    let dir = TempDir::new();
    let spec = format!("agent:ready=none,quit=file:{}", dir.at("done").display());
    let arguments = arguments.iter().map(|word| if *word == "SPEC" { &spec } else { *word });
    assert_eq!(Launch::pid1().options(arguments).run().code(), 125);
    dir.at("done").exists()
}

#[test]
fn sidecars_named_behind_an_unknown_option_are_stopped() {
    only_ours!();
    assert!(stopped_in_spite_of(&["--stop-timout=5s", "--sidecar", "SPEC", "--", "true"]));
    assert!(stopped_in_spite_of(&["--stop-timout", "5s", "--sidecar", "SPEC", "--", "true"]));
    assert!(stopped_in_spite_of(&["--no-wait=maybe", "--sidecar", "SPEC", "--", "true"]));
    assert!(stopped_in_spite_of(&["stop", "--stop-timout=5s", "SPEC"]));
}

#[test]
fn a_policy_named_behind_an_unknown_option_counts() {
    only_ours!();
    assert!(!stopped_in_spite_of(&[
        "--stop-timout=5s",
        "--stop-on",
        "never",
        "--sidecar",
        "SPEC",
        "--",
        "true"
    ]));
}

#[test]
fn what_follows_the_dashes_is_the_commands_own() {
    only_ours!();
    assert!(!stopped_in_spite_of(&["--stop-timout=5s", "--", "true", "--sidecar", "SPEC"]));
}
