//! Jobs that take signals, and one that dies of one.

use super::say;
use crate::raw::{bit, disposition, set_mask};
use std::ptr;

/// The next signal, whichever.
fn next_signal() -> i32 {
    let all = u64::MAX;
    loop {
        // SAFETY: a mask of 8 bytes; the raw call, since libc's leaves out the signals that it keeps.
        let n = unsafe {
            let (none, wait) = (ptr::null::<u64>(), ptr::null::<u64>());
            libc::syscall(libc::SYS_rt_sigtimedwait, &raw const all, none, wait, 8)
        };
        if n > 0 {
            return n as i32;
        }
    }
}

/// Dies of a signal, by the raw number, without a core of its own.
pub(super) fn die(signal: i32) -> i32 {
    disposition(signal, false);
    set_mask(0);
    // SAFETY: plain calls.
    unsafe {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: libc::RLIM_INFINITY };
        let mut limit = none;
        libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit);
        limit.rlim_cur = 0;
        libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
        libc::kill(libc::getpid(), signal);
    }
    say(2, &format!("survived {signal}\n"));
    99
}

/// Says `ready`, then `got N` for every signal, for ever.
pub(super) fn signals() -> i32 {
    set_mask(u64::MAX);
    say(1, "ready\n");
    loop {
        say(1, &format!("got {}\n", next_signal()));
    }
}

/// Writes `ready`, then `got N` for every signal into a file; leaves at TERM.
pub(super) fn count(file: &str) -> i32 {
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

/// Says `burst K` each time all these signals have come; at last how many came twice.
pub(super) fn bursts(times: u32, signals: &str) -> i32 {
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
