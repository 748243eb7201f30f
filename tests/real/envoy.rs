//! The real Envoy: waited for, stopped, gone as soon as after a bare POST.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};
use support::{Launch, Sidecar, http, median, ms, pause};

/// The measurements of this file one at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn envoy_is_stopped_and_mains_code_comes_through() {
    only_ours!();
    let _alone = ALONE.lock();
    for code in [0, 3] {
        let Some(envoy) = Sidecar::envoy() else { return };
        let envoy = envoy.start();
        let spec = format!("envoy:port={}", envoy.port);
        let end = Launch::pid1().sidecar(&spec).sh(&format!("exit {code}")).run();
        // Nothing else may have closed the port in between.
        assert!(http::refuses(envoy.port), "the wrapper is gone only after the port refuses");
        end.silent(code);
        assert_eq!(envoy.gone().0.code(), Some(0), "Envoy's own exit code");
    }
}

#[test]
fn envoy_is_gone_within_twice_the_time_of_a_bare_post() {
    only_ours!();
    let _alone = ALONE.lock();
    let (mut bare, mut wrapped) = (vec![], vec![]);
    for _ in 0..5 {
        let Some(envoy) = Sidecar::envoy() else { return };
        let envoy = envoy.start();
        envoy.ready();
        let began = Instant::now();
        assert_eq!(envoy.quit(), Some(200));
        bare.push(envoy.gone().1 - began);

        let Some(envoy) = Sidecar::envoy() else { return };
        let envoy = envoy.start();
        let run =
            Launch::pid1().sidecar(&format!("envoy:port={}", envoy.port)).sh("echo end; exit 3").start();
        let over = run.says("end");
        wrapped.push(envoy.gone().1 - over);
        run.wait().silent(3);
    }
    let limit = median(&bare) * 2 + ms(20);
    assert!(median(&wrapped) <= limit, "main's end to Envoy gone: {wrapped:?}, bare: {bare:?}");
}

/// Starts Envoy so long after the wrapper; from its first 200 to main's start.
fn ready_to_main(delay: Duration) -> Option<Duration> {
    let envoy = Sidecar::envoy()?;
    let spec = format!("envoy:port={}", envoy.port);
    let run = Launch::pid1().sidecar(&spec).sh("echo up; exit 3").start();
    pause(delay);
    let envoy = envoy.start();
    let ready = envoy.ready();
    // Main may have been quicker than this test's own poll.
    let late = run.says("up").saturating_duration_since(ready);
    run.wait().silent(3);
    assert_eq!(envoy.gone().0.code(), Some(0));
    Some(late)
}

#[test]
fn main_starts_within_60_ms_of_the_first_200_of_an_envoy_that_starts_late() {
    only_ours!();
    let _alone = ALONE.lock();
    for delay in [300, 1000] {
        let Some(late) = (0..3).map(|_| ready_to_main(ms(delay))).collect::<Option<Vec<_>>>() else { return };
        assert!(median(&late) <= ms(60), "Envoy {delay} ms after the wrapper: {late:?}");
    }
}

#[test]
fn term_while_main_runs_ends_main_and_envoy() {
    only_ours!();
    let _alone = ALONE.lock();
    let Some(envoy) = Sidecar::envoy() else { return };
    let envoy = envoy.start();
    let spec = format!("envoy:port={}", envoy.port);
    let run = Launch::pid1().sidecar(&spec).sh("echo up; exec sleep 60").start();
    run.says("up");
    run.signal(libc::SIGTERM);
    run.wait().silent(143);
    assert_eq!(envoy.gone().0.code(), Some(0));
}
