//! Facts that tests wait for: a condition under a deadline, what `/proc` says.

use std::{
    fs,
    os::unix::fs::FileExt as _,
    time::{Duration, Instant},
};

/// So many milliseconds.
pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Asks until the answer is something, at most `limit`; then `None`.
pub fn until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        pause(ms(1));
    }
}

/// Waits until it is so; fails the test after ten seconds.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    assert!(until(Duration::from_secs(10), || is_so().then_some(())).is_some(), "never: {what}");
}

/// Plays a scenario whose signals must come close together, until they did: `attempt` tells whether they have.
#[track_caller]
pub fn until_sent_in_time(mut attempt: impl FnMut() -> bool) {
    assert!(
        (0..10).any(|_| attempt()),
        "this machine is too busy: ten times the second signal came too late"
    );
}

/// A delay that belongs to the scenario ("Envoy starts 0.3 s later"), never a way to wait for something.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The clock that all processes share, in nanoseconds.
pub fn monotonic_ns() -> u64 {
    // SAFETY: room for the answer.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time);
        time
    };
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
}

/// The middle one.
pub fn median<T: PartialOrd + Copy>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
    sorted[sorted.len() / 2]
}

/// A field of `/proc/PID/status`, trimmed.
pub fn status_field(pid: i32, name: &str) -> Option<String> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, name)
}

/// A field of a text in the form of `/proc/PID/status`, trimmed.
pub fn field(status: &str, name: &str) -> Option<String> {
    status.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')).map(|v| v.trim().to_owned())
}

/// The children of a single-threaded process.
pub fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|p| p.parse().ok()).collect()
}

/// Spins until the process has a child, for tests that must strike at that very moment.
pub fn spin_for_child(pid: i32, limit: Duration) -> bool {
    let Ok(file) = fs::File::open(format!("/proc/{pid}/task/{pid}/children")) else { return false };
    let end = Instant::now() + limit;
    let mut buffer = [0; 16];
    while Instant::now() < end {
        match file.read_at(&mut buffer, 0) {
            Ok(0) => {}
            Ok(_) => return true,
            Err(_) => return false,
        }
    }
    false
}

/// The process group of a process.
pub fn group(pid: i32) -> i32 {
    // SAFETY: takes an integer.
    unsafe { libc::getpgid(pid) }
}

/// CPU time of a process in nanoseconds, as the scheduler counts it.
pub fn cpu_ns(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Sends a signal by number; true when the process was there.
pub fn kill(pid: i32, signal: i32) -> bool {
    // SAFETY: plain integers.
    unsafe { libc::kill(pid, signal) == 0 }
}

/// True for the superuser.
pub fn is_root() -> bool {
    // SAFETY: no argument.
    unsafe { libc::geteuid() == 0 }
}
