//! `inject`, `uninject` and `explain`, as a user runs them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod program;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BIN: &str = env!("CARGO_BIN_EXE_kubectl-lastout");

fn run(words: &[&str]) -> Output {
    Command::new(BIN).args(words).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The manifests in many styles.
fn manifests() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    assert!(paths.len() > 40);
    paths
}

const JOB: &str = "\
# a report
apiVersion: batch/v1
kind: Job
metadata: {name: report}
spec:
  template:
    spec:
      restartPolicy: OnFailure
      containers:
      - name: main   # the report
        image: report:1
        command: [/app/report]
      - name: istio-proxy
        image: istio/proxyv2:1.20
";

fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path.display().to_string())
}

#[test]
fn inject_twice_is_inject_and_uninject_gives_the_bytes_back() {
    for mode in ["wrap", "native", "helper"] {
        let mut changed = 0;
        for path in manifests() {
            let before = fs::read(&path).unwrap();
            let words =
                ["inject", "--strict", "--mode", mode, "--sidecar", "side:quit=http://127.0.0.1:1/quit"];
            let inject = |path: &str| run(&[&words[..], &[path]].concat());
            let output = inject(path.to_str().unwrap());
            assert!(output.status.success(), "{}: {}", path.display(), stderr(&output));
            let name = path.file_name().unwrap().to_str().unwrap();
            let (_folder, once) = file(name, &stdout(&output));
            changed += usize::from(output.stdout != before);
            let twice = inject(&once);
            assert_eq!(stdout(&twice), stdout(&output), "{mode}: {}", path.display());
            let back = run(&["uninject", "--strict", &once]);
            assert!(
                back.stdout == before,
                "{mode}: {}:\n{}\n{}",
                path.display(),
                stdout(&back),
                stderr(&back)
            );
        }
        assert!(changed > 20, "{mode}: {changed}");
    }
}

#[test]
fn only_the_lines_that_must_change_change() {
    let (_folder, path) = file("job.yaml", JOB);
    let output = run(&["inject", "--diff", &path]);
    assert!(output.status.success());
    let diff = stdout(&output);
    let taken: Vec<&str> =
        diff.lines().filter(|line| line.starts_with('-') && !line.starts_with("---")).collect();
    assert_eq!(taken, ["-        command: [/app/report]"]);
    let command = r#"+        command: [/.lastout/lastout, "--sidecar", istio, "--stop-on", success, "--", /app/report]"#;
    assert!(diff.contains(command), "{diff}");
}

#[test]
fn in_place_replaces_the_file_keeps_its_mode_and_leaves_nothing_beside_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = file("job.yaml", JOB);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let output = run(&["inject", "-i", &path]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(stderr(&output).contains("job/report: injected-wrap"), "{}", stderr(&output));
    assert!(fs::read_to_string(&path).unwrap().contains("/.lastout/lastout"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(run(&["uninject", "-i", &path]).status.success());
    assert_eq!(fs::read_to_string(&path).unwrap(), JOB);
}

#[cfg(unix)]
#[test]
fn in_place_keeps_the_owner_and_writes_only_what_its_user_may_write() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;
    let (folder, path) = file("job.yaml", JOB);
    // Root may give the file away; others keep their own.
    let is_root = fs::metadata(&path).unwrap().uid() == 0;
    if is_root {
        chown(&path, Some(65533), Some(65532)).unwrap();
    }
    let owner = |path: &str| fs::metadata(path).map(|meta| (meta.uid(), meta.gid())).unwrap();
    let before = owner(&path);
    assert!(run(&["inject", "-i", &path]).status.success());
    assert_eq!(owner(&path), before);

    let (read_only, binary) = (folder.path().join("read-only.yaml"), folder.path().join("plugin"));
    fs::write(&read_only, JOB).unwrap();
    fs::copy(BIN, &binary).unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&read_only, 0o444);
    mode(folder.path(), 0o777);
    let mut command = Command::new(&binary);
    command.args(["inject", "-i"]).arg(&read_only);
    if is_root {
        command.uid(65533).gid(65532);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("read-only.yaml: Permission denied"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&read_only).unwrap(), JOB);
}

