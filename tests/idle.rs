//! Idle means idle: while main runs the wrapper does not wake up, has one thread, and keeps nothing busy.

mod support;

use std::{fs, time::Duration};
use support::{Fake, Launch, TempDir, eventually, facts::status_field, ms, pause};

/// Waits until the wrapper sleeps with main running, and nothing of its own start is left to do.
fn settle(pid: i32) {
    eventually("the wrapper comes to rest", || {
        let before = switches(pid);
        pause(ms(5));
        status_field(pid, "State").is_some_and(|s| s.starts_with('S')) && switches(pid) == before
    });
}

fn switches(pid: i32) -> u64 {
    status_field(pid, "voluntary_ctxt_switches").and_then(|n| n.parse().ok()).unwrap_or(u64::MAX)
}

#[test]
fn the_wrapper_never_wakes_up_while_main_runs() {
    only_ours!();
    let fake = Fake::good();
    let run = Launch::pid1().sidecar(&fake.spec("fake")).sh("echo up; exec sleep 60").start();
    run.says("up");
    settle(run.pid());
    let before = switches(run.pid());
    pause(Duration::from_secs(2));
    assert_eq!(switches(run.pid()) - before, 0, "wake-ups in 2 s");
}

#[test]
fn one_thread_while_main_runs() {
    only_ours!();
    let fake = Fake::good();
    let run = Launch::pid1().sidecar(&fake.spec("fake")).sh("echo up; exec sleep 60").start();
    run.says("up");
    assert_eq!(status_field(run.pid(), "Threads").unwrap(), "1");
}

#[test]
fn while_main_runs_the_wrapper_keeps_neither_folder_nor_descriptor_busy() {
    only_ours!();
    let dir = TempDir::new();
    let file = dir.file("held", "x", 0o644);
    let run = Launch::pid1()
        .cwd(dir.path())
        .opened(7, &file)
        .sh("readlink /proc/self/fd/7; pwd -P; echo up; exec sleep 60")
        .start();
    run.says("up");
    let said = String::from_utf8(run.said()).unwrap();
    assert_eq!(said, format!("{}\n{}\nup\n", file.display(), dir.path().display()), "main keeps both");
    settle(run.pid());
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", run.pid())).unwrap().to_str(), Some("/"));
    let links = fs::read_dir(format!("/proc/{}/fd", run.pid())).unwrap().flatten();
    let held: Vec<_> = links.filter_map(|l| fs::read_link(l.path()).ok()).filter(|t| *t == file).collect();
    assert!(held.is_empty(), "the wrapper still holds {held:?}");
}
