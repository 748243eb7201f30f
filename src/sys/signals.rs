//! Signals by raw system calls with plain numbers: nix knows no real-time signal, and musl's wrappers refuse 32 to 34.

use super::check;
use lastout_core::machine::Pid;
use lastout_core::signal::Signal;
use std::ffi::{c_int, c_long};
use std::io;
use std::mem::MaybeUninit;
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

impl SignalMask {
    /// Puts everything back as it was found. Only system calls: for a child before `execve`.
    pub(super) fn restore(self) {
        if self.ignored_child {
            // SAFETY: `IGNORED` is no handler.
            unsafe { sigaction(libc::SIGCHLD, &IGNORED, &mut [0; 4]) };
        }
        set_mask(self.blocked);
    }
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
        let next = || next_signal(wanted, Some(Duration::ZERO), &mut MaybeUninit::zeroed()).copied();
        let pending: Vec<_> = std::iter::from_fn(next).collect();
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
        Self::spawn_another(stack, Box::new(work))
    }

    /// The same where another such thread is at work: as long as it is, the two signals are ignored.
    pub fn spawn_another(stack: usize, work: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
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
    let mut info = MaybeUninit::zeroed();
    let info = next_signal(u64::MAX, timeout, &mut info)?;
    let by_process = info.si_code <= 0;
    // SAFETY: with `si_code` at most 0 the sender's fields are set; else they are some other plain integer, which is
    // not used.
    let sender = if by_process { unsafe { info.si_pid() } } else { 0 };
    Some(Received { signal: Signal::new(info.si_signo)?, by_process, sender })
}

/// `rt_sigtimedwait` for the signals of this set. What is known of it stays where the kernel has put it: in `info`, which
/// holds zeros before.
fn next_signal(
    wanted: u64,
    timeout: Option<Duration>,
    info: &mut MaybeUninit<libc::siginfo_t>,
) -> Option<&libc::siginfo_t> {
    let timeout = timeout.map(|time| libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i32::MAX.into()),
        tv_nsec: c_long::from(time.subsec_nanos().cast_signed()),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the set is 8 bytes as told, `info` is writable and of the kernel's size, the timeout is null or lives
    // until the call returns.
    let number = unsafe {
        libc::syscall(libc::SYS_rt_sigtimedwait, &raw const wanted, info.as_mut_ptr(), timeout, MASK_BYTES)
    };
    // SAFETY: plain data, of zeros where the kernel has written nothing.
    (number > 0).then(|| unsafe { info.assume_init_ref() })
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

/// `prctl(PR_SET_PDEATHSIG)` with any signal, also one that nix does not know.
pub fn set_parent_death_signal(signal: Signal) -> io::Result<()> {
    // SAFETY: takes integers only.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::c_ulong::from(signal.number())) })
}
