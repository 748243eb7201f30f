//! The last one out: of several mains that share sidecars exactly one stops them, after the last main has ended,
//! in whatever order and at whatever instant they end; and no member hangs.
//!
//! `LASTOUT_TEST_ALL=1`: a thousand rounds instead of two hundred; `LASTOUT_TEST_SEED` repeats a run's dice.

use std::time::{Duration, Instant};
use support::{
    Fake, Launch, Reply, TempDir, eventually,
    members::{Dice, Group, Member, counter, leash},
    ms, thorough,
};

/// Rounds: a thousand, or everyday a fifth of them.
fn rounds(thousand: usize) -> usize {
    if thorough() { thousand } else { thousand / 5 }
}

/// Everybody's options: stop at once, wait for nobody.
fn options(spec: &str) -> [&str; 3] {
    ["--no-wait", "--sidecar", spec]
}

fn name(n: usize) -> String {
    format!("main-{n}")
}

/// Every member ends in turn, each after the one before is gone: only the last one asks.
fn one_after_the_other(fake: &Fake, spec: &str, order: &[usize]) {
    let group = Group::new(order.len());
    let before = fake.quits().len();
    let mut members: Vec<_> = (0..order.len())
        .map(|n| {
            let (reader, writer) = leash();
            Some((group.member_until(&name(n), &options(spec), reader), writer))
        })
        .collect();
    (0..order.len()).for_each(|n| group.says(&name(n), "state=running"));
    for (nth, n) in order.iter().enumerate() {
        let (member, leash) = members[*n].take().unwrap();
        assert_eq!(fake.quits().len(), before, "asked while mains are in; order {order:?}");
        let released = Instant::now();
        drop(leash);
        member.silent(0);
        let asked = fake.quits();
        assert_eq!(asked.len() - before, usize::from(nth + 1 == order.len()), "order {order:?}, {nth}th");
        assert!(asked.get(before).is_none_or(|quit| quit.at >= released));
    }
}

#[test]
fn two_and_three_mains_end_in_every_order_and_the_last_one_stops_the_sidecars() {
    let (fake, spec) = counter();
    let orders: [&[usize]; 8] =
        [&[0, 1], &[1, 0], &[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]];
    orders.iter().for_each(|order| one_after_the_other(&fake, &spec, order));
}

#[test]
fn twenty_mains_end_in_many_orders_and_the_last_one_stops_the_sidecars() {
    let (fake, spec) = counter();
    let mut dice = Dice::new();
    for _ in 0..rounds(25) {
        one_after_the_other(&fake, &spec, &dice.order(20));
    }
}

/// All mains hang on one pipe and end when the test lets go.
fn all_at_once(group: &Group, spec: &str, size: usize, fake: &Fake) {
    let before = fake.quits().len();
    let (reader, writer) = leash();
    let start = |n| group.member_until(&name(n), &options(spec), reader.try_clone().unwrap());
    let members: Vec<Member> = (0..size).map(start).collect();
    drop(reader);
    (0..size).for_each(|n| group.says(&name(n), "state=running"));
    assert_eq!(fake.quits().len(), before);
    drop(writer);
    members.into_iter().for_each(|member| member.silent(0));
    assert_eq!(fake.quits().len() - before, 1, "of {size}");
}

#[test]
fn mains_that_end_at_the_same_instant_stop_the_sidecars_exactly_once() {
    let (fake, spec) = counter();
    for (size, thousand) in [(2, 500), (3, 300), (20, 100)] {
        for _ in 0..rounds(thousand) {
            all_at_once(&Group::new(size), &spec, size, &fake);
        }
    }
}

#[test]
fn mains_that_end_while_others_still_register_stop_the_sidecars_exactly_once() {
    let (fake, spec) = counter();
    let mut dice = Dice::new();
    for round in 0..rounds(100) {
        let size = [2, 3, 8][round % 3];
        let group = Group::new(size);
        let before = fake.quits().len();
        let start = |n: usize| {
            let (command, began): (&[&str], _) =
                if n == 0 { (&["sleep", "0.02"], Some(Instant::now())) } else { (&["true"], None) };
            (group.member(&name(n), &options(&spec), command), began)
        };
        let members: Vec<_> = dice.order(size).into_iter().map(start).collect();
        let sleeper = members.iter().find_map(|(_, started)| *started).unwrap();
        members.into_iter().for_each(|(member, _)| member.silent(0));
        let quits = fake.quits();
        assert_eq!(quits.len() - before, 1, "round {round}");
        assert!(quits[before].at >= sleeper + ms(20), "a main was still in");
    }
}

