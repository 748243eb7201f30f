//! Zombies by the hundred thousand, and main among thousands that die at the same moment.

use std::time::Duration;
use support::{Launch, facts, job, thorough};

/// kB of memory, and how many descriptors are open.
fn size(pid: i32) -> (u64, u64, usize) {
    let kb = |name| {
        let field = facts::status_field(pid, name).unwrap_or_default();
        field.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    (kb("VmRSS"), kb("VmData"), std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count))
}

/// 50 000; a million with `LASTOUT_TEST_ALL`.
#[test]
fn memory_stays_flat_over_a_great_many_zombies() {
    let count = if thorough() { 1_000_000 } else { 50_000 };
    let warm = 1000;
    let launch = Launch::pid1().deadline(Duration::from_secs(600));
    let mut run = launch
        .sh(&format!("{} <&3 3<&-; exec {}", words(warm), words(count)).replace("<&3 3<&-", "</dev/null"))
        .stdin()
        .start();
    run.says(&format!("made {warm}, left 0"));
    let before = size(run.pid());
    run.says(&format!("made {count}, left 0"));
    let after = size(run.pid());
    run.close_stdin();
    assert_eq!(run.wait().code(), 7);
    assert!(after.0 <= before.0 + 16, "RSS grew: {before:?} → {after:?}");
    assert_eq!((before.1, before.2), (after.1, after.2), "VmData, descriptors");
    eprintln!("{count} zombies: {before:?} → {after:?} (kB RSS, kB data, descriptors)");
}

/// The job, as words of a shell.
fn words(count: u32) -> String {
    let words = job(&["orphans", &count.to_string(), "500"]);
    words.iter().map(|w| format!("'{}' ", w.to_string_lossy())).collect()
}

#[test]
fn outside_pid_1_main_is_seen_among_4000_others_that_die_with_it() {
    only_ours!();
    for _ in 0..if thorough() { 200 } else { 5 } {
        Launch::process().command(job(&["storm", "4000"])).run().silent(7);
    }
}

#[test]
fn a_storm_while_a_sidecar_is_being_stopped_changes_nothing() {
    only_ours!();
    for _ in 0..3 {
        let fake = support::Fake::good();
        Launch::pid1().sidecar(&fake.spec("fake")).command(job(&["storm", "4000"])).run().silent(7);
        assert_eq!(fake.quits().len(), 1);
    }
}
