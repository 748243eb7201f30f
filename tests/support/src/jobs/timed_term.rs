//! Sends TERM at an exact instant: so many microseconds after PID 1 was executed, or after its first
//! child appeared. A process of its own, single-threaded, that spins, since a wake-up would be late.

use super::say;
use crate::{facts, ms, raw::set_mask, until};
use std::{
    ffi::CString,
    ptr,
    time::{Duration, Instant},
};

/// When TERM is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Since {
    Exec,
    Child,
}

/// The words of the job: TERM `first`, `first + step`, … µs after that moment, `count` instants, `tries` times.
pub fn words(since: Since, (first, step, count): (u32, u32, u32), tries: u32) -> Vec<String> {
    let since = if since == Since::Exec { "exec" } else { "child" };
    let numbers = [first, step, count, tries].map(|n| n.to_string());
    ["term-at", since].into_iter().map(str::to_owned).chain(numbers).collect()
}

/// Says `lost N of M` and at which microseconds.
pub(super) fn job(words: &[&str]) -> i32 {
    let [since, first, step, count, tries, program @ ..] = words else { return 70 };
    let since = if *since == "exec" { Since::Exec } else { Since::Child };
    let [first, step, count, tries] = [first, step, count, tries].map(|n| n.parse::<u32>().unwrap());
    // SAFETY: no argument; single-threaded.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::geteuid() != 0 && libc::unshare(libc::CLONE_NEWUSER) != 0 {
            say(2, "test harness: no user namespace\n");
            return 70;
        }
    }
    if since == Since::Exec {
        // Whoever else is busy is not to be measured: what is started here inherits it. Refused without root. Not for the
        // other kind, of which two run at once: both would spin, and nothing that they started would ever run.
        // SAFETY: the structure is plain data that outlives the call.
        unsafe {
            let mut first: libc::sched_param = std::mem::zeroed();
            first.sched_priority = 1;
            libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const first);
        }
    }
    let argv: Vec<_> = program.iter().map(|w| CString::new(*w).unwrap()).collect();
    let mut lost = vec![];
    let mut tried = 0;
    let delays = (0..tries).flat_map(|_| (0..count).map(|n| first + n * step));
    for delay in delays {
        tried += 1;
        if !one(since, Duration::from_micros(delay.into()), &argv) {
            lost.push(delay);
        }
        // Proven; each costs three seconds.
        if since == Since::Child && lost.len() == 50 {
            break;
        }
    }
    lost.sort_unstable();
    say(1, &format!("at {lost:?}\nlost {} of {tried}\n", lost.len()));
    0
}

/// Starts it, sends TERM; true when it ends in time.
fn one(since: Since, delay: Duration, argv: &[CString]) -> bool {
    let mut pipe = [0; 2];
    // SAFETY: room for two; the child calls only what a forked child may.
    let pid = unsafe {
        libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK);
        let none = 0_usize;
        let flags = libc::CLONE_NEWPID | libc::SIGCHLD;
        libc::syscall(libc::SYS_clone, flags as usize, none, none, none, none) as i32
    };
    if pid == 0 {
        execute(argv);
    }
    assert!(pid > 0, "clone: {}", std::io::Error::last_os_error());
    // SAFETY: our own descriptors; one byte of room.
    unsafe {
        libc::close(pipe[1]);
        let mut byte = 0_u8;
        // The exec closes it: end of file.
        while libc::read(pipe[0], (&raw mut byte).cast(), 1) < 0 {}
        libc::close(pipe[0]);
    }
    let ended = if since == Since::Child && !facts::spin_for_child(pid, Duration::from_secs(5)) {
        false
    } else {
        let due = Instant::now() + delay;
        while Instant::now() < due {}
        facts::kill(pid, libc::SIGTERM);
        // A busy machine may take its time; one that has lost it never ends.
        let limit = ms(if since == Since::Exec { 150 } else { 3000 });
        until(limit, || reaped(pid, libc::WNOHANG).then_some(())).is_some()
    };
    if !ended {
        facts::kill(pid, libc::SIGKILL);
        reaped(pid, 0);
    }
    ended
}

fn reaped(pid: i32, options: i32) -> bool {
    // SAFETY: no status is wanted.
    unsafe { libc::waitpid(pid, ptr::null_mut(), options) == pid }
}

fn execute(argv: &[CString]) -> ! {
    let list: Vec<_> = argv.iter().map(|w| w.as_ptr()).chain([ptr::null()]).collect();
    let env = [c"PATH=/usr/local/bin:/usr/bin:/bin".as_ptr(), ptr::null()];
    // SAFETY: a forked child of a single-threaded process; null-terminated lists of C strings.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        set_mask(0);
        libc::execve(list[0], list.as_ptr(), env.as_ptr());
        libc::_exit(70)
    }
}
