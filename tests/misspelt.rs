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

/// What is said of `lastout ARGUMENTS…`, in one line, with 125.
fn said(arguments: &[&str], words: &[&str]) {
    Launch::pid1().options(arguments).run().one_line(125, words);
}

#[test]
fn habits_of_other_inits_and_of_manifests_are_told_the_way_out() {
    only_ours!();
    said(&["--sidecar istio", "true"], &["--sidecar", "one word", "two items"]);
    said(&["--stop-timout 5s", "true"], &["one word", "`--stop-timeout`", "--stop-timeout=VALUE"]);
    said(&["-e143", "true"], &["-e", "--map-exit"]);
    said(&["-r15:2", "true"], &["-r", "--rewrite-signal"]);
    said(&["-g", "true"], &["-g", "--signal-group"]);
    said(&["-s", "true"], &["-s", "orphans"]);
    said(&["-v", "true"], &["-v", "--log-level"]);
    said(&["-vv", "true"], &["-v", "--log-level"]);
    said(&["-e", "143", "true"], &["-e", "--map-exit"]);
    said(&["-r", "15:2", "true"], &["-r", "--rewrite-signal"]);
    said(&["-p", "SIGTERM", "true"], &["-p", "--parent-death-signal"]);
    said(&["--single-child", "true"], &["--single-child", "default"]);
    said(&["--sidecar", "envoy:9901", "true"], &["9901", "port=9901"]);
    said(&["--sidecar", "envoy,istio", "true"], &["envoy", "comma", "LASTOUT_SIDECAR"]);
    said(
        &["wait", "x:ready=none,quit=none", "--wait-timeout", "1s"],
        &["--wait-timeout", "before the SPECs"],
    );
}

#[test]
fn options_behind_the_specs_of_stop_still_stop_the_sidecar() {
    only_ours!();
    assert!(stopped_in_spite_of(&["stop", "SPEC", "--stop-timeout", "1s"]));
}

#[test]
fn a_sidecar_that_is_named_behind_the_command_is_told() {
    only_ours!();
    let end = Launch::pid1().options(["true", "--sidecar", "envoy"]).run();
    end.one_line(0, &["--sidecar", "behind the command", "before the command"]);
}
