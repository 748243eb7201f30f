//! From the wrapper to main: `clone`, and what the child does between that and `execve`.

use super::signals::SignalMask;
use lastout_core::machine::Pid;
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io;
use std::os::fd::RawFd;

/// A command that is ready to be executed, with everything allocated beforehand: between `clone` and
/// `execve` nothing is.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    /// Paths to try in this order.
    pub paths: &'a [CString],
    /// Arguments.
    pub args: &'a [&'a CStr],
    /// Environment, `NAME=value` each.
    pub env: &'a [Cow<'a, CStr>],
    /// The entry of `env` that is to read `LISTEN_PID=` and the child's own pid, if any.
    pub listen_pid: Option<usize>,
    /// How we found the signals.
    pub mask: SignalMask,
    /// The terminal whose foreground the child is to take.
    pub terminal: Option<RawFd>,
}

struct Child<'a> {
    paths: &'a [*const c_char],
    args: *const *const c_char,
    env: *const *const c_char,
    /// Where to write `LISTEN_PID=` and the child's own pid.
    listen_pid: Option<[u8; LISTEN_PID_ROOM]>,
    mask: SignalMask,
    terminal: RawFd,
    /// Written by the child, read by us: the child borrows our memory until it executes.
    error: c_int,
}

/// Bytes of the stack on which the child prepares itself.
const CHILD_STACK: usize = 4 * 1024;

/// `clone(CLONE_VM | CLONE_VFORK)` and, in the child, `setpgid`, `tcsetpgrp`, the mask that we inherited,
/// `execve`. It returns when the command runs: a signal that is forwarded then finds it, in its own group.
/// The dispositions need no restoring: we have changed none but that of CHLD.
///
/// # Errors
/// `Ok(Err(errno))` when no path could be executed, `Err` when no process could be made.
pub fn spawn(image: Image<'_>) -> io::Result<Result<Pid, i32>> {
    let end = || std::iter::once(std::ptr::null());
    let paths: Vec<*const c_char> = image.paths.iter().map(|path| path.as_ptr()).collect();
    let args: Vec<*const c_char> = image.args.iter().map(|arg| arg.as_ptr()).chain(end()).collect();
    let mut env: Vec<*const c_char> = image.env.iter().map(|entry| entry.as_ptr()).chain(end()).collect();
    let mut child = Child {
        paths: &paths,
        args: args.as_ptr(),
        env: std::ptr::null(),
        listen_pid: image.listen_pid.map(|_| [0; LISTEN_PID_ROOM]),
        mask: image.mask,
        terminal: image.terminal.unwrap_or(-1),
        error: 0,
    };
    if let (Some(index), Some(text)) = (image.listen_pid, &child.listen_pid)
        && let Some(entry) = env.get_mut(index)
    {
        *entry = text.as_ptr().cast();
    }
    child.env = env.as_ptr();
    // Never initialised: the child writes before it reads, and only the pages that it uses are touched.
    let mut stack = std::mem::MaybeUninit::<[u128; CHILD_STACK / 16]>::uninit();
    // SAFETY: one past its end.
    let top = unsafe { stack.as_mut_ptr().add(1) };
    // SAFETY: the child runs `prepare_and_execute` on a stack of its own (the top is 16-byte aligned) and
    // shares our memory, which stays as it is: by CLONE_VFORK this thread sleeps until the child has executed or
    // exited, and there is no other thread. All that `child` points to outlives the call.
    let pid = unsafe {
        libc::clone(
            prepare_and_execute,
            top.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            (&raw mut child).cast(),
        )
    };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `child.error` was written by the child, which no longer shares our memory.
    let error = unsafe { (&raw const child.error).read_volatile() };
    if error == 0 {
        return Ok(Ok(pid));
    }
    // SAFETY: takes integers and null; the child has exited, so it returns at once.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    Ok(Err(error))
}

extern "C" fn prepare_and_execute(child: *mut c_void) -> c_int {
    // SAFETY: `spawn` passes its `Child`, which lives until we execute or exit, and does not touch it meanwhile.
    let child = unsafe { &mut *child.cast::<Child>() };
    // SAFETY: only system calls, no allocation, no lock; all pointers are what `Child` says.
    unsafe {
        libc::setpgid(0, 0);
        if child.terminal >= 0 {
            // TTOU, which a background process gets for this, is blocked.
            libc::tcsetpgrp(child.terminal, libc::getpid());
        }
        if let Some(text) = &mut child.listen_pid {
            write_listen_pid(text, libc::getpid());
        }
        child.mask.restore();
        let mut error = libc::ENOENT;
        for &path in child.paths {
            libc::execve(path, child.args, child.env);
            // As execvp(3): go on when this one is not there, remember one that may not be executed.
            match *libc::__errno_location() {
                libc::ENOENT | libc::ENOTDIR if child.paths.len() > 1 => {}
                libc::EACCES if child.paths.len() > 1 => error = libc::EACCES,
                other => {
                    error = other;
                    break;
                }
            }
        }
        (&raw mut child.error).write_volatile(error);
        libc::_exit(127)
    }
}

/// Writes `LISTEN_PID=<pid>` and NUL, without allocating.
fn write_listen_pid(text: &mut [u8; LISTEN_PID_ROOM], pid: Pid) {
    use io::Write;
    let mut rest = text.as_mut_slice();
    // It has room for that.
    let _ = rest.write_all(LISTEN_PID).and_then(|()| write!(rest, "{pid}\0"));
}

/// The variable by which socket activation names the process that it is for.
pub const LISTEN_PID: &[u8] = b"LISTEN_PID=";
/// Bytes that an entry of it needs.
pub const LISTEN_PID_ROOM: usize = 24;
