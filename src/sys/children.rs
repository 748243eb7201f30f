//! What becomes of children. Raw, as nix's `waitpid` reaps a child that a real-time signal killed and then reports
//! `EINVAL`: main's death would be lost.

use lastout_core::machine::Pid;
use lastout_core::outcome::Ended;
use lastout_core::signal::Signal;
use std::ffi::c_int;
use std::io;

/// A change of state of one child.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// It ended and is reaped now.
    Ended(Pid, Ended),
    /// It was stopped by this signal.
    Stopped(Pid, Signal),
    /// Children are left, none has changed.
    Nothing,
    /// There is no child at all.
    Childless,
}

/// `wait4(-1, WNOHANG | WUNTRACED)`: the next change of any child; with its resource usage when it ended
/// and that is asked for.
pub fn next_change(usage: Option<&mut libc::rusage>) -> Change {
    let mut status: c_int = 0;
    let usage = usage.map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let options = libc::WNOHANG | libc::WUNTRACED;
    loop {
        // SAFETY: `status` is writable, `usage` is null or writable.
        let pid = unsafe { libc::wait4(-1, &raw mut status, options, usage) };
        if pid == 0 {
            return Change::Nothing;
        }
        if pid > 0 {
            return change(pid, status);
        }
        match io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) => {}
            _ => return Change::Childless,
        }
    }
}

fn change(pid: Pid, status: c_int) -> Change {
    if libc::WIFSTOPPED(status) {
        return Signal::new(libc::WSTOPSIG(status))
            .map_or(Change::Nothing, |signal| Change::Stopped(pid, signal));
    }
    Change::Ended(pid, ended(status))
}

fn ended(status: c_int) -> Ended {
    match Signal::new(libc::WTERMSIG(status)) {
        Some(signal) if libc::WIFSIGNALED(status) => Ended::Killed(signal),
        _ => Ended::Exited(u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(u8::MAX)),
    }
}

/// A resource usage of zeros.
pub fn no_usage() -> libc::rusage {
    // SAFETY: plain data, for which zeros are a value.
    unsafe { std::mem::zeroed() }
}
