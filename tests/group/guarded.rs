//! `lastout guard --sidecar`: a container of its own that stops the sidecars when the mains are out, where no main could,
//! and asks none that a main has stopped or is about to stop.

use std::time::Duration;
use support::{
    Fake, Reply, eventually, facts,
    members::{Dice, Group, counter, kill_the_whole_container, leash, looks_again},
    ms, pause, thorough,
};

#[test]
fn the_last_main_is_killed_and_a_guard_stops_the_sidecars() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    let guard = group.guard().sidecar(&spec).start();
    let last = group.container("last", "always", &spec);
    group.member("first", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
    assert!(fake.quits().is_empty());
    kill_the_whole_container(last);
    guard.wait().silent(0);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn the_last_main_is_killed_while_it_stops_the_sidecars_and_a_guard_goes_on() {
    // Its first quit is never answered.
    let fake = Fake::script().quit([Reply::Silent, Reply::Answer(200, "")]).stays().start();
    let spec = format!("linkerd:port={},timeout=60s", fake.port());
    let group = Group::new(1);
    let guard = group.guard().sidecar(&spec).start();
    let last = group.member("last", &["--no-wait", "--stop-timeout", "60s", "--sidecar", &spec], &["true"]);
    eventually("it asks", || fake.quits().len() == 1);
    group.says("last", "state=left");
    last.kill();
    guard.wait().silent(0);
    assert_eq!(fake.quits().len(), 2);
}

#[test]
fn a_guard_asks_nobody_while_the_last_main_is_at_it() {
    let fake = Fake::script().stays().start();
    let group = Group::new(2);
    let spec = fake.spec("stubborn");
    let guard = group.guard().sidecar(&spec).start();
    let options = ["--no-wait", "--stop-timeout", "400ms", "--sidecar", &spec];
    // Two at once: the end of the one that is not the last wakes the guard in the midst of the other's stop.
    let (reader, leash) = leash();
    let mut members = ["a", "b"].map(|name| {
        let member = group.member_until(name, &options, reader.try_clone().unwrap());
        group.says(name, "state=running");
        member
    });
    drop((leash, reader));
    eventually("one has left", || members.iter_mut().filter_map(|member| member.ended()).count() == 1);
    let quits = loop {
        let quits = fake.quits().len();
        if members.iter_mut().all(|member| member.ended().is_some()) {
            break quits;
        }
        assert!(quits <= 1, "both ask");
        pause(ms(1));
    };
    assert_eq!(quits, 1);
    guard.wait().silent(0);
    assert_eq!(fake.quits().len(), 1, "it has said yes: nobody asks it again");
}

#[test]
fn one_that_was_asked_when_a_second_stop_signal_cut_the_stop_short_is_not_asked_again() {
    let fake = Fake::script().stays().start();
    let group = Group::new(1);
    let spec = fake.spec("drains");
    let guard = group.guard().sidecar(&spec).start();
    let last = group.member("last", &["--no-wait", "--stop-timeout", "60s", "--sidecar", &spec], &["true"]);
    eventually("it asks", || fake.quits().len() == 1);
    eventually("it is cut short", || {
        facts::kill(last.pid(), libc::SIGTERM);
        group.record("last").contains("stopped=drains")
    });
    let (status, _) = last.wait();
    assert_eq!(status.code(), Some(0));
    guard.wait().silent(0);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn a_guard_asks_only_those_whom_the_last_main_has_not_stopped() {
    let (fake, spec) = counter();
    let stubborn = Fake::script().quit([Reply::Answer(404, "no"), Reply::Answer(200, "")]).start();
    let group = Group::new(1);
    let guard = group.guard().sidecar(&spec).sidecar(&stubborn.spec("x"));
    let guard = guard.start();
    let (status, told) = group
        .member("a", &["--no-wait", "--sidecar", &stubborn.spec("x"), "--sidecar", &spec], &["true"])
        .wait();
    assert_eq!((status.code(), told.lines().count()), (Some(0), 1), "{told}");
    guard.wait().silent(0);
    assert!(group.record("a").contains("stopped=linkerd\n"), "{}", group.record("a"));
    assert_eq!((fake.quits().len(), stubborn.quits().len()), (1, 2));
}

/// Any member may be killed at any instant: with a guard the sidecars are stopped, nobody hangs, and nobody is asked
/// twice but for one killed in the midst of it.
#[test]
fn whoever_is_killed_whenever_the_sidecars_are_stopped_after_all_mains() {
    let (fake, spec) = counter();
    let mut dice = Dice::new();
    let rounds = if thorough() { 300 } else { 40 };
    for round in 0..rounds {
        let group = Group::new(3);
        let before = fake.quits().len();
        let guard = {
            let mut command = std::process::Command::new(support::binary());
            command.env_clear().arg("guard").args(group.options()).args(["--sidecar", &spec]);
            support::members::Member::spawn(&mut command)
        };
        let (reader, leash) = leash();
        let members = ["a", "b", "c"].map(|name| {
            let member =
                group.member_until(name, &["--no-wait", "--sidecar", &spec], reader.try_clone().unwrap());
            group.says(name, "state=running");
            member
        });
        drop(reader);
        let victims = dice.order(3);
        drop(leash);
        for victim in &victims[..1 + dice.below(3)] {
            let time = Duration::from_micros(dice.below(1500).try_into().unwrap());
            let struck = std::time::Instant::now() + time;
            while std::time::Instant::now() < struck {}
            members[*victim].kill();
        }
        members.into_iter().for_each(|member| _ = member.wait());
        let (status, told) = guard.wait();
        assert_eq!((status.code(), told.as_str()), (Some(0), ""), "round {round}");
        let quits = fake.quits().len() - before;
        assert!((1..=2).contains(&quits), "round {round}: {quits} quits");
    }
}

#[test]
fn members_that_never_registered_are_counted_out_by_group_wait() {
    let (fake, spec) = counter();
    let group = Group::new(3);
    let patient = group.guard().sidecar(&spec).start();
    group.member("a", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
    looks_again(patient.pid());
    assert!(fake.quits().is_empty(), "without --group-wait it waits for ever");
    let launch = group.guard().sidecar(&spec);
    let end = launch.options(["--group-wait", "300ms"]).run();
    end.silent(0);
    assert!(end.took() >= ms(300), "{:?}", end.took());
    assert_eq!(fake.quits().len(), 1);
    let options = ["--no-wait", "--group-wait", "50ms", "--sidecar", &spec];
    let group = Group::new(2);
    group.member("b", &options, &["sleep", "0.1"]).silent(0);
    assert_eq!(fake.quits().len(), 2, "a main that outlives --group-wait counts them out as well");
}

#[test]
fn nobody_came_and_a_guard_counts_all_of_them_out() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    let launch = group.guard().sidecar(&spec);
    launch.options(["--group-wait", "100ms"]).run().silent(0);
    assert_eq!(fake.quits().len(), 1);
}
