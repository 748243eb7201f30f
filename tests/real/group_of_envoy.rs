//! A pod of two mains, the real Envoy, and a log shipper that has no endpoint under guard: all four end.

use support::{
    Launch, Sidecar, http,
    members::{Group, leash},
};

const SHIPPER: &str = "trap 'echo flushed; exit 0' TERM; echo up; while :; do sleep 60 & wait $!; done";

#[test]
fn two_mains_envoy_and_a_log_shipper_under_guard_all_end() {
    for policy in ["always", "success"] {
        let Some(envoy) = Sidecar::envoy() else { return };
        let envoy = envoy.start();
        let spec = format!("envoy:port={}", envoy.port);
        let group = Group::new(2);
        let shipper = group.guard().sh(SHIPPER).start();
        let main = |name: &str, script: &str| {
            let launch = Launch::pid1().options(group.options_of(name)).sidecar(&spec);
            launch.options(["--stop-on", policy]).stdin().sh(script).start()
        };
        let (mut a, mut b) = (main("a", "echo up; cat"), main("b", "echo up; cat"));
        [&shipper, &a, &b].iter().for_each(|run| _ = run.says("up"));
        a.close_stdin();
        a.wait().silent(0);
        assert!(envoy.runs() && !http::refuses(envoy.port));
        b.close_stdin();
        b.wait().silent(0);
        assert_eq!(envoy.gone().0.code(), Some(0), "Envoy's own exit code");
        shipper.says("flushed");
        shipper.wait().silent(0);
    }
}

#[test]
fn the_first_life_of_a_main_fails_and_envoy_stays_for_the_second() {
    let Some(envoy) = Sidecar::envoy() else { return };
    let envoy = envoy.start();
    let group = Group::new(2);
    let spec = format!("envoy:port={}", envoy.port);
    let options = ["--stop-on", "success", "--sidecar", &spec];
    let (reader, leash) = leash();
    let other = group.member_until("other", &options, reader);
    group.member("retried", &options, &["sh", "-c", "exit 1"]).silent(1);
    drop(leash);
    other.silent(0);
    assert!(envoy.runs());
    group.member("retried", &options, &["true"]).silent(0);
    assert_eq!(envoy.gone().0.code(), Some(0));
}

/// The whole container of a main killed, as where it runs out of memory on cgroup v2; emulated by SIGKILL to all.
#[test]
fn both_mains_are_killed_and_a_guard_stops_envoy() {
    let Some(envoy) = Sidecar::envoy() else { return };
    let envoy = envoy.start();
    let group = Group::new(2);
    let spec = format!("envoy:port={}", envoy.port);
    let guard = group.guard().sidecar(&spec).start();
    for name in ["a", "b"] {
        let launch = Launch::pid1().options(group.options_of(name)).sidecar(&spec);
        let main = launch.sh("echo up; exec sleep 60").start();
        main.says("up");
        assert!(envoy.runs());
        main.signal(libc::SIGKILL);
        main.wait();
    }
    guard.wait().silent(0);
    assert_eq!(envoy.gone().0.code(), Some(0));
}
