//! Idle means idle: while main runs the wrapper does not wake up, has one thread, and keeps nothing busy.

use std::{fs, path::Path, time::Duration};
use support::{Fake, Launch, TempDir, binary, eventually, facts::status_field, ms, pause, skip};

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

/// What the loop needs stands together in the file (src/layout.ld, for the static program of musl). The kernel maps 64 KiB
/// around each place that is touched; one window is what it takes, two are allowed for.
#[test]
fn an_idle_wrapper_and_one_that_forwards_a_signal_touch_little_of_the_program() {
    only_ours!();
    let program = fs::read(binary()).unwrap();
    // Among what every glibc brings, static or not.
    if ["glibc.", "GLIBC_"]
        .iter()
        .any(|word| program.windows(word.len()).any(|bytes| bytes == word.as_bytes()))
    {
        return skip("this program was built for glibc");
    }
    let run =
        Launch::pid1().sh("trap 'echo told' USR1; echo up; while :; do sleep 60 & wait $!; done").start();
    run.says("up");
    settle(run.pid());
    let idle = program_in_memory(run.pid());
    assert!(idle <= 128, "{idle} KiB of the program are mapped while idle");
    run.signal(libc::SIGUSR1);
    run.says("told");
    settle(run.pid());
    let after = program_in_memory(run.pid());
    assert!(after <= 128, "{after} KiB of the program are mapped after a signal");
}

/// KiB of its program, code and constants, that are mapped into the process.
fn program_in_memory(pid: i32) -> u64 {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let mut ours = false;
    let mut sum = 0;
    for line in maps.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [_, rights, _, _, _, path] => ours = rights.contains('x') && program == Path::new(path),
            ["Rss:", size, "kB"] if ours => sum += size.parse::<u64>().unwrap(),
            _ => {}
        }
    }
    assert!(sum > 0, "no such mapping in {maps}");
    sum
}
