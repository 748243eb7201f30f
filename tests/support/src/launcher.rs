//! The way from a test to the program under test: the test program, run again while it is still single-threaded
//! (see `reexec`), makes the namespaces, mask, dispositions and environment that the test wants, and executes the
//! program.
//!
//! ```text
//! test ── this, as "outer" ── PID 1 of the new namespace: the program itself (as PID 1), or
//!                             a small init ── the program (as an ordinary process)
//! ```
//! The outer one tells the test over a pipe: PID of PID 1, PID of the program (both as seen from
//! outside), the errno of the exec, and at the end its wait status; each a native-endian `i32`.

use super::mounts::{DevTty, dev_tty, last, remount, termination_log, without_proc};
use super::net::loopback_up;
use super::raw::{bit, disposition, set_mask};
use super::{jobs, pty, refuse};
use std::{ffi::CString, fs, mem, ptr};

/// What the test wants; `launch.rs` writes it, as `key=value` arguments.
#[derive(Default)]
pub(crate) struct Launcher {
    pid1: bool,
    own_network: bool,
    status: i32,
    exec: CString,
    core: bool,
    uid: Option<u32>,
    umask: Option<u32>,
    terminal: Option<CString>,
    no_proc: bool,
    dev_tty: Option<DevTty>,
    termination_log: Option<CString>,
    limits: Vec<(u32, libc::rlimit)>,
    refused: Vec<refuse::Refusal>,
    blocked: u64,
    ignored: u64,
    closed: Vec<i32>,
    opened: Vec<(i32, CString)>,
    mounts: Vec<(CString, libc::c_ulong)>,
    env: Vec<CString>,
    argv: Vec<CString>,
}

impl Launcher {
    pub(crate) fn parse(words: &[Vec<u8>]) -> Self {
        let mut launcher = Self::default();
        let mut words = words.iter();
        for word in words.by_ref() {
            let at = word.iter().position(|&b| b == b'=').unwrap_or(word.len());
            let (key, value) = (&word[..at], word.get(at + 1..).unwrap_or_default());
            let text = || String::from_utf8_lossy(value).into_owned();
            let number = || text().parse::<i32>().unwrap_or(-1);
            let bytes = || CString::new(value).unwrap_or_default();
            match key {
                b"pid1" => launcher.pid1 = true,
                b"own-network" => launcher.own_network = true,
                b"core" => launcher.core = true,
                b"status" => launcher.status = number(),
                b"uid" => launcher.uid = u32::try_from(number()).ok(),
                b"umask" => launcher.umask = u32::try_from(number()).ok(),
                b"terminal" => launcher.terminal = Some(bytes()),
                b"no-proc" => launcher.no_proc = true,
                b"dev-tty" => launcher.dev_tty = Some(DevTty::named(&text())),
                b"termination-log" => launcher.termination_log = Some(bytes()),
                b"limit" => {
                    let n: Vec<u64> = text().split(':').map(|n| n.parse().unwrap()).collect();
                    let limit = libc::rlimit { rlim_cur: n[1], rlim_max: n[2] };
                    launcher.limits.push((n[0].try_into().unwrap(), limit));
                }
                b"refused" => {
                    let (call, errno) = text().split_once(':').map(|(c, e)| (c.parse(), e.parse())).unwrap();
                    launcher.refused.push((call.unwrap(), errno.unwrap()));
                }
                b"blocked" => launcher.blocked |= bit(number()),
                b"ignored" => launcher.ignored |= bit(number()),
                b"closed" => launcher.closed.push(number()),
                b"opened" => {
                    let (fd, path) =
                        text().split_once(':').map(|(f, p)| (f.to_owned(), p.to_owned())).unwrap();
                    launcher.opened.push((fd.parse().unwrap(), CString::new(path).unwrap()));
                }
                b"noexec" => launcher.mounts.push((bytes(), libc::MS_NOEXEC)),
                b"readonly" => launcher.mounts.push((bytes(), libc::MS_RDONLY)),
                b"exec" => launcher.exec = bytes(),
                b"env" => launcher.env.push(bytes()),
                _ => break, // `--`
            }
        }
        launcher.argv = words.map(|w| CString::new(w.as_slice()).unwrap_or_default()).collect();
        launcher
    }

