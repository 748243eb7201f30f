//! The only file with `unsafe`: one wrapper for each raw call, for what nix lacks or gets wrong.
//!
//! Signals are raw system calls with plain numbers: nix knows no real-time signal (its `waitpid` reaps a
//! child that one of them killed and then reports `EINVAL`), and musl's wrappers refuse 32 to 34.

#![expect(unsafe_code, reason = "this is the one address of it")]

use lastout_core::machine::Pid;
use lastout_core::outcome::Ended;
use lastout_core::signal::Signal;
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::io;
use std::os::fd::RawFd;
use std::thread::JoinHandle;
use std::time::Duration;

/// How we found the signals, and how main is to find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalMask {
    /// Blocked ones as the kernel has them: bit n-1 for signal n.
    blocked: u64,
    /// CHLD was ignored. The one disposition that we change.
    ignored_child: bool,
}

/// Size of the kernel's signal set, which is not that of libc's `sigset_t`.
const MASK_BYTES: usize = 8;

/// `rt_sigprocmask(SIG_SETMASK, everything)`: blocks every signal of this thread and gives back what was
/// blocked before. The synchronous faults are blocked, too, so that one sent by a process can be received:
/// a fault of our own kills us all the same, the kernel resets a blocked one to its default action.
pub fn block_all_signals() -> SignalMask {
    SignalMask { blocked: set_mask(u64::MAX), ignored_child: stop_ignoring_children() }
}

/// `rt_sigprocmask(SIG_SETMASK, …)`.
fn set_mask(mask: u64) -> u64 {
    let mut old = 0_u64;
    // SAFETY: both point to 8 bytes, the size that is told; the call writes only to `old`.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut old, MASK_BYTES)
    };
    old
}

/// `rt_sigaction(CHLD)`: the default action; true when it was ignored. Where CHLD is ignored (a shell's
/// `trap '' CHLD` outlives `execve`) the kernel reaps by itself, and nobody learns how main ended.
fn stop_ignoring_children() -> bool {
    let mut old: KernelAction = [0; 4];
    // SAFETY: see `KernelAction`; a default action holds no pointer.
    unsafe { sigaction(libc::SIGCHLD, &[0; 4], &mut old) };
    old.first() == IGNORED.first()
}

/// The kernel's `struct sigaction`, or more than it: handler, flags, restorer, mask. Raw, as musl refuses 32 to 34.
type KernelAction = [usize; 4];
/// `SIG_IGN`, as it comes out of `execve`: without flags.
const IGNORED: KernelAction = [libc::SIG_IGN, 0, 0, 0];

/// `rt_sigaction`.
///
/// # Safety
/// The new action must be the default one or `IGNORED`: no handler.
unsafe fn sigaction(number: c_int, new: &KernelAction, old: &mut KernelAction) {
    // SAFETY: both are at least the kernel's structure, which is four words at most.
    unsafe { libc::syscall(libc::SYS_rt_sigaction, number, new.as_ptr(), old.as_mut_ptr(), MASK_BYTES) };
}

/// The two signals that musl keeps for its threads (SIGCANCEL, SIGSYNCCALL). The first `pthread_create` unblocks
/// both in its caller, and every new thread begins with 33 unblocked: whoever then sends one would kill us.
const THREAD_SIGNALS: [c_int; 2] = [33, 34];

/// While this lives there may be threads. Blocked, the two signals are received as ever; in the moments in which they
/// are not, they are ignored. Dropped, they are as we found them: main inherits that.
#[derive(Debug)]
pub struct ThreadSignals([KernelAction; 2]);

impl ThreadSignals {
    /// To be had before the first thread.
    pub fn new() -> Self {
        // What is pending would be flushed.
        let wanted = THREAD_SIGNALS.iter().fold(0, |set, signal| set | 1 << (signal - 1));
        let pending: Vec<_> = std::iter::from_fn(|| next_signal(wanted, Some(Duration::ZERO))).collect();
        let mut found = [[0; 4]; 2];
        for (signal, old) in THREAD_SIGNALS.into_iter().zip(&mut found) {
            // SAFETY: `IGNORED` is no handler.
            unsafe { sigaction(signal, &IGNORED, old) };
        }
        for info in pending {
            // SAFETY: the very structure that the kernel gave us; to ourselves it may be sent as it is.
            unsafe {
                libc::syscall(libc::SYS_rt_sigqueueinfo, libc::getpid(), info.si_signo, &raw const info)
            };
        }
        Self(found)
    }

