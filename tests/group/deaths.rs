//! Mains that die badly: killed, out of memory, restarted. The kernel releases their locks, and each counts by its
//! own policy as 137.

use std::{ffi::OsString, fs, time::Duration};
use support::{
    Launch, facts, job,
    members::{Group, counter, kill_the_whole_container, leash, looks_again},
    skip,
};

#[test]
fn under_always_a_killed_member_is_out_and_the_other_one_stops_the_sidecars() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    let killed = group.container("killed", "always", &spec);
    let (reader, leash) = leash();
    let other = group.member_until("other", &["--no-wait", "--sidecar", &spec], reader);
    group.says("other", "state=running");
    kill_the_whole_container(killed);
    assert!(fake.quits().is_empty());
    drop(leash);
    other.silent(0);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn under_success_a_killed_member_is_not_out_and_its_next_life_stops_the_sidecars() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    kill_the_whole_container(group.container("killed", "success", &spec));
    let options = ["--no-wait", "--stop-on", "success", "--sidecar", &spec];
    group.member("other", &options, &["true"]).silent(0);
    assert!(fake.quits().is_empty(), "it will be restarted, and needs its proxy");
    group.member("killed", &options, &["true"]).silent(0);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn the_group_waits_for_the_next_life_of_a_main_that_is_restarted_in_place() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    let guard = group.guard().sidecar(&spec).start();
    let options = ["--no-wait", "--stop-on", "success", "--sidecar", &spec];
    group.member("a", &options, &["sh", "-c", "exit 1"]).silent(1);
    group.member("b", &options, &["true"]).silent(0);
    looks_again(guard.pid());
    assert!(fake.quits().is_empty(), "the first life of `a` failed");
    let (reader, leash) = leash();
    let second = group.member_until("a", &options, reader);
    group.says("a", "state=running");
    assert!(fake.quits().is_empty());
    drop(leash);
    second.silent(0);
    guard.wait().silent(0);
    assert_eq!(fake.quits().len(), 1, "the last main asked, and the guard did not once more");
}

#[test]
fn an_early_life_that_was_just_killed_does_not_take_the_name() {
    let (_fake, spec) = counter();
    let group = Group::new(1);
    for _ in 0..10 {
        let (reader, _leash) = leash();
        let life =
            group.member_until("a", &["--no-wait", "--stop-on", "success", "--sidecar", &spec], reader);
        group.says("a", "state=running");
        life.kill();
        let next = group.member("a", &["--stop-on", "never"], &["sh", "-c", "exit 5"]);
        next.silent(5);
        group.says("a", "policy=never state=left    code=5");
    }
}

/// A memory cgroup of version 1 of our own, or a line that says why not.
struct Memory(std::path::PathBuf);

impl Memory {
    fn limited(bytes: &str) -> Option<Self> {
        let dir = format!("/sys/fs/cgroup/memory/lastout-test-{}", std::process::id());
        let dir = std::path::PathBuf::from(dir);
        if !facts::is_root() || fs::create_dir(&dir).is_err() {
            skip("no memory cgroup of version 1 that we may write");
            return None;
        }
        let group = Self(dir);
        if fs::write(group.0.join("memory.limit_in_bytes"), bytes).is_err() {
            skip("the memory cgroup takes no limit");
            return None;
        }
        // No swap beyond that, where the kernel counts it.
        let _ = fs::write(group.0.join("memory.memsw.limit_in_bytes"), bytes);
        Some(group)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let gone = || fs::remove_dir(&self.0).is_ok().then_some(());
        let _ = support::until(Duration::from_secs(5), gone);
    }
}

#[test]
fn a_main_that_runs_out_of_memory_on_cgroup_v1_is_137_and_judged_by_the_policy() {
    let Some(memory) = Memory::limited("25000000") else { return };
    let enter = format!("echo 0 > {}/cgroup.procs && exec \"$@\"", memory.0.display());
    for (policy, quits) in [("always", 1), ("success", 0)] {
        let (fake, spec) = counter();
        let group = Group::new(2);
        group.member("other", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
        let binary = support::binary();
        let words = ["sh", "-c", &enter, "sh", binary.to_str().unwrap(), "--no-wait", "--sidecar", &spec];
        let mut words: Vec<String> = words.map(str::to_owned).to_vec();
        words.extend(group.options_of("greedy"));
        words.extend(["--stop-on", policy, "--"].map(str::to_owned));
        let mut words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        words.extend(job(&["hog", "100000000"]));
        let end = Launch::pid1_of(&words).run();
        assert_eq!(String::from_utf8_lossy(&end.stdout), "", "no limit was in force");
        end.silent(137);
        assert_eq!(fake.quits().len(), quits, "{policy}");
        assert!(group.record("greedy").contains("code=137"));
    }
}

#[test]
fn a_member_that_holds_the_groups_lock_for_ever_makes_no_other_hang() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    let (reader, writer) = leash();
    let other = group.member_until("other", &["--no-wait", "--sidecar", &spec], reader);
    group.says("other", "state=running");
    let lock = group.lock();
    let (status, told) = group.member("late", &["--no-wait", "--sidecar", &spec], &["true"]).wait();
    assert_eq!((status.code(), told.lines().count()), (Some(125), 1), "cannot register: {told}");
    assert!(told.contains("lastout-group") && told.contains("another process holds its lock"), "{told}");
    let before = fake.quits().len();
    drop(writer);
    let (status, told) = other.wait();
    assert_eq!((status.code(), told.lines().count()), (Some(0), 1), "{told}");
    assert!(told.contains("warn") && told.contains("left to the other mains"), "{told}");
    assert!(group.record("other").contains("state=left    code=0"), "its verdict is on record all the same");
    assert_eq!(fake.quits().len(), before);
    let guard = group.guard().sidecar(&spec).start();
    drop(lock);
    group.member("late", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
    guard.wait().silent(0);
    assert_eq!(fake.quits().len(), before + 1);
}

#[test]
fn a_member_that_is_frozen_makes_no_other_hang() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    let frozen = group.container("frozen", "always", &spec);
    frozen.signal(libc::SIGSTOP);
    let began = std::time::Instant::now();
    group.member("other", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
    assert!(began.elapsed() < Duration::from_secs(5) && fake.quits().is_empty());
}

#[test]
fn one_that_was_killed_as_it_registered_is_taken_as_never_come() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    fs::write(group.file("b"), "").unwrap();
    group.member("a", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
    assert!(fake.quits().is_empty());
    group.member("b", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
    assert_eq!(fake.quits().len(), 1);
}