#[test]
fn a_name_cannot_forge_a_line_or_command_the_terminal() {
    let odd = JOB.replace("{name: report}", r#"{name: "a\nb\e[2J"}"#).replace("istio/proxyv2", "r/x");
    let odd =
        odd.replace("name: istio-proxy", r#"name: "c\nd\e[2J""#).replace("name: main ", "name: istio-proxy");
    let (_folder, path) = file("job.yaml", &odd);
    for words in [["inject", "--check-only", &path], ["explain", "--mode=wrap", &path]] {
        let output = run(&words);
        let said = stdout(&output) + &stderr(&output);
        assert!(said.contains("a\u{fffd}b\u{fffd}[2J") && !said.contains('\u{1b}'), "{said}");
        assert!(!said.lines().any(|line| line.starts_with('b') || line.starts_with('d')), "{said}");
    }
}

#[test]
fn check_only_says_by_its_exit_code_whether_something_would_change() {
    let (_folder, path) = file("job.yaml", JOB);
    let code = |words: &[&str]| run(words).status.code();
    assert_eq!(code(&["inject", "--check-only", &path]), Some(1));
    assert!(run(&["inject", "-i", &path]).status.success());
    assert_eq!(code(&["inject", "--check-only", &path]), Some(0));
}

#[test]
fn an_error_names_the_file_and_the_line_and_no_file_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("a.yaml"), folder.path().join("b.yaml"));
    fs::write(&good, JOB).unwrap();
    fs::write(&bad, "kind: Job\nspec: {\n").unwrap();
    let output = run(&["inject", "-i", folder.path().to_str().unwrap()]);
    assert_eq!((output.status.code(), fs::read_to_string(&good).unwrap().as_str()), (Some(2), JOB));
    let last = stderr(&output).lines().last().unwrap().to_owned();
    assert!(last.starts_with(&format!("kubectl-lastout: {}:", bad.display())), "{last}");
}