#[test]
fn a_folder_serves_the_next_lives_of_its_mains_as_well() {
    let (fake, spec) = counter();
    let group = Group::new(3);
    for _ in 0..5 {
        all_at_once(&group, &spec, 3, &fake);
        // A Job's pod has no such second life; one whose containers are restarted for ever has.
        (0..3).for_each(|n| std::fs::remove_file(group.file(&name(n))).unwrap());
    }
}

#[test]
fn one_that_is_not_the_last_leaves_at_once_and_neither_lingers_nor_stops() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    let options = ["--no-wait", "--linger", "10s", "--sidecar", &spec];
    let began = Instant::now();
    group.member("a", &options, &["sh", "-c", "exit 3"]).silent(3);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(fake.quits().is_empty());
}

#[test]
fn a_main_that_was_never_started_is_out_by_its_own_exit_code() {
    let (fake, spec) = counter();
    let failures: [(&[&str], &[&str], i32); 3] = [
        (&[], &["/no/such/program"], 127),
        (&["--linger", "soon"], &["true"], 125),
        (&["--env-file", "/no/such/file"], &["true"], 125),
    ];
    for (nth, (more, command, code)) in failures.into_iter().enumerate() {
        let group = Group::new(2);
        let (reader, writer) = leash();
        let other = group.member_until("other", &options(&spec), reader);
        group.says("other", "state=running");
        let words = [&options(&spec), more].concat();
        let (status, told) = group.member("failing", &words, command).wait();
        assert_eq!((status.code(), told.lines().count()), (Some(code), 1), "{told}");
        assert_eq!(fake.quits().len(), nth, "the other one is still in");
        group.says("failing", &format!("state=left    code={code}"));
        drop(writer);
        other.silent(0);
        assert_eq!(fake.quits().len(), nth + 1);
    }
}

#[test]
fn a_stop_signal_during_the_wait_leaves_the_group() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    group.member("done", &options(&spec), &["true"]).silent(0);
    let unready = Fake::script().ready([Reply::Answer(503, "")]).start();
    let run = Launch::pid1()
        .options(group.options_of("waiting"))
        .sidecar(&spec)
        .sidecar(&format!("slow:ready=http://127.0.0.1:{}/,quit=none", unready.port()))
        .sh("echo never")
        .start();
    eventually("it waits", || !unready.probes().is_empty());
    run.signal(libc::SIGTERM);
    assert_eq!(run.wait().code(), 143);
    assert_eq!(fake.quits().len(), 1, "it was the last one");
}

#[test]
fn the_verdict_is_the_mapped_code_judged_by_the_own_policy() {
    let (fake, spec) = counter();
    for (nth, (policy, map, out)) in
        [("success", "3=0", true), ("success", "4=0", false), ("0,3", "4=0", true), ("never", "3=0", false)]
            .into_iter()
            .enumerate()
    {
        let group = Group::new(1);
        let before = fake.quits().len();
        let more = [&options(&spec)[..], &["--stop-on", policy, "--map-exit", map]].concat();
        let (status, _) = group.member("a", &more, &["sh", "-c", "exit 3"]).wait();
        assert_eq!(status.code(), Some(if map == "3=0" { 0 } else { 3 }), "{nth}");
        assert_eq!(fake.quits().len() - before, usize::from(out), "{policy} {map}");
    }
}

#[test]
fn a_relative_folder_and_variables_do_as_well() {
    let (fake, spec) = counter();
    let dir = TempDir::new();
    dir.dir("shared", 0o777);
    for (member, quits) in [("a", 0), ("b", 1)] {
        let variables = ["GROUP=shared".to_owned(), "GROUP_SIZE=2".into(), format!("GROUP_NAME={member}")];
        let launch = Launch::pid1().cwd(dir.path()).options(options(&spec)).sh("pwd -P");
        let end = variables.iter().fold(launch, |l, variable| l.env(format!("LASTOUT_{variable}"))).run();
        end.silent(0);
        assert_eq!(String::from_utf8_lossy(&end.stdout).trim(), dir.path().to_str().unwrap());
        assert_eq!(fake.quits().len(), quits);
    }
}
