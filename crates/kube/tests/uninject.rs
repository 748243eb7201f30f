//! `uninject` on pods that `inject` has not written, or not alone, and on what is empty there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod program;

use program::run;

/// What goes to stdout and to stderr.
fn done(words: &[&str], stdin: &str) -> (String, String) {
    let output = run(words, stdin);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{words:?}: {err}");
    (out, err)
}

fn injected(mode: &str, manifest: &str) -> String {
    done(&["inject", "--strict", "--mode", mode, "-"], manifest).0
}

fn job(more: &str) -> String {
    format!(
        "\
apiVersion: batch/v1
kind: Job
metadata: {{name: report}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: report:1
        command: [/app/report]
{more}      - name: istio-proxy
        image: istio/proxyv2:1.20
"
    )
}

#[track_caller]
fn stays(manifest: &str, why: &str) {
    let (out, err) = done(&["uninject", "-"], manifest);
    assert_eq!(out, manifest);
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.contains(&format!("job/report: lastout stays: {why}")), "{err}");
}

#[test]
fn a_container_of_the_users_own_that_has_the_helpers_name_stays() {
    let own = job("      - {name: lastout-helper, image: r, command: [/app]}\n");
    assert_eq!(
        done(&["uninject", "-"], &own),
        (own.clone(), "-: job/report: lastout is not there\n".to_owned())
    );
    for mode in ["wrap", "native"] {
        assert_eq!(done(&["uninject", "--strict", "-"], &injected(mode, &own)).0, own, "{mode}");
    }
    let (out, err) = done(&["inject", "--mode", "helper", "-"], &own);
    assert_eq!(out, own);
    assert!(err.contains("name-conflict"), "{err}");
}

#[test]
fn what_the_program_itself_would_run_is_what_is_left() {
    let plain = job("");
    let wrapped = injected("wrap", &plain);
    let ours = r#"[/.lastout/lastout, "--sidecar", istio, "--", /app/report]"#;
    assert!(wrapped.contains(ours), "{wrapped}");
    for (command, left) in [
        (
            "[/.lastout/lastout, --sidecar, istio, /app/report, run, --, --verbose]",
            "[/app/report, run, --, --verbose]",
        ),
        ("[/.lastout/lastout, --sidecar=istio, --, sh, -c, x, --, z]", "[sh, -c, x, --, z]"),
        ("[/.lastout/lastout, --sidecar, istio, --, $(APP)]", "[$(APP)]"),
    ] {
        let found = done(&["uninject", "--strict", "-"], &wrapped.replace(ours, command)).0;
        assert_eq!(found, plain.replace("[/app/report]", left), "{command}");
    }
}

#[test]
fn a_command_line_that_does_not_tell_which_words_are_ours_stays_as_a_whole() {
    let wrapped = injected("wrap", &job(""));
    let ours = r#"[/.lastout/lastout, "--sidecar", istio, "--", /app/report]"#;
    for (command, why) in [
        ("[/.lastout/lastout, --sidecr, istio, --, /app]", "main: lastout would refuse its command line"),
        ("[/.lastout/lastout, --sidecar, istio]", "main: lastout would refuse its command line"),
        ("[/.lastout/lastout, --sidecar, istio, $(MORE), /app]", "main: a variable stands where"),
        ("[/.lastout/lastout, wait, istio]", "main: it runs lastout for something"),
        ("[/.lastout/lastout]\n        args: [--sidecar, istio, --, /app]", "main: its command is in args"),
        ("[/.lastout/lastout, --sidecar, istio, --]\n        args: [/app]", "main: its command is in args"),
        ("[/.lastout/lastout, 5]", "main: its command line is no list of words"),
    ] {
        stays(&wrapped.replace(ours, command), why);
    }
}

#[test]
fn a_pod_that_has_become_another_one_stays_with_its_note() {
    let native = injected("native", &job(""));
    stays(
        &native.replace("name: istio-proxy", "name: istio"),
        "there is no native sidecar istio-proxy any more",
    );
    let helper = injected("helper", &job(""));
    stays(&helper.replace("name: lastout-helper", "name: watcher"), "there is no container lastout-helper");
    let silent = job("").replace("command: [/app/report]", "args: [x]").replace(
        "    spec:\n      restart",
        "    metadata: {annotations: {lastout.dev/command.main: '[\"/app\"]'}}\n    spec:\n      restart",
    );
    let wrapped = injected("wrap", &silent);
    assert_eq!(done(&["uninject", "--strict", "-"], &wrapped).0, silent);
    stays(
        &wrapped.replace("- name: main", "- name: app"),
        "there is no container main with lastout's command",
    );
    stays(&wrapped.replace("wrap 0", "wrapped 0"), "lastout.dev/status: \"wrapped 0");
}

#[test]
fn a_volume_that_another_container_mounts_stays_with_all_of_it() {
    let own =
        "      - name: late\n        image: l\n        volumeMounts: [{name: lastout, mountPath: /x}]\n";
    let wrapped = injected("wrap", &job("")).replacen(
        "      - name: istio-proxy",
        &format!("{own}      - name: istio-proxy"),
        1,
    );
    stays(&wrapped, "late mounts its volume lastout at /x: take that out first");
}

#[test]
fn a_volume_of_the_users_own_is_in_nobodys_way_where_there_is_no_group() {
    let one = job("        volumeMounts: [{name: lastout-group, mountPath: /.lastout-group}]\n")
        + "      volumes: [{name: lastout-group, emptyDir: {}}]\n";
    let wrapped = injected("wrap", &one);
    assert_ne!(wrapped, one);
    assert_eq!(done(&["uninject", "--strict", "-"], &wrapped).0, one);
    let two = one.replace(
        "      - name: istio-proxy",
        "      - {name: other, image: o, command: [/o]}\n      - name: istio-proxy",
    );
    assert!(done(&["inject", "-"], &two).1.contains("name-conflict"), "{two}");
}

#[test]
fn what_was_empty_or_null_is_so_again() {
    let metadata = |text: &str| {
        job("").replace("    spec:\n      restart", &format!("    {text}\n    spec:\n      restart"))
    };
    let spec = |text: &str| job("").replace("      containers:", &format!("      {text}\n      containers:"));
    for manifest in [
        metadata("metadata:"),
        metadata("metadata: {}"),
        metadata("metadata:  # of Helm\n      annotations:\n      labels:\n        app: x"),
        metadata("metadata:\n      labels: {app: x}\n      annotations:   # none"),
        metadata("metadata:\n      annotations: {}\n      name: x"),
        metadata("metadata: {annotations: {}}"),
        spec("volumes: # none"),
        spec("volumes: []  # none\n      initContainers:"),
        spec("initContainers: []"),
        job("        volumeMounts:\n"),
    ] {
        for mode in ["wrap", "native", "helper"] {
            if mode == "native" && manifest.contains("initContainers: []") {
                // Its lines go with the last item: an empty list says no more than none.
                continue;
            }
            let there = injected(mode, &manifest);
            assert_ne!(there, manifest);
            assert_eq!(done(&["uninject", "--strict", "-"], &there).0, manifest, "{mode}:\n{there}");
        }
    }
}

#[test]
fn a_pod_that_two_ways_lead_to_is_one_pod() {
    let (out, err) = done(&["inject", "--pod-path", "spec.template", "-"], &job(""));
    assert_eq!((out, err.lines().count()), (injected("wrap", &job("")), 1), "{err}");
    assert_eq!(
        done(&["uninject", "--pod-path", "spec.template", "-"], &injected("wrap", &job(""))).0,
        job("")
    );
}
