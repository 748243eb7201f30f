//! Signals while the gate waits: a stop signal ends it, any other is kept for main.

use std::time::{Duration, Instant};
use support::{
    End, Fake, Launch, Reply,
    gate::{gated, probed},
    median, ms, pause,
};

const NOT_YET: Reply = Reply::Answer(503, "INITIALIZING");
const READY: Reply = Reply::Answer(200, "LIVE");

/// Sends a signal to a wrapper that has been waiting for a tenth of a second; from there to its end.
fn ends_by(launch: Launch, signal: i32) -> (End, Duration) {
    let run = launch.start();
    pause(ms(100));
    let sent = Instant::now();
    run.signal(signal);
    let end = run.wait();
    let took = end.ended - sent;
    (end, took)
}

/// Signals a waiting wrapper, then lets main start and tells how that ended.
fn kept(options: &[&str], signal: i32) -> i32 {
    let fake = Fake::script().ready([NOT_YET, NOT_YET, NOT_YET, READY]).start_closed();
    let mut run = Launch::pid1().sidecar(&fake.spec("fake")).options(options).sh("exec sleep 60").start();
    pause(ms(50));
    run.signal(signal);
    pause(ms(20));
    fake.open();
    run.end_within(Duration::from_secs(5)).unwrap_or_else(|| panic!("signal {signal} is lost")).code()
}

#[test]
fn term_while_waiting_ends_within_50_ms_when_nothing_listens() {
    only_ours!();
    let took: Vec<_> = (0..9)
        .map(|_| {
            let fake = Fake::script().start_closed();
            let (end, took) = ends_by(gated(&fake), libc::SIGTERM);
            assert_eq!(end.code(), 143);
            assert!(end.stdout.is_empty(), "main never starts");
            assert!(end.stderr.lines().count() <= 1, "{}", end.stderr);
            took
        })
        .collect();
    assert!(median(&took) < ms(50), "{took:?}");
    assert!(took.iter().all(|t| *t < ms(250)), "{took:?}");
}

#[test]
fn hup_int_and_quit_end_the_waiting_too() {
    only_ours!();
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
        let fake = Fake::script().start_closed();
        let (end, took) = ends_by(gated(&fake), signal);
        assert_eq!(end.code(), 128 + signal);
        assert!(end.stdout.is_empty() && took < ms(250), "{took:?}");
    }
}

#[test]
fn outside_pid_1_term_while_waiting_is_an_exit_with_128_plus_n() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let launch = Launch::process().sidecar(&fake.spec("fake")).sh("echo up");
    assert_eq!(ends_by(launch, libc::SIGTERM).0.code(), 143);
}

#[test]
fn term_while_a_probe_hangs_ends_the_probe() {
    only_ours!();
    let fake = Fake::script().ready([Reply::Silent]).start();
    let run = gated(&fake).start();
    probed(&fake);
    let sent = Instant::now();
    run.signal(libc::SIGTERM);
    let end = run.wait();
    assert_eq!(end.code(), 143);
    assert!(end.ended - sent < ms(250), "{:?}", end.ended - sent);
    assert_eq!(fake.quits().len(), 1, "it accepts, so it is stopped");
}

#[test]
fn term_while_waiting_stops_the_sidecar_that_is_not_ready() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET]).start();
    let (end, took) = ends_by(gated(&fake), libc::SIGTERM);
    assert_eq!((end.code(), fake.quits().len()), (143, 1), "{}", end.stderr);
    assert!(took < ms(500), "{took:?}");
}

#[test]
fn under_stop_on_success_term_while_waiting_leaves_the_sidecar_alone() {
    only_ours!();
    let fake = Fake::script().ready([NOT_YET]).start();
    let (end, _) = ends_by(gated(&fake).options(["--stop-on", "success"]), libc::SIGTERM);
    assert_eq!((end.code(), fake.quits().len()), (143, 0), "{}", end.stderr);
}

#[test]
fn other_signals_while_waiting_are_kept_for_main() {
    only_ours!();
    for signal in [libc::SIGUSR1, libc::SIGALRM, 34, 64] {
        assert_eq!(kept(&[], signal), 128 + signal, "signal {signal}");
    }
}

#[test]
fn stop_signal_says_which_signals_end_the_waiting() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let (end, _) = ends_by(gated(&fake).options(["--stop-signal", "USR1"]), libc::SIGUSR1);
    assert_eq!((end.code(), end.stdout.len()), (138, 0));
    // TERM is one of the others then.
    assert_eq!(kept(&["--stop-signal", "USR1"], libc::SIGTERM), 143);
}
