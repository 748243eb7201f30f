//! Main programs that must be exact: run by re-execution (`support::job(&["die", "37"])`), before std's
//! start code and without a thread. What `sh` can do, `sh` does.

use super::raw::{disposition, set_mask};
use std::{fs, mem, ptr, time::Duration};

/// Runs a job; its exit code.
pub fn run(words: &[Vec<u8>]) -> i32 {
    let words: Vec<_> = words.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<i32>().unwrap();
    match words.as_slice() {
        ["die", signal] => die(number(signal)),
        ["signals"] => signals(),
        ["orphans", count, batch] => orphans(number(count), number(batch)),
        ["adopted"] => adopted(),
        _ => super::acts::run(&words),
    }
}

/// One write, no buffer.
pub fn say(fd: i32, text: &str) {
    // SAFETY: a live buffer of that length.
    unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
}

/// The next signal, whichever.
pub fn next_signal() -> i32 {
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
fn die(signal: i32) -> i32 {
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
fn signals() -> i32 {
    set_mask(u64::MAX);
    say(1, "ready\n");
    loop {
        say(1, &format!("got {}\n", next_signal()));
    }
}

/// Leaves `count` orphans behind, a batch at a time, waits until none is a zombie any more, says how many
/// are left, and exits with 7 once its stdin is closed.
fn orphans(count: i32, batch: i32) -> i32 {
    let mut made = 0;
    while made < count {
        let now = batch.min(count - made);
        // SAFETY: single-threaded; the child makes its children and leaves.
        unsafe {
            let parent = libc::fork();
            if parent == 0 {
                (0..now).for_each(|_| short_life());
                libc::_exit(0);
            }
            libc::waitpid(parent, ptr::null_mut(), 0);
        }
        made += now;
    }
    let none = super::until(Duration::from_secs(10), || (zombies() == 0).then_some(()));
    say(1, &format!("made {made}, left {}\n", if none.is_some() { 0 } else { zombies() }));
    let mut byte = 0_u8;
    // SAFETY: one byte of room.
    while unsafe { libc::read(0, (&raw mut byte).cast(), 1) } > 0 {}
    7
}

/// A child that exits at once. It shares our memory and we stand still meanwhile, which makes it ten times
/// as quick as a fork.
unsafe fn short_life() {
    extern "C" fn leave(_: *mut libc::c_void) -> i32 {
        0
    }
    let mut stack = [0_u128; 1024];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack is the child's alone until it is gone, since CLONE_VFORK holds us.
    let pid = unsafe { libc::clone(leave, stack.as_mut_ptr_range().end.cast(), flags, ptr::null_mut()) };
    if pid < 0 {
        say(2, &format!("test harness: clone: {}\n", std::io::Error::last_os_error()));
    }
}

/// How many processes of this namespace are zombies.
fn zombies() -> usize {
    let Ok(list) = fs::read_dir("/proc") else { return usize::MAX };
    let stat = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("stat")).ok();
    list.flatten()
        .filter_map(stat)
        .filter(|s| s.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
        .count()
}

/// Says who adopts an orphan: its new parent's pid.
fn adopted() -> i32 {
    // SAFETY: single-threaded forks.
    unsafe {
        let parent = libc::fork();
        if parent != 0 {
            let mut status: i32 = mem::zeroed();
            libc::waitpid(parent, &raw mut status, 0);
            // The orphan speaks for itself; it holds our stdout until it has.
            let mut byte = 0_u8;
            while libc::read(0, (&raw mut byte).cast(), 1) > 0 {}
            return 0;
        }
        let old = libc::getpid();
        if libc::fork() != 0 {
            libc::_exit(0);
        }
        let new = super::until(Duration::from_secs(5), || {
            let now = libc::getppid();
            (now != old).then_some(now)
        });
        say(1, &format!("adopted by {}\n", new.unwrap_or(0)));
    }
    0
}
