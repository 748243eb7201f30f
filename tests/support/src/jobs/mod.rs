//! Main programs that must be exact: run by re-execution (`support::job(&["die", "37"])`), before std's
//! start code and without a thread. What `sh` can do, `sh` does.

mod children;
mod signals;
pub mod timed_term;

use std::ptr;

/// Runs a job; its exit code.
pub(crate) fn run(words: &[Vec<u8>]) -> i32 {
    let words: Vec<_> = words.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<i32>().unwrap();
    match words.as_slice() {
        ["die", signal] => signals::die(number(signal)),
        ["signals"] => signals::signals(),
        ["count", file] => signals::count(file),
        ["bursts", times, signals] => signals::bursts(times.parse().unwrap(), signals),
        ["orphans", count, batch] => children::orphans(number(count), number(batch)),
        ["adopted"] => children::adopted(),
        ["storm", others] => children::storm(others.parse().unwrap()),
        ["term-at", rest @ ..] => timed_term::job(rest),
        ["foreground"] => foreground(),
        ["now"] => now(),
        ["as-root"] => as_root(),
        ["fault"] => fault(),
        ["hog", bytes] => hog(bytes.parse().unwrap()),
        _ => {
            say(2, &format!("test harness: no such job: {words:?}\n"));
            70
        }
    }
}

/// One write, no buffer.
pub(crate) fn say(fd: i32, text: &str) {
    // SAFETY: a live buffer of that length.
    unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
}

/// Says who is in the terminal's foreground, and whose session this is; leaves with 9.
fn foreground() -> i32 {
    // SAFETY: plain calls.
    let (own, front) = unsafe { (libc::getpgrp(), libc::tcgetpgrp(0)) };
    say(1, if own == front { "own group in front\n" } else { "another group in front\n" });
    9
}

/// Says what the monotonic clock shows, in nanoseconds, and leaves with 3 at once.
fn now() -> i32 {
    say(1, &format!("{}\n", crate::facts::monotonic_ns()));
    3
}

/// With the set-uid bit of root: is wholly root, so that nobody else may signal it; leaves with 6 when its
/// stdin is closed.
fn as_root() -> i32 {
    // SAFETY: plain calls; one byte of room.
    unsafe {
        if libc::setresuid(0, 0, 0) != 0 {
            say(1, "no root\n");
            return 70;
        }
        say(1, "up\n");
        let mut byte = 0_u8;
        while libc::read(0, (&raw mut byte).cast(), 1) > 0 {}
    }
    6
}

/// Reads where nothing may be read.
fn fault() -> i32 {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: none: the fault is the point.
    unsafe {
        let page = libc::mmap(ptr::null_mut(), 4096, libc::PROT_NONE, flags, -1, 0);
        ptr::read_volatile(page.cast())
    }
}

/// Takes so much memory, and says so if it gets it.
fn hog(bytes: usize) -> i32 {
    let mut memory = Vec::<u8>::new();
    while memory.len() < bytes {
        memory.resize(memory.len() + 64 * 1024, 1);
    }
    say(1, &format!("got {}\n", std::hint::black_box(memory).len()));
    0
}
