//! Command → process: the paths to try, the environment, the terminal; and what a failure means.

use crate::process::diagnose;
use crate::process::terminal::{ProcessGroup, Terminal};
use crate::sys::{self, ExecArgs, SignalMask};
use lastout_core::machine::Pid;
use lastout_core::outcome::Outcome;
use lastout_core::text::Path as Shown;
use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// The verb of ours that a word may have been meant as.
pub type MeantVerb = fn(&OsStr) -> Option<&'static str>;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// The program and its arguments.
    pub words: &'a [&'a CStr],
    /// The whole environment, `NAME=value` each.
    pub env: &'a [Cow<'a, CStr>],
    /// How we found the signals.
    pub mask: SignalMask,
    /// Which verb of ours may have been meant, should there be no such program.
    pub meant: Option<MeantVerb>,
}

/// Why main does not run.
#[derive(Debug, PartialEq, Eq)]
pub struct NotStarted {
    /// The outcome that this is.
    pub outcome: Outcome,
    /// One line: what is wrong, and the way out.
    pub why: String,
}

/// Where a command without a slash is looked for when PATH is unset, as in `execvp(3)` of most systems.
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// An executable that is just being written: an init container's copy may still be open for a moment.
const BUSY_TRIES: u32 = 40;
/// Distance of those tries.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Starts the command in this process group.
///
/// # Errors
/// 127 not found, 126 cannot be executed, 125 no process to be had.
pub fn spawn(command: Command<'_>, group: &ProcessGroup) -> Result<Pid, NotStarted> {
    let program = OsStr::from_bytes(command.words.first().map_or(b"", |word| word.to_bytes()));
    let paths = candidates(program.as_bytes(), command.env);
    let own_pid = std::process::id();
    let exec = ExecArgs {
        paths: &paths,
        args: command.words,
        env: command.env,
        own_pid: sys::PID_VARIABLES
            .map(|name| command.env.iter().position(|entry| names_us(entry.to_bytes(), name, own_pid))),
        mask: command.mask,
        own_group: matches!(group, ProcessGroup::Own(_)),
        terminal: group.terminal().map(Terminal::fd),
    };
    for _ in 0..BUSY_TRIES {
        match sys::spawn(exec) {
            Ok(Ok(pid)) => return Ok(pid),
            Ok(Err(libc::ETXTBSY)) => sys::pause(BUSY_PAUSE),
            Ok(Err(errno)) => return Err(not_executed(program, &paths, errno, command.meant)),
            Err(error) => return Err(no_process(program, &error)),
        }
    }
    Err(not_executed(program, &paths, libc::ETXTBSY, None))
}

fn not_executed(program: &OsStr, paths: &[CString], errno: i32, meant: Option<MeantVerb>) -> NotStarted {
    let meant = meant.and_then(|verb| verb(program));
    let (outcome, why) = diagnose::not_executed(program, paths, errno, meant);
    NotStarted { outcome, why }
}

fn no_process(program: &OsStr, error: &io::Error) -> NotStarted {
    NotStarted {
        outcome: Outcome::Internal,
        why: format!("cannot start a process for {}: {error}{}", Shown(program.as_bytes()), limit(error)),
    }
}

/// Which limit it is that a new process or thread has met.
pub fn limit(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EAGAIN) if is_without_an_init() => {
            "; its children would be in another namespace (unshare --pid without --fork): no threads"
        }
        Some(libc::EAGAIN) => "; is the limit of processes reached (pids.max, ulimit -u)?",
        Some(libc::ENOMEM) => {
            "; is the memory limit reached, or is this a process namespace without an init (unshare --pid without --fork)?"
        }
        Some(libc::EMFILE) => "; the limit of open files is reached (ulimit -n)",
        _ => "",
    }
}

/// Whether our children come into another process namespace than ours. The kernel refuses a thread then (EINVAL, of which
/// musl makes EAGAIN).
fn is_without_an_init() -> bool {
    let namespace = |of| std::fs::read_link(format!("/proc/self/ns/{of}")).ok();
    namespace("pid") != namespace("pid_for_children")
}

/// `LISTEN_PIDFDID` names by its pidfd's inode the process that `LISTEN_PID` names. Where that was us it cannot be
/// rewritten before main is there, and systemd's `sd_listen_fds` (sd-daemon.c) gives no sockets where it is another's;
/// without it `LISTEN_PID` alone decides.
pub fn drop_our_pidfd(env: &mut Vec<Cow<'_, CStr>>) {
    let own_pid = std::process::id();
    if env.iter().any(|entry| names_us(entry.to_bytes(), b"LISTEN_PID=", own_pid)) {
        env.retain(|entry| !entry.to_bytes().starts_with(b"LISTEN_PIDFDID="));
    }
}

fn names_us(entry: &[u8], name: &[u8], own_pid: u32) -> bool {
    entry.strip_prefix(name).is_some_and(|pid| pid == own_pid.to_string().as_bytes())
}

/// The paths that `execvp(3)` would try: the command itself when it has a slash, else every folder of the
/// PATH that main gets; an empty folder is the working directory.
fn candidates(program: &[u8], env: &[Cow<'_, CStr>]) -> Vec<CString> {
    // Both come out of C strings and hold no NUL; a path with one could not be there.
    let path = |text: Vec<u8>| CString::new(text).ok();
    if program.contains(&b'/') {
        return path(program.to_vec()).into_iter().collect();
    }
    let folders =
        env.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH=")).unwrap_or(DEFAULT_PATH);
    let join = |folder: &[u8]| match folder {
        b"" => path(program.to_vec()),
        _ => path([folder, b"/", program].concat()),
    };
    folders.split(|byte| *byte == b':').filter_map(join).collect()
}
