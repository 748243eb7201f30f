//! More main programs: terminals, bursts and storms (see `jobs.rs`).

use super::{
    jobs::{next_signal, say},
    stage::{bit, set_mask},
    strike,
};
use std::ptr;

/// Runs a job; its exit code.
pub fn run(words: &[&str]) -> i32 {
    match words {
        ["foreground"] => foreground(),
        ["now"] => now(),
        ["count", file] => count(file),
        ["bursts", times, signals] => bursts(times.parse().unwrap(), signals),
        ["storm", others] => storm(others.parse().unwrap()),
        ["as-root"] => as_root(),
        ["fault"] => fault(),
        ["hog", bytes] => hog(bytes.parse().unwrap()),
        ["strike", rest @ ..] => strike::job(rest),
        _ => {
            say(2, &format!("test harness: no such job: {words:?}\n"));
            70
        }
    }
}

/// Says who is in the terminal's foreground, and whose session this is; leaves with 9.
fn foreground() -> i32 {
    // SAFETY: plain calls.
    let (own, front) = unsafe { (libc::getpgrp(), libc::tcgetpgrp(0)) };
    say(1, if own == front { "own group in front\n" } else { "another group in front\n" });
    9
}

/// Writes `ready`, then `got N` for every signal into a file; leaves at TERM.
fn count(file: &str) -> i32 {
    use std::io::Write as _;
    set_mask(u64::MAX);
    let mut file = std::fs::File::create(file).unwrap();
    writeln!(file, "ready").unwrap();
    loop {
        let n = next_signal();
        writeln!(file, "got {n}").unwrap();
        if n == libc::SIGTERM {
            return 0;
        }
    }
}

/// Says what the monotonic clock shows, in nanoseconds, and leaves with 3 at once.
fn now() -> i32 {
    say(1, &format!("{}\n", super::facts::monotonic_ns()));
    3
}

/// Says `burst K` each time all these signals have come; at last how many came twice.
fn bursts(times: u32, signals: &str) -> i32 {
    set_mask(u64::MAX);
    let wanted = signals.split(',').fold(0, |set, n| set | bit(n.parse().unwrap()));
    let mut twice = 0;
    say(1, "burst 0\n");
    for k in 1..=times {
        let mut left = wanted;
        while left != 0 {
            let signal = bit(next_signal());
            twice += u32::from(signal & left == 0);
            left &= !signal;
        }
        say(1, &format!("burst {k}\n"));
    }
    say(1, &format!("twice {twice}\n"));
    0
}

/// Has that many children, which all end at the moment when it ends itself, with 7.
fn storm(others: usize) -> i32 {
    extern "C" fn wait_for_the_end(pipe: *mut libc::c_void) -> i32 {
        let (pipe, mut byte) = (pipe.cast::<i32>(), 0_u8);
        // SAFETY: the two descriptors live as long as the parent's memory, which we share.
        unsafe {
            libc::close(*pipe.add(1));
            libc::read(*pipe, (&raw mut byte).cast(), 1);
            libc::syscall(libc::SYS_exit, 0);
        }
        0
    }
    const STACK: usize = 256;
    let mut pipe = [0_i32; 2];
    let mut stacks = vec![[0_u128; STACK]; others];
    // SAFETY: every child has a stack of its own, in memory that stays until the last of them has gone.
    unsafe {
        libc::pipe(pipe.as_mut_ptr());
        for stack in &mut stacks {
            let flags = libc::CLONE_VM | libc::SIGCHLD;
            let top = stack.as_mut_ptr_range().end.cast();
            if libc::clone(wait_for_the_end, top, flags, pipe.as_mut_ptr().cast()) < 0 {
                say(2, &format!("test harness: clone: {}\n", std::io::Error::last_os_error()));
                return 70;
            }
        }
        // Our end closes the pipe, for whoever has not closed its own copy, too.
        libc::close(pipe[1]);
        libc::_exit(7)
    }
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
