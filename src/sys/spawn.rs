//! From the wrapper to main: `clone`, and what the child does between that and `execve`.

use super::signals::SignalMask;
use lastout_core::machine::Pid;
use nix::fcntl::OFlag;
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// A command that is ready to be executed, with everything allocated beforehand: between `clone` and
/// `execve` nothing is.
#[derive(Clone, Copy)]
pub struct ExecArgs<'a> {
    /// Paths to try in this order.
    pub paths: &'a [CString],
    /// Arguments.
    pub args: &'a [&'a CStr],
    /// Environment, `NAME=value` each.
    pub env: &'a [Cow<'a, CStr>],
    /// The entries of `env` that are to name the child: one for each of [`PID_VARIABLES`], if there.
    pub own_pid: [Option<usize>; PID_VARIABLES.len()],
    /// How we found the signals.
    pub mask: SignalMask,
    /// A process group of its own, or ours.
    pub own_group: bool,
    /// The terminal whose foreground that group is to take.
    pub terminal: Option<RawFd>,
}

struct Child<'a> {
    paths: &'a [*const c_char],
    args: *const *const c_char,
    env: *const *const c_char,
    /// Where to write such a variable and the child's own pid.
    own_pid: [Option<PidEntry>; PID_VARIABLES.len()],
    mask: SignalMask,
    own_group: bool,
    terminal: RawFd,
    /// Where the child writes the errno as well: what tells it, and that there is none, without shared memory.
    report: RawFd,
    /// Written by the child first of all: we see it if it borrows our memory until it executes.
    shares_memory: bool,
    /// Written by the child.
    error: c_int,
}

/// Bytes of the stack on which the child prepares itself.
const CHILD_STACK: usize = 4 * 1024;

/// `clone(CLONE_VM | CLONE_VFORK)` and, in the child, `setpgid`, `tcsetpgrp`, the mask that we inherited,
/// `execve`. It returns when the command runs: a signal that is forwarded then finds it, in its own group.
/// The dispositions need no restoring: we have changed none but that of CHLD.
///
/// Under an emulator such as qemu-user that `clone` is a `fork`: the memory is a copy and nobody waits. There a
/// pipe that closes on exec says both, the errno and that the command runs.
///
/// # Errors
/// `Ok(Err(errno))` when no path could be executed, `Err` when no process could be made.
pub fn spawn(exec: ExecArgs<'_>) -> io::Result<Result<Pid, i32>> {
    let end = || std::iter::once(std::ptr::null());
    let paths: Vec<*const c_char> = exec.paths.iter().map(|path| path.as_ptr()).collect();
    let args: Vec<*const c_char> = exec.args.iter().map(|arg| arg.as_ptr()).chain(end()).collect();
    let mut env: Vec<*const c_char> = exec.env.iter().map(|entry| entry.as_ptr()).chain(end()).collect();
    // Without descriptors to be had, shared memory has to do.
    let (told, report) = nix::unistd::pipe2(OFlag::O_CLOEXEC).ok().unzip();
    let mut child = Child {
        paths: &paths,
        args: args.as_ptr(),
        env: std::ptr::null(),
        own_pid: exec.own_pid.map(|index| index.map(|_| [0; PID_ENTRY_ROOM])),
        mask: exec.mask,
        own_group: exec.own_group,
        terminal: exec.terminal.unwrap_or(-1),
        report: report.as_ref().map_or(-1, AsRawFd::as_raw_fd),
        shares_memory: false,
        error: 0,
    };
    for (index, text) in exec.own_pid.iter().zip(&child.own_pid) {
        if let (Some(index), Some(text)) = (index, text)
            && let Some(entry) = env.get_mut(*index)
        {
            *entry = text.as_ptr().cast();
        }
    }
    child.env = env.as_ptr();
    // Never initialised: the child writes before it reads, and only the pages that it uses are touched.
    let mut stack = std::mem::MaybeUninit::<[u128; CHILD_STACK / 16]>::uninit();
    // SAFETY: one past its end.
    let top = unsafe { stack.as_mut_ptr().add(1) };
    // SAFETY: the child runs `prepare_and_execute` on a stack of its own (the top is 16-byte aligned). Either it
    // shares our memory, which stays as it is: by CLONE_VFORK this thread sleeps until the child has executed or
    // exited, and there is no other thread but one that a file system holds up, which touches nothing of this; or it has a copy. All that `child` points to outlives the call.
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
    // SAFETY: both were written by the child, which no longer shares our memory, or by us.
    let (shared, error) = unsafe {
        ((&raw const child.shares_memory).read_volatile(), (&raw const child.error).read_volatile())
    };
    drop(report);
    let error = match told {
        Some(told) if !shared => errno_from(told),
        _ => error,
    };
    if error == 0 {
        return Ok(Ok(pid));
    }
    // SAFETY: takes integers and null; the child has exited, so it returns at once.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    Ok(Err(error))
}

/// The errno that the child wrote; 0 when it executed, which closed its end.
fn errno_from(told: OwnedFd) -> c_int {
    let mut errno = [0; size_of::<c_int>()];
    match File::from(told).read_exact(&mut errno) {
        Ok(()) => c_int::from_ne_bytes(errno),
        Err(_) => 0,
    }
}

extern "C" fn prepare_and_execute(child: *mut c_void) -> c_int {
    // SAFETY: `spawn` passes its `Child`, which lives until we execute or exit, and does not touch it meanwhile.
    let child = unsafe { &mut *child.cast::<Child>() };
    // SAFETY: only system calls, no allocation, no lock; all pointers are what `Child` says.
    unsafe {
        (&raw mut child.shares_memory).write_volatile(true);
        if child.own_group {
            libc::setpgid(0, 0);
        }
        if child.terminal >= 0 {
            // TTOU, which a background process gets for this, is blocked.
            libc::tcsetpgrp(child.terminal, libc::getpid());
        }
        for (name, text) in PID_VARIABLES.iter().zip(&mut child.own_pid) {
            if let Some(text) = text {
                write_pid_entry(text, name, libc::getpid());
            }
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
        // Fewer bytes than a pipe takes at once; without a pipe it fails.
        libc::write(child.report, (&raw const error).cast(), size_of::<c_int>());
        libc::_exit(127)
    }
}

/// Writes `NAME=<pid>` and NUL, without allocating.
fn write_pid_entry(text: &mut PidEntry, name: &[u8], pid: Pid) {
    use io::Write;
    let mut rest = text.as_mut_slice();
    // It has room for that.
    let _ = rest.write_all(name).and_then(|()| write!(rest, "{pid}\0"));
}

/// The variables by which systemd's protocols name the process that they are for: `sd_listen_fds(3)`,
/// `sd_watchdog_enabled(3)`, `systemd.exec(5)`. A process that finds another pid there takes them as not its own.
pub const PID_VARIABLES: [&[u8]; 3] = [b"LISTEN_PID=", b"WATCHDOG_PID=", b"SYSTEMD_EXEC_PID="];
/// One entry of them.
type PidEntry = [u8; PID_ENTRY_ROOM];
/// Bytes that the longest one needs: its name, ten digits, NUL.
const PID_ENTRY_ROOM: usize = 32;