#[test]
fn in_place_needs_files() {
    let (_folder, path) = file("a.yaml", JOB);
    let output = run(&["inject", "-i", &path, "-"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("-: --in-place needs a file"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&path).unwrap(), JOB);
}

#[test]
fn bad_input_is_one_clear_line() {
    let empty = tempfile::tempdir().unwrap();
    let (_folder, garbage) = file("garbage.yaml", "\u{0}\u{1}");
    for (words, said) in [
        (vec!["inject", "/nowhere.yaml"], "/nowhere.yaml: No such file"),
        (vec!["inject", empty.path().to_str().unwrap()], "a folder without *.yaml"),
        (vec!["inject", &garbage], "garbage.yaml:1: "),
    ] {
        let output = run(&words);
        let text = stderr(&output);
        assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{text}");
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn stdin_goes_to_stdout_as_a_post_renderer_wants_it() {
    let manifest = format!("---\n{JOB}---\nkind: ConfigMap\ndata: {{a: 'b'}}\n");
    let output = program::run(&["inject", "-"], &manifest);
    let text = stdout(&output);
    assert!(
        text.starts_with("---\n# a report\n") && text.ends_with("---\nkind: ConfigMap\ndata: {a: 'b'}\n"),
        "{text}"
    );
}

#[test]
fn a_resource_list_of_a_krm_function_stays_one() {
    let items = JOB.lines().map(|line| format!("  {line}\n")).collect::<String>().replacen(
        "  # a report\n  api",
        "- api",
        1,
    );
    let list = format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{items}");
    let (_folder, path) = file("list.yaml", &list);
    let text = stdout(&run(&["inject", &path]));
    assert!(text.starts_with("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"), "{text}");
    assert!(text.contains("/.lastout/lastout"), "{text}");
}

#[test]
fn explain_tells_what_each_container_is_and_why() {
    let (_folder, path) = file("job.yaml", JOB);
    let text = stdout(&run(&["explain", &path]));
    for line in [
        "job/report",
        "├─ main  main; its sidecars may be stopped after exit code 0",
        "├─ istio-proxy  sidecar, istio: it runs on when the mains are over",
        "└─ injected-wrap: lastout runs the mains, and stops the sidecars after them",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn kubectl_is_told_what_may_stand_in_the_place_of_the_last_word() {
    let candidates = |words: &[&str]| stdout(&run(&[&["__complete"], words].concat()));
    let verbs = candidates(&["in"]);
    assert!(verbs.starts_with("inject\tAdd lastout") && verbs.ends_with(":4\n"), "{verbs}");
    assert!(candidates(&["inject", "--mo"]).starts_with("--mode\t"));
    assert_eq!(candidates(&["inject", "--mode", ""]).lines().count(), 5);
    assert_eq!(candidates(&["inject", ""]), ":0\n", "files");
    assert!(!candidates(&[""]).contains("__complete"));
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(stdout(&run(&["completion", shell])).contains("uninject"), "{shell}");
    }
    assert!(stdout(&run(&["completion", "kubectl"])).starts_with("#!/bin/sh\n"));
}

#[test]
fn presets_are_those_of_the_core() {
    let text = stdout(&run(&["presets"]));
    assert!(text.starts_with("NAME") && text.contains("POST 15020/quitquitquit"), "{text}");
    let rows: serde_json::Value = serde_json::from_str(&stdout(&run(&["presets", "--json"]))).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), lastout_core::presets::PRESETS.len());
}

/// In a mount namespace of its own, where this machine allows one: the file there is the second of two, and both stay.
fn in_a_small_file_system(options: &str, padding: usize) -> Option<Output> {
    let (folder, path) = file("job.yaml", &format!("{JOB}# {}\n", "x".repeat(padding)));
    let mount = folder.path().join("small");
    fs::create_dir(&mount).unwrap();
    let script = r#"mount -t tmpfs -o size=64k none "$1" && cp "$2" "$1" && mount -o "remount,$4" "$1" || exit 69
        cp "$2" "$2.first" || exit 69
        "$3" inject -i "$2.first" "$1/job.yaml"; code=$?
        cmp "$1/job.yaml" "$2" && cmp "$2.first" "$2" || exit 70; [ "$(ls -A "$1")" = job.yaml ] || exit 71; exit $code"#;
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh", mount.to_str().unwrap(), &path, BIN, options])
        .output()
        .ok()?;
    (output.status.code() != Some(69) && !stderr(&output).contains("unshare")).then_some(output)
}

#[test]
fn on_a_full_or_read_only_disk_all_files_stay_as_they_were_and_nothing_is_left_beside_them() {
    for (options, padding, said) in
        [("rw", 40_000, "No space left on device"), ("ro", 10, "Read-only file system")]
    {
        let Some(output) = in_a_small_file_system(options, padding) else {
            drop(writeln!(std::io::stderr(), "skipped: no mount namespace to be had"));
            return;
        };
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{text}{}", stdout(&output));
        assert!(text.lines().last().unwrap().contains(said) && text.contains("it is as it was"), "{text}");
    }
}

#[test]
fn a_file_that_is_missing_is_named_with_a_way_out() {
    let output = run(&["inject", "nosuch.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("nosuch.yaml: No such file"), "{}", stderr(&output));
    assert!(stderr(&output).trim_end().ends_with(": mend the path, or give `-` for stdin"));
}

/// As Python's `json.dumps` writes what is above U+FFFF.
#[test]
fn json_with_surrogate_pairs_is_edited_in_place_and_back() {
    let text = r#"{
  "kind": "Pod",
  "metadata": {"name": "report", "annotations": {"done": "\ud83c\udf89 \\ud83c"}},
  "spec": {
    "restartPolicy": "Never",
    "containers": [
      {"name": "main", "image": "r", "command": ["/app", "\uD83C\uDF89"]},
      {"name": "istio-proxy", "image": "istio/proxyv2"}
    ]
  }
}
"#;
    let (_folder, path) = file("pod.json", text);
    for mode in ["wrap", "native", "helper"] {
        let output = run(&["inject", "--strict", "--mode", mode, "--kube-version", "1.33", &path]);
        assert!(output.status.success(), "{mode}: {}", stderr(&output));
        assert_ne!(stdout(&output), text);
        let (_folder, path) = file("pod.json", &stdout(&output));
        assert_eq!(stdout(&run(&["uninject", "--strict", &path])), text, "{mode}");
    }
}

#[test]
fn what_is_told_comes_after_the_whole_file_is_read() {
    let (_folder, path) = file("two.yaml", &format!("{JOB}---\na: {{\n"));
    let output = run(&["inject", &path]);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
}