    /// Starts a thread that has every signal blocked, as we have again when this returns.
    pub fn spawn(&self, stack: usize, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        let work = move || {
            set_mask(u64::MAX);
            work();
        };
        let thread = std::thread::Builder::new().stack_size(stack).spawn(work);
        set_mask(u64::MAX);
        thread
    }
}

impl Drop for ThreadSignals {
    fn drop(&mut self) {
        for (signal, found) in THREAD_SIGNALS.into_iter().zip(&self.0) {
            // SAFETY: what was found: we have installed no handler, and none survives `execve`.
            unsafe { sigaction(signal, found, &mut [0; 4]) };
        }
    }
}

/// A signal that was received.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Its number.
    pub signal: Signal,
    /// True when a process sent it, false when the kernel raised it by itself.
    pub by_process: bool,
    /// Who sent it (0: somebody outside our process name space, or the kernel).
    pub sender: Pid,
}

/// `rt_sigtimedwait`: takes the next pending signal, waiting for one until the timeout (`None`: for ever).
/// `None` when the time is over or the wait was interrupted.
///
/// One system call, no descriptor: it works where `signalfd` is refused, costs nothing while idle, and a
/// worker wakes the loop by [`wake`].
pub fn wait_signal(timeout: Option<Duration>) -> Option<Received> {
    let info = next_signal(u64::MAX, timeout)?;
    let by_process = info.si_code <= 0;
    // SAFETY: with `si_code` at most 0 the sender's fields are set; else they are some other plain integer, which is
    // not used.
    let sender = if by_process { unsafe { info.si_pid() } } else { 0 };
    Some(Received { signal: Signal::new(info.si_signo)?, by_process, sender })
}

/// `rt_sigtimedwait` for the signals of this set.
fn next_signal(wanted: u64, timeout: Option<Duration>) -> Option<libc::siginfo_t> {
    let timeout = timeout.map(|time| libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i32::MAX.into()),
        tv_nsec: c_long::from(time.subsec_nanos().cast_signed()),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: `siginfo_t` is plain data, for which zeros are a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is 8 bytes as told, `info` is writable and of the kernel's size, the timeout is null or lives
    // until the call returns.
    let number = unsafe {
        libc::syscall(libc::SYS_rt_sigtimedwait, &raw const wanted, &raw mut info, timeout, MASK_BYTES)
    };
    (number > 0).then_some(info)
}

/// `gettid`.
pub fn thread_id() -> Pid {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::gettid() }
}

/// `tgkill(own process, thread, CHLD)`: wakes the thread out of [`wait_signal`]. CHLD, since that is the
/// signal which is never forwarded and after which the loop looks round anyway.
pub fn wake(thread: Pid) {
    // SAFETY: takes integers only.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGCHLD) };
}

/// `kill`. A negative pid is a process group.
pub fn kill(pid: Pid, signal: Signal) -> io::Result<()> {
    // SAFETY: takes integers only.
    check(unsafe { libc::kill(pid, signal.number().into()) })
}

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
const CHILD_STACK: usize = 8 * 1024;

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
        if child.mask.ignored_child {
            sigaction(libc::SIGCHLD, &IGNORED, &mut [0; 4]);
        }
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const child.mask.blocked,
            std::ptr::null_mut::<u64>(),
            MASK_BYTES,
        );
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

/// `environ`: every entry as it is, odd ones included.
pub fn environment() -> Vec<&'static CStr> {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: nobody in this program changes the environment, so that it is what the kernel put there.
    unsafe { c_strings(environ) }
}

/// The arguments that `main` got, its own name first.
///
/// # Safety
/// `args` must be what the C library passes to `main`.
pub unsafe fn arguments(args: *const *const c_char) -> Vec<&'static CStr> {
    // SAFETY: a null-terminated list of C strings that live as long as the process.
    unsafe { c_strings(args) }
}

