//! `--env-file`: what a shell would have sourced, byte for byte; read after the gate, so a sidecar may write it.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt as _, time::Duration};
use support::{End, Fake, Launch, TempDir, ms, pause};

/// A main that shows its environment, an entry after the other, each ending in NUL.
fn main_with(files: &[&str]) -> Launch {
    let options = files.iter().flat_map(|file| ["--env-file", file]);
    Launch::pid1().options(options).command(["cat", "/proc/self/environ"])
}

/// What main has for this name.
fn value<'a>(end: &'a End, name: &str) -> Option<&'a [u8]> {
    let start = format!("{name}=").into_bytes();
    let entries: Vec<_> =
        end.stdout.split(|&b| b == 0).filter_map(|e| e.strip_prefix(start.as_slice())).collect();
    assert!(entries.len() <= 1, "{name} is there {} times", entries.len());
    entries.first().copied()
}

/// Main's environment with a file of this content; nothing is told.
fn with(content: impl AsRef<[u8]>) -> End {
    let dir = TempDir::new();
    let file = dir.file("env", content, 0o600);
    let end = main_with(&[file.to_str().unwrap()]).run();
    end.silent(0);
    end
}

#[test]
fn what_vaults_agent_writes_is_mains_environment() {
    only_ours!();
    let end = with(
        "export A='b c'\nexport DB_URL=\"postgres://u:p%40ss@127.0.0.1:5432/x?sslmode=disable\"\n\n# a comment\n\
         export PASSWORD='$x `y` \\ \"z\" #no'\nEMPTY=\nexport JSON='{\"a\": [1, 2]}'\n",
    );
    for (name, wanted) in [
        ("A", "b c"),
        ("DB_URL", "postgres://u:p%40ss@127.0.0.1:5432/x?sslmode=disable"),
        ("PASSWORD", "$x `y` \\ \"z\" #no"),
        ("EMPTY", ""),
        ("JSON", "{\"a\": [1, 2]}"),
    ] {
        assert_eq!(value(&end, name).map(String::from_utf8_lossy).as_deref(), Some(wanted), "{name}");
    }
    assert!(value(&end, "PATH").is_some(), "the rest of the environment stays");
}

#[test]
fn every_value_that_a_shell_would_source_comes_out_the_same() {
    only_ours!();
    let text = "A=a\\ b\nB='one'\"two\"three\nC=\"a\\\"b\\\\c\\$d\\e\"\nD='two\nlines'\n  E=x # comment\nF=a#b\nG=\"x\\\ny\"\nH=a=b=c\nI=\"x\";\nJ='y'; \nK=\"x;\"\n";
    let dir = TempDir::new();
    let file = dir.file("env", text, 0o600);
    let script = format!("set -a; . {}; exec cat /proc/self/environ", file.display());
    let shell = Launch::bare().sh(&script).run();
    let ours = with(text);
    for name in ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K"] {
        assert!(value(&ours, name).is_some(), "{name}");
        assert_eq!(value(&ours, name), value(&shell, name), "{name}");
    }
}

#[test]
fn bytes_that_are_no_text_come_through() {
    only_ours!();
    let bytes: Vec<u8> = (1..=255).filter(|b| *b != b'\'').collect();
    let end = with([b"BYTES='", bytes.as_slice(), b"'\n"].concat());
    assert_eq!(value(&end, "BYTES"), Some(bytes.as_slice()));
}

#[test]
fn later_files_and_lines_win_over_earlier_ones_and_over_the_environment() {
    only_ours!();
    let dir = TempDir::new();
    let one = dir.file("one", "A=1\nB=1\nB=2\n", 0o600);
    let two = dir.file("two", "A=2\n", 0o600);
    let files = [one.to_str().unwrap(), two.to_str().unwrap()];
    let end = main_with(&files).env("A=0").env("B=0").env("C=0").run();
    let values = ["A", "B", "C"].map(|name| value(&end, name).unwrap());
    assert_eq!(values, [b"2", b"2", b"0"]);
}

#[test]
fn path_of_the_file_is_that_by_which_the_command_is_found() {
    only_ours!();
    let dir = TempDir::new();
    dir.file("my-program", "#!/bin/sh\necho found\n", 0o755);
    let file = dir.file("env", format!("PATH={}:/usr/bin:/bin\n", dir.path().display()), 0o600);
    let options = ["--env-file", file.to_str().unwrap()];
    let end = Launch::pid1().options(options).command(["my-program"]).run();
    assert_eq!((end.code(), end.stdout.as_slice()), (0, &b"found\n"[..]), "{}", end.stderr);
}

#[test]
fn a_bad_line_is_125_names_file_and_line_never_its_value_and_the_sidecar_is_stopped() {
    only_ours!();
    for (text, line) in [
        ("A=1\nB=s3cret s3cret\n", 2),
        ("A=1\n\nexport\n", 3),
        ("=s3cret\n", 1),
        ("A='s3cret\n\n\n", 1),
        ("1A=s3cret\n", 1),
        ("A s3cret\n", 1),
        ("A=1\nA=\0s3cret\n", 2),
        ("A=1\nA=\\\0s3cret\n", 2),
        ("A=1\nA=\"x\\\0s3cret\"\n", 2),
    ] {
        let fake = Fake::good();
        let dir = TempDir::new();
        let file = dir.file("env", text, 0o600);
        let path = file.to_str().unwrap();
        let end = main_with(&[path]).sidecar(&fake.spec("fake")).run();
        end.one_line(125, &["--env-file", path, &format!("line {line}:")]);
        assert!(!end.stderr.contains("s3cret"), "{}", end.stderr);
        assert_eq!((end.stdout.len(), fake.quits().len()), (0, 1), "{text:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_125_and_the_sidecar_is_stopped() {
    only_ours!();
    let dir = TempDir::new();
    let fifo = dir.at("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (path, why) in [
        ("/no/such/file", "No such file"),
        ("/", "no regular file"),
        (fifo.to_str().unwrap(), "no regular file"),
    ] {
        let fake = Fake::good();
        let end = main_with(&[path]).sidecar(&fake.spec("fake")).deadline(Duration::from_secs(5)).run();
        end.one_line(125, &["--env-file", path, why]);
        assert_eq!(fake.quits().len(), 1);
    }
}

#[test]
fn the_file_may_be_written_by_a_sidecar_that_the_gate_waits_for() {
    only_ours!();
    let dir = TempDir::new();
    let file = dir.at("secrets");
    let path = file.to_str().unwrap();
    let run = main_with(&[path]).sidecar(&format!("vault-agent:ready=file:{path},quit=none")).start();
    pause(ms(50));
    // As an agent does it: written aside, then renamed.
    fs::write(dir.at("new"), "export A='b c'\n").unwrap();
    fs::rename(dir.at("new"), &file).unwrap();
    let end = run.wait();
    end.silent(0);
    assert_eq!(value(&end, "A"), Some(&b"b c"[..]));
}

#[test]
fn names_of_files_are_bytes_and_may_be_relative() {
    only_ours!();
    let dir = TempDir::new();
    let name = OsString::from_vec(b"\xff env".to_vec());
    fs::write(dir.path().join(&name), "A=1\n").unwrap();
    let launch = Launch::pid1().cwd(dir.path()).options([OsString::from("--env-file"), name]);
    let end = launch.command(["cat", "/proc/self/environ"]).run();
    end.silent(0);
    assert_eq!(value(&end, "A"), Some(&b"1"[..]));
}
