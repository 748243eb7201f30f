//! `lastout guard -- SIDECAR`: runs a sidecar that has no endpoint until the mains of the group are out, then ends it.
//! An init like the wrapper itself, in every other respect.

use std::{
    fs,
    time::{Duration, Instant},
};
use support::{
    Launch, Running, TempDir, eventually, facts, job, median,
    members::{Group, Member, at_rest, leash, looks_again, wake_ups},
    ms, pause, until_sent_in_time,
};

/// A sidecar that says `up`, and `term` when it is asked to end, which it does.
const POLITE: &str = "trap 'echo term; exit 3' TERM; trap 'echo int; exit 3' INT; trap 'echo usr1' USR1; echo up; \
    while :; do sleep 60 & wait $!; done";
/// One that does not care.
const STUBBORN: &str = "trap '' TERM; echo up; while :; do sleep 60 & wait $!; done";

/// A guarded sidecar that is up.
fn guarded(launch: Launch, script: &str) -> Running {
    let run = launch.sh(script).start();
    run.says("up");
    run
}

/// A main that lasts until the leash is dropped.
fn main_on_a_leash(group: &Group, name: &str, options: &[&str]) -> (Member, std::io::PipeWriter) {
    let (reader, writer) = leash();
    let member = group.member_until(name, options, reader);
    group.says(name, "state=running");
    (member, writer)
}

#[test]
fn guard_ends_the_sidecar_when_the_mains_are_out_and_exits_0_whatever_the_sidecar_says() {
    let group = Group::new(2);
    let run = guarded(group.guard(), POLITE);
    group.member("a", &[], &["sh", "-c", "exit 1"]).silent(1);
    let (last, leash) = main_on_a_leash(&group, "b", &[]);
    looked_while_in(&run);
    drop(leash);
    last.silent(0);
    run.says("term");
    run.wait().silent(0);
}

/// It has looked, and the sidecar was not asked to end.
fn looked_while_in(run: &Running) {
    at_rest(run.pid());
    assert_eq!(String::from_utf8_lossy(&run.said()), "up\n");
}

#[test]
fn the_sidecar_is_ended_within_50_ms_after_the_lock_is_free() {
    let mut times = vec![];
    for _ in 0..9 {
        let group = Group::new(1);
        let run = guarded(group.guard(), POLITE);
        let (main, _leash) = main_on_a_leash(&group, "a", &[]);
        at_rest(run.pid());
        let killed = Instant::now();
        main.kill();
        times.push(run.says("term") - killed);
        run.wait().silent(0);
    }
    assert!(median(&times) < ms(50), "{times:?}");
}

#[test]
fn a_sidecar_that_ends_by_itself_gives_its_own_code() {
    let group = Group::new(1);
    group.guard().sh("exit 7").run().silent(7);
    group.guard().sh("exit 0").run().silent(0);
    group.guard().command(job(&["die", "9"])).run().silent(137);
    group.guard().options(["--map-exit", "7=0"]).sh("exit 7").run().silent(0);
    let end = group.guard().command(["/no/such/sidecar"]).run();
    end.one_line(127, &["/no/such/sidecar"]);
}