/// # Safety
/// `list` must be null, or a null-terminated list of C strings that live, unchanged, as long as the process.
unsafe fn c_strings(list: *const *const c_char) -> Vec<&'static CStr> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the null that ends the list is not passed.
    let count = (0..).take_while(|&index| unsafe { !(*list.add(index)).is_null() }).count();
    // SAFETY: each is a C string that lives as long as the process.
    (0..count).map(|index| unsafe { CStr::from_ptr(*list.add(index)) }).collect()
}

/// Closes every descriptor from `first` on but those that are kept, by `close_range`, or one by one where that
/// is refused.
pub fn close_from(first: RawFd, keep: &[RawFd]) -> io::Result<()> {
    let mut keep: Vec<RawFd> = keep.iter().copied().filter(|fd| *fd >= first).collect();
    keep.sort_unstable();
    let mut from = first;
    for fd in keep {
        close_range(from, fd - 1)?;
        from = fd + 1;
    }
    close_range(from, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: takes integers only; the caller uses nothing that is open in that range.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        return Ok(());
    }
    // Linux before 5.9, gVisor, seccomp. The list first, and its folder closed: std panics when it finds that
    // somebody else has closed it.
    let name =
        |entry: std::fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok());
    let open: Vec<RawFd> = std::fs::read_dir("/proc/self/fd")?.flatten().filter_map(name).collect();
    for fd in open.into_iter().filter(|fd| (first..=last).contains(fd)) {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

/// `madvise(MADV_DONTNEED)` on our own code and constants: the pages of our file that starting took are not needed
/// while main runs, and come back from the page cache one by one.
pub fn give_back_pages() {
    // SAFETY: takes an integer.
    let (headers, count) = unsafe { (libc::getauxval(libc::AT_PHDR), libc::getauxval(libc::AT_PHNUM)) };
    let headers = headers as *const libc::Elf64_Phdr;
    for index in 0..count as usize {
        // SAFETY: the kernel has told where our program headers are, and how many.
        let header = unsafe { &*headers.add(index) };
        if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0 {
            // SAFETY: clean pages of a private mapping of a file; touched again, they are read again.
            unsafe {
                libc::madvise(header.p_vaddr as *mut c_void, header.p_memsz as usize, libc::MADV_DONTNEED)
            };
        }
    }
}

/// `nanosleep`, for the few milliseconds before a retry.
pub fn pause(time: Duration) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: c_long::from(time.subsec_nanos().cast_signed()) };
    // SAFETY: the request lives until the call returns; the rest is not asked for.
    unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
}

/// `fcntl(F_GETFD)`: true when this descriptor is open.
pub fn is_open(fd: RawFd) -> bool {
    // SAFETY: takes integers only.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// `open("/dev/null", O_RDWR | O_CLOEXEC)` on the lowest free descriptor, which stays open.
pub fn occupy_lowest_descriptor() {
    // SAFETY: a C string; a failure leaves things as they were.
    unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
}

/// `prctl(PR_SET_PDEATHSIG)` with any signal, also one that nix does not know.
pub fn set_parent_death_signal(signal: Signal) -> io::Result<()> {
    // SAFETY: takes integers only.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::c_ulong::from(signal.number())) })
}

/// Dies of this signal as by its default action, if that is how it acts; returns when it does not.
pub fn die_of(signal: Signal) {
    let number: c_int = signal.number().into();
    // SAFETY: the default action; the rest takes integers only.
    unsafe {
        sigaction(number, &[0; 4], &mut [0; 4]);
        libc::kill(libc::getpid(), number);
    }
    set_mask(!(1 << (signal.number() - 1)));
}

/// Stops this process by a signal of the terminal, as if it had not been blocked; returns when it was
/// continued, or at once when the kernel did not stop it (nobody could continue an orphaned group). STOP would
/// stop it even there, for ever if only main is continued, so TSTP stands for it.
pub fn stop_self(signal: Signal) {
    let signal = if signal.is_uncatchable() { Signal::TSTP } else { signal };
    // SAFETY: takes integers only.
    unsafe { libc::kill(libc::getpid(), signal.number().into()) };
    // Unblocked for a moment it acts; its disposition is the one that we inherited.
    let old = set_mask(!(1 << (signal.number() - 1)));
    set_mask(old);
}

/// `_exit`: no destructors, no atexit; what is to be written has been written.
pub fn exit(code: u8) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code.into()) }
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