    /// The outer process. Returns only when it is over.
    pub(crate) fn run(&self) -> i32 {
        // SAFETY: single-threaded; every pointer below is to a live local.
        unsafe {
            close_all_but(self.status);
            libc::fcntl(self.status, libc::F_SETFD, libc::FD_CLOEXEC);
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if let Err(what) = self.namespaces() {
                return fail(&what);
            }
            let (exec, go, result) = (pipe(), pipe(), pipe());
            let init = libc::fork();
            if init == 0 {
                libc::close(exec.0);
                libc::close(go.1);
                self.inside(exec.1, go.0, result.1);
            }
            libc::close(exec.1);
            libc::close(result.1);
            // Its mounts outlive it in us: to end the last process of a mount name space takes seconds on a busy kernel,
            // and would count as the program's own.
            read_i32(exec.0);
            let mounts = CString::new(format!("/proc/{init}/ns/mnt")).unwrap_or_default();
            libc::open(mounts.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
            let program = if self.pid1 { init } else { only_child(init) };
            libc::close(go.1);
            let errno = read_i32(exec.0).unwrap_or(0);
            for n in [init, program, errno] {
                write_i32(self.status, n);
            }
            let mut status = 0;
            libc::waitpid(init, &raw mut status, 0);
            write_i32(self.status, if self.pid1 { status } else { read_i32(result.0).unwrap_or(status) });
        }
        0
    }

    /// A PID namespace for the next child; in a user namespace of its own where root is missing.
    unsafe fn namespaces(&self) -> Result<(), String> {
        // SAFETY: no argument.
        let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
        let flags = libc::CLONE_NEWPID | if self.own_network { libc::CLONE_NEWNET } else { 0 };
        // SAFETY: single-threaded, as CLONE_NEWUSER demands.
        unsafe {
            if libc::unshare(flags) != 0 {
                if libc::unshare(flags | libc::CLONE_NEWUSER) != 0 {
                    return Err(last("this machine lets us make no PID namespace: unshare"));
                }
                let _ = fs::write("/proc/self/setgroups", "deny");
                fs::write("/proc/self/uid_map", format!("0 {uid} 1")).map_err(|e| format!("uid_map: {e}"))?;
                fs::write("/proc/self/gid_map", format!("0 {gid} 1")).map_err(|e| format!("gid_map: {e}"))?;
            }
        }
        Ok(())
    }

    /// PID 1 of the new namespace.
    unsafe fn inside(&self, exec: i32, go: i32, result: i32) -> ! {
        // SAFETY: single-threaded child of a single-threaded process.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            // Not before the fork: the outer one needs the old /proc.
            libc::unshare(libc::CLONE_NEWNS);
            libc::mount(
                ptr::null(),
                c"/".as_ptr(),
                ptr::null(),
                libc::MS_REC | libc::MS_PRIVATE,
                ptr::null(),
            );
            libc::mount(c"proc".as_ptr(), c"/proc".as_ptr(), c"proc".as_ptr(), 0, ptr::null());
            if self.own_network {
                loopback_up();
            }
            for (path, flag) in &self.mounts {
                if let Err(what) = remount(path, *flag) {
                    fail(&what);
                }
            }
            if let Some(Err(what)) = self.termination_log.as_ref().map(|file| termination_log(file)) {
                fail(&what);
            }
            write_i32(exec, 0);
            if self.pid1 {
                read_i32(go);
                self.execute(exec);
            }
            let program = libc::fork();
            if program == 0 {
                read_i32(go);
                self.execute(exec);
            }
            libc::close(exec);
            loop {
                let mut status = 0;
                if libc::waitpid(-1, &raw mut status, 0) == program {
                    write_i32(result, status);
                    libc::_exit(0);
                }
            }
        }
    }

    /// Becomes the program; says why not on the pipe that the exec closes.
    unsafe fn execute(&self, exec: i32) -> ! {
        // SAFETY: the last act of a single-threaded process.
        unsafe {
            let argv: Vec<_> = self.argv.iter().map(|a| a.as_ptr()).chain([ptr::null()]).collect();
            let env: Vec<_> = self.env.iter().map(|e| e.as_ptr()).chain([ptr::null()]).collect();
            let mut limit: libc::rlimit = mem::zeroed();
            libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit);
            limit.rlim_cur = if self.core { limit.rlim_max } else { 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
            for (resource, limit) in &self.limits {
                if libc::setrlimit(*resource, limit) != 0 {
                    libc::_exit(fail(&last("setrlimit")));
                }
            }
            if let Some(path) = &self.terminal {
                pty::take(path);
            }
            if self.no_proc
                && let Err(what) = without_proc()
            {
                libc::_exit(fail(&what));
            }
            if let Some(Err(what)) = self.dev_tty.map(|state| dev_tty(state)) {
                libc::_exit(fail(&what));
            }
            for (fd, path) in &self.opened {
                let from = libc::open(path.as_ptr(), libc::O_RDONLY);
                if from != *fd {
                    libc::dup2(from, *fd);
                    libc::close(from);
                }
            }
            self.closed.iter().for_each(|fd| _ = libc::close(*fd));
            if let Some(mask) = self.umask {
                libc::umask(mask);
            }
            if let Some(uid) = self.uid {
                libc::setgroups(0, ptr::null());
                libc::setgid(uid);
                libc::setuid(uid);
            }
            for n in 1..=64 {
                disposition(n, self.ignored & bit(n) != 0);
            }
            set_mask(self.blocked);
            refuse::install(&self.refused);
            libc::execve(self.exec.as_ptr(), argv.as_ptr(), env.as_ptr());
            write_i32(exec, *libc::__errno_location());
            libc::_exit(127)
        }
    }
}

/// Descriptors that the test runner itself inherited are no business of the program under test.
fn close_all_but(kept: i32) {
    let Ok(list) = fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = list.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    // SAFETY: nothing here owns a descriptor beyond 2, but the list, which is gone.
    open.iter().filter(|&&fd| fd > 2 && fd != kept).for_each(|&fd| _ = unsafe { libc::close(fd) });
}

/// The one child of a process, once it is there.
fn only_child(pid: i32) -> i32 {
    super::until(std::time::Duration::from_secs(10), || super::facts::children(pid).first().copied())
        .unwrap_or(0)
}

fn pipe() -> (i32, i32) {
    let mut fds = [0; 2];
    // SAFETY: room for two descriptors.
    unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) };
    (fds[0], fds[1])
}

fn read_i32(fd: i32) -> Option<i32> {
    let mut bytes = [0; 4];
    // SAFETY: four bytes of room.
    (unsafe { libc::read(fd, bytes.as_mut_ptr().cast(), 4) } == 4).then(|| i32::from_ne_bytes(bytes))
}

fn write_i32(fd: i32, n: i32) {
    // SAFETY: four bytes.
    unsafe { libc::write(fd, n.to_ne_bytes().as_ptr().cast(), 4) };
}

fn fail(what: &str) -> i32 {
    jobs::say(2, &format!("test harness: {what}\n"));
    70
}