#[test]
fn a_sidecar_that_ignores_term_is_killed_after_grace() {
    let group = Group::new(1);
    let run = guarded(group.guard().options(["--grace", "200ms"]), STUBBORN);
    let (main, leash) = main_on_a_leash(&group, "a", &[]);
    let released = Instant::now();
    drop(leash);
    main.silent(0);
    let end = run.wait();
    end.one_line(0, &["--grace", "killed"]);
    let took = end.ended - released;
    assert!(took >= ms(200) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn guard_sends_the_first_of_the_stop_signals() {
    let group = Group::new(1);
    let run = guarded(group.guard().options(["--stop-signal", "INT", "--stop-signal", "TERM"]), POLITE);
    group.member("a", &[], &["true"]).silent(0);
    run.says("int");
    run.wait().silent(0);
}

#[test]
fn other_signals_are_forwarded_and_every_orphan_is_reaped() {
    let group = Group::new(1);
    let run = guarded(group.guard(), POLITE);
    run.signal(libc::SIGUSR1);
    run.says("usr1");
    drop(run);
    let mut run = group.guard().stdin().command(job(&["orphans", "50", "10"])).start();
    run.says("made 50, left 0");
    run.close_stdin();
    run.wait().silent(7);
}

#[test]
fn an_idle_guard_never_wakes_up() {
    let group = Group::new(2);
    let run = guarded(group.guard(), "echo up; exec sleep 60");
    let _mains = ["a", "b"].map(|name| main_on_a_leash(&group, name, &[]));
    at_rest(run.pid());
    let before = wake_ups(run.pid());
    pause(Duration::from_secs(2));
    assert_eq!(wake_ups(run.pid()) - before, 0, "wake-ups of all threads in 2 s");
    assert_eq!(
        facts::status_field(run.pid(), "Threads").unwrap(),
        "2",
        "the loop, and one blocked in a lock"
    );
}

#[test]
fn a_stop_signal_is_held_back_until_the_mains_are_out() {
    let group = Group::new(2);
    let run = guarded(group.guard().options(["--log-level", "info"]), POLITE);
    let (a, a_leash) = main_on_a_leash(&group, "a", &[]);
    let (b, b_leash) = main_on_a_leash(&group, "b", &[]);
    run.signal(libc::SIGTERM);
    run.tells("held back");
    drop(a_leash);
    a.silent(0);
    looked_while_in(&run);
    let released = Instant::now();
    drop(b_leash);
    b.silent(0);
    assert!(run.says("term") > released);
    assert_eq!(run.wait().code(), 0);
}

#[test]
fn the_signal_that_was_held_back_is_the_one_that_is_sent() {
    let group = Group::new(1);
    let run = guarded(group.guard().options(["--log-level", "info"]), POLITE);
    let (a, leash) = main_on_a_leash(&group, "a", &[]);
    run.signal(libc::SIGINT);
    run.tells("held back");
    drop(leash);
    a.silent(0);
    run.says("int");
    assert_eq!(run.wait().code(), 0);
}

#[test]
fn a_second_stop_signal_passes_at_once() {
    let group = Group::new(1);
    let run = guarded(group.guard().options(["--log-level", "info"]), POLITE);
    let _main = main_on_a_leash(&group, "a", &[]);
    run.signal(libc::SIGTERM);
    run.tells("held back");
    // Within 150 ms they would merge.
    pause(ms(200));
    run.signal(libc::SIGTERM);
    run.says("term");
    assert_eq!(run.wait().code(), 0, "its end was asked for");
}

#[test]
fn two_stop_signals_at_once_are_one_and_the_sidecar_stays_for_its_main() {
    until_sent_in_time(|| {
        let group = Group::new(1);
        let mut run = guarded(group.guard().options(["--log-level", "info"]), POLITE);
        let (main, leash) = main_on_a_leash(&group, "a", &[]);
        let in_time = run.signal_twice(libc::SIGTERM, libc::SIGINT);
        if in_time {
            run.tells("held back");
            assert!(run.end_within(ms(400)).is_none(), "the main is still in");
        }
        drop(leash);
        main.silent(0);
        assert_eq!(run.wait().code(), 0);
        in_time
    });
}

/// Nobody restarts them in a pod that is being deleted: else the guard would wait for them until the kubelet kills it.
#[test]
fn once_a_stop_signal_has_come_a_main_that_is_gone_is_out_whatever_its_policy() {
    for policy in ["success", "never"] {
        let group = Group::new(2);
        let run = guarded(group.guard().options(["--log-level", "info"]), POLITE);
        let (gone, leash) = main_on_a_leash(&group, "gone", &["--stop-on", policy]);
        let (main, _leash) = main_on_a_leash(&group, "main", &["--stop-on", policy]);
        drop(leash);
        gone.silent(0);
        run.signal(libc::SIGTERM);
        run.tells("held back");
        looked_while_in(&run);
        facts::kill(main.pid(), libc::SIGTERM);
        let (status, _) = main.wait();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGTERM));
        run.says("term");
        assert_eq!(run.wait().code(), 0, "{policy}");
    }
}

#[test]
fn a_sidecar_that_ends_by_itself_while_the_signal_is_held_back_gives_its_own_code() {
    let group = Group::new(1);
    let launch = group.guard().options(["--log-level", "info"]).stdin();
    let mut run = guarded(launch, "echo up; cat; exit 9");
    let _main = main_on_a_leash(&group, "a", &[]);
    run.signal(libc::SIGTERM);
    run.tells("held back");
    run.close_stdin();
    assert_eq!(run.wait().code(), 9);
}

#[test]
fn the_mains_are_out_already_and_the_sidecar_is_never_started() {
    let (group, dir) = (Group::new(2), TempDir::new());
    for (name, code) in [("a", 0), ("b", 4)] {
        group.member(name, &[], &["sh", "-c", &format!("exit {code}")]).silent(code);
    }
    let started = dir.at("started");
    let end = group.guard().command(["touch", started.to_str().unwrap()]).run();
    end.silent(0);
    assert!(!started.exists());
}

