//! Texts of a size that no manifest has: one clear line, nothing half-written, and memory by what is read and written.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MIB: usize = 1024 * 1024;

/// In an address space of so many bytes. Not by `ru_maxrss`: a child's begins with what this process had when it forked.
fn run(words: &[&str], path: &Path, most: usize) -> Output {
    Command::new("sh")
        .args(["-c", r#"ulimit -v "$1"; shift; exec "$@""#, "sh"])
        .arg((most / 1024).to_string())
        .arg(env!("CARGO_BIN_EXE_kubectl-lastout"))
        .args(words)
        .arg(path)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Address space for so many bytes that are read and written, where all values are short; the program itself, which is not
/// optimized here, takes 35 MiB.
fn most(bytes: usize) -> usize {
    56 * MIB + 40 * bytes
}

fn job(number: usize) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata:
  name: report-{number}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: report:1
        command: [/app/report]
      - name: istio-proxy
        image: istio/proxyv2:1
"
    )
}

fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// One line that says this, with the file untouched and nothing beside it.
#[track_caller]
fn is_refused(words: &[&str], (folder, path): &(tempfile::TempDir, PathBuf), said: &str, most: usize) {
    let before = fs::metadata(path).unwrap();
    let output = run(words, path, most);
    let text = stderr(&output);
    assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{words:?}: {text}");
    assert!(text.contains(&format!("{}:{said}", path.display())), "{words:?}: {text}");
    let after = fs::metadata(path).unwrap();
    assert_eq!((after.len(), after.modified().unwrap()), (before.len(), before.modified().unwrap()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_hundred_megabytes_are_no_manifest() {
    let line = "# ".to_owned() + &"x".repeat(997) + "\n";
    let valid = file("valid.yaml", &format!("{}{}", job(1), line.repeat(100_000)));
    let garbage = file("garbage.yaml", &"\u{1}{[&*!|>'\"%@`]}:- ".repeat(6_000_000));
    for file in [&valid, &garbage] {
        is_refused(&["inject", "-i"], file, " larger than 64 MiB", 256 * MIB);
        is_refused(&["explain"], file, " larger than 64 MiB", 256 * MIB);
    }
}

#[test]
fn garbage_that_is_read_is_refused_at_its_first_line() {
    for (text, said) in [
        ("\u{1}{[&*!|>'\"%@`]}:- ", "1: "),
        ("[", "1: nested deeper than 1000 levels"),
        ("{\"a\":", "1: nested deeper than 1000 levels"),
        ("- ", "1: nested deeper than 1000 levels"),
    ] {
        let file = file("garbage.yaml", &text.repeat(8 * MIB / text.len()));
        is_refused(&["inject", "-i"], &file, said, 192 * MIB);
    }
}

#[test]
fn a_fault_in_the_last_of_ten_thousand_documents_leaves_all_as_they_were() {
    let mut text = String::new();
    for number in 0..10_000 {
        let _ = writeln!(text, "{}---", job(number));
    }
    let line = 1 + text.lines().count();
    let broken = file("broken.yaml", &format!("{text}kind: Job\nspec: {{\n"));
    is_refused(&["inject", "-i"], &broken, &format!("{}: ", line + 2), most(text.len()));
    let (_folder, valid) = file("valid.yaml", &text);
    let output = run(&["explain"], &valid, most(text.len()));
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn memory_is_bounded_by_the_size_of_one_long_list() {
    let mut yaml = "apiVersion: v1\nkind: List\nitems:\n".to_owned();
    let mut json = "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[".to_owned();
    for number in 0..3_000 {
        let _ = writeln!(yaml, "- {}", job(number).trim_end().replace('\n', "\n  "));
        let comma = if number > 0 { "," } else { "" };
        let _ = write!(
            json,
            r#"{comma}{{"apiVersion":"batch/v1","kind":"Job","metadata":{{"name":"r-{number}"}},"spec":{{"template":{{"spec":{{"restartPolicy":"Never","containers":[{{"name":"main","image":"r:1","command":["/r"]}},{{"name":"istio-proxy","image":"i:1"}}]}}}}}}}}"#
        );
    }
    json.push_str("]}");
    for (name, text) in [("list.yaml", yaml), ("list.json", json)] {
        let (_folder, path) = file(name, &text);
        for (words, written) in [
            (&["explain"][..], 0),
            (&["check", "-o", "github"], 0),
            (&["inject", "--strict", "--mode", "wrap"], 5 * text.len()),
        ] {
            let output = run(words, &path, most(text.len() + written));
            assert!(
                output.status.code().is_some_and(|code| code < 2),
                "{name}: {words:?}: {}",
                stderr(&output)
            );
            if words.contains(&"inject") {
                assert!(output.stdout.len() > 3 * text.len() && output.stdout.len() <= written);
            }
        }
    }
}
