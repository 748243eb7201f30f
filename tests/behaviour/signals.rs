//! Signals: all of them reach main, whatever the instant, and main's mask and dispositions are those that
//! the wrapper inherited (see `inherit.rs`).

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};
use support::{Fake, Init, Launch, eventually, facts, job, ms};

/// Neither a program nor a mask can hold these two back, CHLD is the wrapper's own, and faults have a test
/// of their own.
fn forwardable() -> impl Iterator<Item = i32> {
    let faults =
        [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS];
    let uncatchable = [libc::SIGKILL, libc::SIGSTOP];
    (1..=31)
        .filter(move |n| !faults.contains(n) && !uncatchable.contains(n) && *n != libc::SIGCHLD)
        .chain(34..=64)
}

/// Sends each signal and waits until main has it before the next.
fn all_arrive(launch: Launch, signals: impl Iterator<Item = i32>) {
    let run = launch.command(job(&["signals"])).start();
    run.says("ready");
    for n in signals {
        run.signal(n);
        run.says(&format!("got {n}"));
    }
    let said = String::from_utf8(run.said()).unwrap();
    let mut lines: Vec<_> = said.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), said.lines().count(), "each arrives once: {said}");
}

#[test]
fn every_signal_reaches_main_once() {
    all_arrive(Launch::pid1(), forwardable());
}

#[test]
fn every_signal_reaches_main_once_in_its_group() {
    all_arrive(Launch::pid1().options(Init::under_test().signal_group()), forwardable());
}

#[test]
fn every_signal_reaches_main_once_outside_pid_1() {
    // Job control's own signals stop the wrapper with its job there: they belong to the terminal tests.
    let stops = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU, libc::SIGCONT];
    all_arrive(Launch::process(), forwardable().filter(move |n| !stops.contains(n)));
}

/// Gate and stop use threads, and with the first one musl unblocks signals that it keeps for itself.
#[test]
fn every_signal_reaches_main_once_after_a_gate() {
    only_ours!();
    let fake = Fake::good();
    all_arrive(Launch::pid1().sidecar(&fake.spec("fake")), forwardable());
    let fake = Fake::good();
    all_arrive(Launch::process().sidecar(&fake.spec("fake")), 34..=64);
}

#[test]
fn a_fault_signal_sent_by_a_process_is_forwarded() {
    let faults =
        [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS];
    all_arrive(Launch::pid1(), faults.into_iter());
}

#[test]
fn signal_group_reaches_mains_children_too() {
    // The child of `sh` dies of the TERM that it gets itself; `sh` ignores its own.
    let script = "trap '' TERM; (trap - TERM; echo up; exec sleep 60) & wait $!; echo child $?; exit 4";
    let run = Launch::pid1().options(Init::under_test().signal_group()).sh(script).start();
    run.says("up");
    run.signal(libc::SIGTERM);
    run.says("child 143");
    assert_eq!(run.wait().code(), 4);
}

#[test]
fn by_default_a_signal_reaches_main_alone() {
    let run = Launch::pid1()
        .options(Init::under_test().signal_main())
        .sh("trap 'echo main' USR1; (trap 'echo child' USR1; echo up; while :; do sleep 0.01; done) & while :; do sleep 0.01; done")
        .start();
    run.says("up");
    run.signal(libc::SIGUSR1);
    run.says("main");
    run.signal(libc::SIGUSR1);
    eventually("main gets both", || {
        let said = String::from_utf8_lossy(&run.said()).into_owned();
        assert!(!said.contains("child"), "{said}");
        said.matches("main").count() == 2
    });
}

#[test]
fn a_signal_that_main_ignores_ends_nothing() {
    let script = "trap '' TERM; trap 'echo usr1' USR1; echo up; while :; do sleep 0.01; done";
    let mut run = Launch::pid1().sh(script).start();
    run.says("up");
    run.signal(libc::SIGTERM);
    run.signal(libc::SIGUSR1);
    run.says("usr1");
    assert!(run.end_within(ms(50)).is_none());
}

#[test]
fn the_wrapper_dies_with_mains_death_by_a_forwarded_signal() {
    let run = Launch::pid1().sh("echo up; exec sleep 60").start();
    run.says("up");
    run.signal(libc::SIGTERM);
    assert_eq!(run.wait().code(), 143);
}

/// TERM at the very moment at which the child appears; how often it was lost.
fn lost_at_the_fork(options: &[&str], tries: usize) -> usize {
    let (next, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while next.fetch_add(1, Relaxed) < tries {
                    let mut run = Launch::pid1().options(options).command(["sleep", "60"]).start();
                    assert!(
                        facts::spin_for_child(run.pid(), Duration::from_secs(10)),
                        "no child: {}",
                        run.told()
                    );
                    run.signal(libc::SIGTERM);
                    match run.end_within(Duration::from_secs(5)) {
                        Some(end) => assert_eq!(end.code(), 143, "{}", end.stderr),
                        None => _ = lost.fetch_add(1, Relaxed),
                    }
                    if lost.load(Relaxed) > 3 {
                        return; // Proven; each costs five seconds.
                    }
                }
            });
        }
    });
    lost.into_inner()
}

#[test]
fn term_at_the_fork_is_never_lost() {
    assert_eq!(lost_at_the_fork(Init::under_test().signal_main(), 2000), 0);
}

#[test]
fn term_at_the_fork_is_never_lost_with_signal_group() {
    assert_eq!(lost_at_the_fork(Init::under_test().signal_group(), 2000), 0);
}
