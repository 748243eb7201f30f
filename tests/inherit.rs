//! What main inherits is what it would inherit bare: mask, dispositions, environment, arguments, folder.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

mod support;

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, time::Duration};
use support::{Launch, TempDir, facts::field};

/// Runs a command bare and wrapped, as PID 1 and not, in the same surroundings: main must see the same.
#[track_caller]
fn same(command: &[&OsStr], with: impl Fn(Launch) -> Launch, look: impl Fn(&[u8]) -> String) {
    let see = |launch: Launch| {
        let end = with(launch).command(command).run();
        assert_eq!(end.code(), 0, "{}", end.stderr);
        look(&end.stdout)
    };
    let bare = see(Launch::bare());
    assert!(!bare.is_empty());
    assert_eq!(see(Launch::pid1()), bare, "as PID 1");
    assert_eq!(see(Launch::process()), bare, "as an ordinary process");
}

fn words<const N: usize>(words: [&str; N]) -> [&OsStr; N] {
    words.map(OsStr::new)
}

/// The signal fields of `/proc/self/status`.
fn signals(status: &[u8]) -> String {
    let status = String::from_utf8_lossy(status);
    ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"]
        .map(|name| format!("{name} {}\n", field(&status, name).expect(name)))
        .concat()
}

#[test]
fn main_has_nothing_blocked_and_nothing_ignored() {
    same(&words(["cat", "/proc/self/status"]), |l| l, signals);
}

#[test]
fn main_has_the_blocked_mask_that_the_wrapper_was_started_with() {
    let blocked = [libc::SIGUSR1, libc::SIGTERM, libc::SIGCHLD, 34, 35, 64];
    same(&words(["cat", "/proc/self/status"]), |l| blocked.into_iter().fold(l, Launch::blocked), signals);
}

#[test]
fn main_has_the_ignored_signals_that_the_wrapper_was_started_with() {
    let ignored = [libc::SIGHUP, libc::SIGINT, libc::SIGTTIN, libc::SIGTTOU, 34, 40, 64];
    same(&words(["cat", "/proc/self/status"]), |l| ignored.into_iter().fold(l, Launch::ignored), signals);
}

#[test]
fn an_ignored_broken_pipe_stays_ignored() {
    same(&words(["cat", "/proc/self/status"]), |l| l.ignored(libc::SIGPIPE), signals);
}

#[test]
fn an_ignored_child_signal_stays_ignored_and_the_exit_code_is_known_all_the_same() {
    let with = |l: Launch| l.ignored(libc::SIGCHLD).deadline(Duration::from_secs(5));
    same(&words(["cat", "/proc/self/status"]), with, signals);
    // Where CHLD is ignored the kernel reaps by itself, and nobody learns the code.
    assert_eq!(with(Launch::pid1()).sh("exit 3").run().code(), 3);
}

#[test]
fn main_has_the_environment_byte_for_byte() {
    let odd = [
        &b"EMPTY="[..],
        b"WITH SPACE=1",
        b"bin=\xff\xfe\x80",
        b"\xffname=x",
        b"LASTLY=2",
        b"MULTI=a\nb",
        b"no-equals-sign",
        b"=odd",
        b"EMPTY=twice",
        b"a.b-c=1",
    ];
    let with = |launch| odd.iter().fold(launch, |l: Launch, e| l.env(OsStr::from_bytes(e)));
    same(&words(["cat", "/proc/self/environ"]), with, |out| format!("{:?}", OsStr::from_bytes(out)));
}

#[test]
fn main_has_an_empty_environment_if_that_is_what_there_was() {
    let look = |out: &[u8]| format!("{:?}.", OsStr::from_bytes(out));
    same(&words(["/bin/cat", "/proc/self/environ"]), Launch::no_env, look);
}

#[test]
fn main_has_its_arguments_byte_for_byte() {
    let odd = [&b""[..], b"--", b"-x", b"--wait-timeout", b"a b", b"\xff\xfe", b"\n", b"*", b"--help", b""];
    let mut command = words(["sh", "-c", "cat /proc/$$/cmdline; :"]).to_vec();
    command.extend(odd.iter().map(|w| OsStr::from_bytes(w)));
    same(&command, |l| l, |out| format!("{:?}", OsStr::from_bytes(out)));
}

#[test]
fn main_starts_in_the_folder_of_the_wrapper() {
    let dir = TempDir::new();
    same(
        &words(["readlink", "/proc/self/cwd"]),
        |l| l.cwd(dir.path()),
        |out| format!("{:?}", OsStr::from_bytes(out)),
    );
}

#[test]
fn main_has_the_umask_and_the_descriptors_of_the_wrapper() {
    let dir = TempDir::new();
    let file = dir.file("held", "x", 0o644);
    let script = "umask; for fd in /proc/self/fd/[0-9]*; do echo ${fd##*/}; done; readlink /proc/self/fd/9";
    same(
        &words(["sh", "-c", script]),
        |l| l.umask(0o27).opened(9, &file),
        |out| String::from_utf8_lossy(out).into_owned(),
    );
}
