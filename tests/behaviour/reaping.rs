//! Zombies: every orphan is reaped, at no more cost than tini's.

use std::{sync::Mutex, time::Duration};
use support::{Init, Launch, eventually, facts, init::which, job, median, skip};

/// The measurements of this file one at a time.
static ALONE: Mutex<()> = Mutex::new(());

const ORPHANS: u32 = 20_000;

/// Lets main leave orphans behind; the CPU time of PID 1 for each of them, in nanoseconds.
fn reap(launch: Launch, orphans: u32) -> u64 {
    let mut run = launch
        .command(job(&["orphans", &orphans.to_string(), "500"]))
        .stdin()
        .deadline(Duration::from_secs(60))
        .start();
    let before = facts::cpu_ns(run.pid()).unwrap_or(0);
    run.says(&format!("made {orphans}, left 0"));
    let after = facts::cpu_ns(run.pid()).unwrap_or(0);
    run.close_stdin();
    let end = run.wait();
    assert_eq!(end.code(), 7, "{}", end.stderr);
    (after - before) / u64::from(orphans)
}

#[test]
fn twenty_thousand_orphans_are_reaped_while_main_runs() {
    let _alone = ALONE.lock();
    reap(Launch::pid1(), ORPHANS);
}

#[test]
fn a_zombie_costs_no_more_cpu_than_tinis() {
    only_ours!();
    let _alone = ALONE.lock();
    if which("tini").is_none() {
        return skip("tini is not installed: the cost of a zombie is compared with nothing");
    }
    let compare = || {
        let (mut ours, mut tinis) = (vec![], vec![]);
        for _ in 0..3 {
            ours.push(reap(Launch::pid1(), ORPHANS / 4));
            tinis.push(reap(Launch::init(Init::Tini), ORPHANS / 4));
        }
        (median(&ours), median(&tinis))
    };
    let tries: Vec<_> = (0..3)
        .map(|_| compare())
        .scan(false, |done, pair| {
            (!*done).then(|| {
                *done = pair.0 * 10 <= pair.1 * 11;
                pair
            })
        })
        .collect();
    assert!(
        tries.iter().any(|(ours, tinis)| ours * 10 <= tinis * 11),
        "ns per zombie (ours, tini): {tries:?}"
    );
}

#[test]
fn outside_pid_1_the_wrapper_adopts_the_orphans() {
    only_ours!();
    let mut run = Launch::process().command(job(&["adopted"])).stdin().start();
    // PID 1 of the namespace is the harness, the wrapper the second process.
    run.says("adopted by 2");
    run.close_stdin();
    run.wait().silent(0);
}

#[test]
fn what_main_leaves_behind_does_not_hold_the_wrapper() {
    // The daemon keeps stdout open for a minute.
    let end = Launch::pid1().sh("sleep 60 & exit 9").run();
    assert_eq!(end.code(), 9);
    assert!(end.took() < Duration::from_secs(5), "{:?}", end.took());
}

#[test]
fn the_first_reap_of_main_decides_and_no_other_child() {
    let end = Launch::pid1()
        .sh("(sh -c 'sleep 0.02; exit 1' &); (sh -c 'kill -KILL $$' &); sleep 0.1; exit 8")
        .run();
    assert_eq!(end.code(), 8);
}

#[test]
fn orphans_are_reaped_while_waiting_for_a_sidecar() {
    only_ours!();
    let fake = support::Fake::script().start_closed();
    // The wrapper inherits a child from the shell that becomes the wrapper.
    let script = "sleep 0.05 & exec \"$@\"";
    let wrapper = support::binary();
    let words = [
        "sh",
        "-c",
        script,
        "sh",
        wrapper.to_str().unwrap(),
        "--sidecar",
        &fake.spec("fake"),
        "--",
        "sh",
        "-c",
        "exit 3",
    ];
    let run = Launch::pid1_of(words).start();
    eventually("the inherited child is reaped", || facts::children(run.pid()).is_empty());
    fake.open();
    run.wait().silent(3);
}
