//! How the main thread reaches its workers: two event descriptors that every wait of theirs listens to. What was signalled
//! once stays signalled.

use lastout_core::stop::WHILE_TERMINATING;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How one set of workers is told to be quick, or to give up.
#[derive(Debug)]
pub struct Cancellation {
    cancel: EventFd,
    cancelled: AtomicBool,
    expedite: EventFd,
    /// When they were told to be quick.
    expedited_at: OnceLock<Instant>,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The descriptor that was waited for is ready.
    Ready,
    /// The time is over.
    Late,
    /// Be quick.
    Expedited,
    /// Give up at once.
    Cancelled,
}

impl Cancellation {
    /// Nothing is signalled yet.
    ///
    /// # Errors
    /// When the kernel has no more descriptors for us.
    pub fn new() -> io::Result<Self> {
        let event = || EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        Ok(Self {
            cancel: event()?,
            cancelled: AtomicBool::new(false),
            expedite: event()?,
            expedited_at: OnceLock::new(),
        })
    }

    /// Every worker gives up at its next or present wait.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        // A full counter is readable as well.
        let _ = self.cancel.write(1);
    }

    /// Every worker that listens for it is woken once.
    pub fn expedite(&self) {
        let _ = self.expedited_at.set(Instant::now());
        let _ = self.expedite.write(1);
    }

    /// How long ago that was.
    pub fn expedited_for(&self) -> Option<Duration> {
        self.expedited_at.get().map(Instant::elapsed)
    }

    /// They are to give up. For reads that never come to wait, as the peer never rests.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Waits for a descriptor of a connection. A request that is out when the workers are told to be quick is given what every
    /// sidecar is given then.
    pub fn wait_for(&self, fd: BorrowedFd<'_>, flags: PollFlags, deadline: Instant) -> Woken {
        let cancel = PollFd::new(self.cancel.as_fd(), PollFlags::POLLIN);
        let fd = PollFd::new(fd, flags);
        let until = |expedited_at: &Instant| deadline.min(*expedited_at + WHILE_TERMINATING);
        if self.expedited_at.get().is_none() {
            let expedite = PollFd::new(self.expedite.as_fd(), PollFlags::POLLIN);
            let mut fds = [cancel.clone(), fd.clone(), expedite];
            let woken = self.wait(&mut fds, deadline);
            if woken != Woken::Ready || is_signalled(&fds[1]) {
                return woken;
            }
        }
        self.wait(&mut [cancel, fd], self.expedited_at.get().map_or(deadline, until))
    }

    /// Waits for the time to pass; `expedited`: the worker knows already that it is to be quick.
    pub fn pause(&self, time: Duration, expedited: bool) -> Woken {
        let deadline = Instant::now() + time;
        let cancel = PollFd::new(self.cancel.as_fd(), PollFlags::POLLIN);
        if expedited {
            return self.wait(&mut [cancel], deadline);
        }
        let expedite = PollFd::new(self.expedite.as_fd(), PollFlags::POLLIN);
        match self.wait(&mut [cancel, expedite], deadline) {
            Woken::Ready => Woken::Expedited,
            other => other,
        }
    }

    /// The first of the descriptors is the one that cancels.
    fn wait(&self, fds: &mut [PollFd<'_>], deadline: Instant) -> Woken {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match ppoll(fds, Some(TimeSpec::from(left)), None) {
                Ok(0) => return Woken::Late,
                Ok(_) => {
                    let cancelled = fds.first().is_some_and(is_signalled);
                    return if cancelled { Woken::Cancelled } else { Woken::Ready };
                }
                // All signals are blocked in workers, but a debugger or a stop can still interrupt.
                Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return Woken::Late,
            }
        }
    }
}

fn is_signalled(fd: &PollFd<'_>) -> bool {
    fd.revents().is_some_and(|events| !events.is_empty())
}
