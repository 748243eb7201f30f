//! What an init keeps for itself while the command runs: nothing.

use super::{Init, Verdict, holds};
use std::{fs, time::Duration};
use support::{Launch, Running, TempDir, facts::status_field, ms, pause, until};

/// Running, in a folder of its own, with a file on descriptor 7.
fn running(init: Init, dir: &TempDir) -> Running {
    let file = dir.file("held", "x", 0o644);
    let run = Launch::init(init).cwd(dir.path()).opened(7, &file).sh("echo up; exec sleep 60").start();
    run.says("up");
    run
}

/// Whether it comes to be so within a second.
fn soon(mut so: impl FnMut() -> bool) -> bool {
    until(Duration::from_secs(1), || so().then_some(())).is_some()
}

pub fn no_working_directory(init: Init) -> Verdict {
    let dir = TempDir::new();
    let run = running(init, &dir);
    let own = || fs::read_link(format!("/proc/{}/cwd", run.pid())).unwrap_or_default();
    holds(soon(|| own() == *"/"), || "keeps it".to_owned())
}

pub fn no_inherited_descriptor(init: Init) -> Verdict {
    let dir = TempDir::new();
    let run = running(init, &dir);
    let held = || {
        let list = fs::read_dir(format!("/proc/{}/fd", run.pid())).unwrap().flatten();
        list.filter(|l| fs::read_link(l.path()).is_ok_and(|to| to.starts_with(dir.path()))).count()
    };
    holds(soon(|| held() == 0), || "keeps them".to_owned())
}

pub fn no_wake_up_while_the_command_runs(init: Init) -> Verdict {
    let dir = TempDir::new();
    let run = running(init, &dir);
    let switches = || -> u64 {
        let field = |name| status_field(run.pid(), name).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        field("voluntary_ctxt_switches") + field("nonvoluntary_ctxt_switches")
    };
    // It may still be on its way to sleep at first, and on a busy machine wait long for its turn.
    let mut before = switches();
    until(Duration::from_secs(10), || {
        pause(ms(300));
        let sleeps = status_field(run.pid(), "State").is_some_and(|state| state.starts_with('S'));
        (std::mem::replace(&mut before, switches()) == before && sleeps).then_some(())
    });
    pause(ms(2100));
    let woken = switches() - before;
    holds(woken == 0, || format!("{woken} in 2 s"))
}

pub fn one_thread(init: Init) -> Verdict {
    let dir = TempDir::new();
    let run = running(init, &dir);
    let threads = status_field(run.pid(), "Threads").unwrap_or_default();
    holds(threads == "1", || threads)
}