/// A Deployment's pod: its mains come again and again.
#[test]
fn under_success_and_never_nothing_is_ended_between_two_lives_of_a_main() {
    let lives = [("success", "exit 1"), ("never", "exit 1"), ("never", "exit 0"), ("0,3", "kill -9 $$")];
    let group = Group::new(1);
    let run = guarded(group.guard(), POLITE);
    for (policy, script) in lives {
        let main = group.member("web", &["--stop-on", policy], &["sh", "-c", script]);
        let _ = main.wait();
        looks_again(run.pid());
        assert_eq!(String::from_utf8_lossy(&run.said()), "up\n", "{policy}: {script}");
    }
    let (killed, _leash) = main_on_a_leash(&group, "web", &["--stop-on", "never"]);
    killed.kill();
    looks_again(run.pid());
    assert_eq!(String::from_utf8_lossy(&run.said()), "up\n");
}

#[test]
fn under_always_the_first_end_of_a_main_ends_the_sidecar() {
    let group = Group::new(1);
    let run = guarded(group.guard(), POLITE);
    group.member("web", &[], &["sh", "-c", "exit 1"]).silent(1);
    run.wait().silent(0);
}

#[test]
fn several_guards_watch_the_same_mains() {
    let group = Group::new(1);
    let guards: Vec<_> = (0..4).map(|_| guarded(group.guard(), POLITE)).collect();
    let (main, leash) = main_on_a_leash(&group, "a", &[]);
    guards.iter().for_each(looked_while_in);
    drop(leash);
    main.silent(0);
    guards.into_iter().for_each(|run| run.wait().silent(0));
}

#[test]
fn a_guard_that_waits_for_mains_that_never_came_ends_them_by_group_wait() {
    let group = Group::new(1);
    let run = guarded(group.guard().options(["--group-wait", "150ms"]), POLITE);
    let end = run.wait();
    end.silent(0);
    assert!(end.took() >= ms(150));
}

#[test]
fn trouble_with_the_folder_is_told_once_and_the_sidecar_stays() {
    let group = Group::new(1);
    let run = guarded(group.guard(), POLITE);
    fs::write(group.file("a"), "no record\n").unwrap();
    let (line, _) = run.tells("lastout-member-a");
    assert!(line.starts_with("lastout: warn: ") && line.contains("not a record"), "{line}");
    looks_again(run.pid());
    assert_eq!(run.told().lines().count(), 1, "{}", run.told());
    fs::remove_file(group.file("a")).unwrap();
    group.member("a", &[], &["true"]).silent(0);
    assert_eq!(run.wait().code(), 0);
}

#[test]
fn what_cannot_be_guarded_is_one_line_and_125() {
    let group = Group::new(1);
    let alone = ["guard", "--group", "/tmp"];
    Launch::pid1().options(["guard"]).command(["true"]).run().one_line(125, &["--group DIR"]);
    Launch::pid1().options(alone).run().one_line(125, &["nothing to guard"]);
    group.guard().sidecar("envoy").command(["true"]).run().one_line(125, &["not both"]);
    let missing = ["guard", "--group", "/no/such/folder"];
    Launch::pid1().options(missing).sh("echo never").run().one_line(125, &["/no/such/folder"]);
    group.member("a", &[], &["true"]).silent(0);
    let other = Group::at(group.dir(), 2);
    other.guard().sh("echo never").run().one_line(125, &["--group-size 2", "say 1"]);
}

#[test]
fn a_guard_of_a_sidecar_of_others_holds_its_stop_signal_back_as_well() {
    let fake = support::Fake::good();
    let group = Group::new(1);
    let (main, leash) = main_on_a_leash(&group, "a", &[]);
    let run = group.guard().options(["--log-level", "info"]).sidecar(&fake.spec("fake")).start();
    at_rest(run.pid());
    run.signal(libc::SIGTERM);
    run.tells("held back");
    assert!(fake.quits().is_empty());
    drop(leash);
    main.silent(0);
    assert_eq!(run.wait().code(), 0);
    assert_eq!(fake.quits().len(), 1);
    eventually("gone", || fake.left_at().is_some());
}

#[test]
fn a_main_that_waits_for_a_guarded_sidecar_does_not_wait_for_its_end() {
    let fake = support::Fake::good();
    let group = Group::new(1);
    let run = guarded(group.guard(), POLITE);
    let spec = format!("logs:ready=http://127.0.0.1:{}/ready,quit=none", fake.port());
    let began = Instant::now();
    group.member("a", &["--sidecar", &spec], &["true"]).silent(0);
    assert!(began.elapsed() < Duration::from_secs(5) && !fake.probes().is_empty());
    run.wait().silent(0);
}
