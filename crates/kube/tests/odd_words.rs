//! What a user may write in options, labels and annotations, and means something else than it says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::process::Command;

fn job(metadata: &str, command: &str) -> String {
    format!(
        "\
apiVersion: batch/v1
kind: Job
metadata: {{name: report}}
spec:
  template:
    metadata: {{{metadata}}}
    spec:
      restartPolicy: Never
      containers:
      - {{name: main, image: r, command: {command}}}
      - {{name: istio-proxy, image: istio/proxyv2}}
"
    )
}

/// Exit code, stdout and stderr of `explain`, or of another verb.
fn run(verb: &str, words: &[&str], manifest: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.yaml");
    std::fs::write(&path, manifest).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_kubectl-lastout")).arg(verb).args(words).arg(path).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn explained(metadata: &str, command: &str) -> String {
    let (code, out, err) = run("explain", &[], &job(metadata, command));
    assert_eq!(code, Some(0), "{err}");
    out
}

#[test]
fn a_stop_policy_that_is_none_warns_and_counts_as_not_set() {
    for odd in ["sometimes", "0,300", ""] {
        let manifest = format!("annotations: {{lastout.dev/stop-on: '{odd}'}}");
        let out = explained(&manifest, "[/app]");
        assert!(
            out.contains("warning: lastout.dev/stop-on: ") && out.contains("stopped after every exit code"),
            "{out}"
        );
        let (_, injected, _) = run("inject", &[], &job(&manifest, "[/app]"));
        assert!(injected.contains("/.lastout/lastout") && !injected.contains("\"--stop-on\""), "{injected}");
    }
    let out = explained("annotations: {lastout.dev/stop-on: success}", "[/app]");
    assert!(out.contains("stopped after exit code 0") && !out.contains("warning"), "{out}");
}

#[test]
fn a_main_that_is_not_there_counts_as_not_set() {
    let out = explained("annotations: {lastout.dev/main: nosuch}", "[/app]");
    assert!(
        out.contains("lastout.dev/main: there is no container nosuch, and the name counts as not set"),
        "{out}"
    );
    assert!(out.contains("injected-wrap"), "{out}");
    let with = |names: &[&str], manifest: &str| {
        let words: Vec<&str> = names.iter().flat_map(|name| ["--main", name]).collect();
        run("explain", &words, manifest)
    };
    let plain = job("", "[/app]");
    for verb in ["inject", "explain"] {
        let (code, out, err) = run(verb, &["--main", "nosuch"], &plain);
        assert_eq!((code, out.as_str(), err.lines().count()), (Some(2), "", 1), "{err}");
        assert!(err.contains("--main nosuch: no pod has a container of this name"), "{err}");
    }
    assert_eq!(with(&[""], &plain).0, Some(2));
    // One folder may hold pods that have it and pods that have not.
    let two = format!("{plain}---\n{}", plain.replace("name: main", "name: other"));
    let (code, out, err) = with(&["other"], &two);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out.matches("injected-wrap").count(), 2, "{out}");
    assert_eq!(out.matches("--main: there is no container other").count(), 1, "{out}");
}

#[test]
fn a_main_that_is_started_again_whatever_its_code_is_left_alone() {
    let manifest = job("", "[/app], restartPolicy: Always");
    let (_, out, _) = run("explain", &[], &manifest);
    assert!(out.contains("restart-always") && out.contains("(as main has it)"), "{out}");
    assert_eq!(run("inject", &[], &manifest).1, manifest);
}

#[test]
fn a_command_that_is_no_list_of_words_is_told_of() {
    for (command, said) in [
        ("/app", "main: `command` is no list of words"),
        ("[/app, 5]", "main: `command` is no list of words"),
        ("['']", "main: the first word of `command` is empty"),
    ] {
        let out = explained("", command);
        assert!(out.contains("no-command") && out.contains(said), "{out}");
    }
}

#[test]
fn a_label_or_annotation_that_is_no_text_is_told_of() {
    let out = explained("labels: {lastout.dev/inject: false}", "[/app]");
    assert!(
        out.contains("lastout.dev/inject: false is no text, and counts as not set: write \"false\""),
        "{out}"
    );
    let out = explained("annotations: {lastout.dev/mode: [wrap]}", "[/app]");
    assert!(out.contains("lastout.dev/mode: [\"wrap\"] is no text"), "{out}");
    let out = explained("annotations: foo", "[/app]");
    assert!(
        out.contains("patch-mismatch") && out.contains("metadata.annotations is of another kind"),
        "{out}"
    );
}

#[test]
fn options_are_read_before_they_are_written_into_a_manifest() {
    let plain = job("", "[/app]");
    let code = |words: &[&str]| run("inject", words, &plain).0;
    for image in ["", "a b", "x\ny: z", "UPPER"] {
        assert_eq!(code(&["--image", image]), Some(2), "{image:?}");
        assert_eq!(code(&["--helper-image", image]), Some(2), "{image:?}");
    }
    for resources in ["x,y", "20m,16Mi,3", "1e3,-5", "20m,", ".,1", "1,1e", "1,5mi"] {
        assert_eq!(code(&["--resources", resources]), Some(2), "{resources}");
    }
    for resources in ["inherit", "1,0.5Gi", "1e3,16Mi", "20m,1E6", "5,1E"] {
        assert_eq!(code(&["--resources", resources]), Some(0), "{resources}");
    }
    let words = ["--mode", "wrap", "--delivery", "image-volume", "--kube-version", "1.30"];
    let (_, _, err) = run("inject", &words, &plain);
    assert!(err.contains("warning: image volumes need nodes of 1.35 or newer"), "{err}");
}
