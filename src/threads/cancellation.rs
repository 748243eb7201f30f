//! How the main thread reaches its workers: two cancellation that every wait of theirs listens to. A bell that
//! was rung stays rung.

use lastout_core::stop::HURRIED;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The cancellation of one set of workers.
#[derive(Debug)]
pub struct Cancellation {
    cancel: EventFd,
    cancelled: AtomicBool,
    hurry: EventFd,
    /// When the hurry bell was rung.
    hurried_at: OnceLock<Instant>,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The descriptor that was waited for is ready.
    Ready,
    /// The time is over.
    Late,
    /// The other bell: be quick.
    Hurried,
    /// Give up at once.
    Cancelled,
}

impl Cancellation {
    /// Two silent cancellation.
    ///
    /// # Errors
    /// When the kernel has no more descriptors for us.
    pub fn new() -> io::Result<Self> {
        let bell = || EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        Ok(Self {
            cancel: bell()?,
            cancelled: AtomicBool::new(false),
            hurry: bell()?,
            hurried_at: OnceLock::new(),
        })
    }

    /// Every worker gives up at its next or present wait.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        // A full counter is a rung bell as well.
        let _ = self.cancel.write(1);
    }

    /// Every worker that listens for it is woken once.
    pub fn hurry(&self) {
        let _ = self.hurried_at.set(Instant::now());
        let _ = self.hurry.write(1);
    }

    /// How long ago that was.
    pub fn hurried_for(&self) -> Option<Duration> {
        self.hurried_at.get().map(Instant::elapsed)
    }

    /// The cancel bell was rung. For reads that never come to wait, as the peer never rests.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Waits for a descriptor of a connection. A request that is out when the hurry bell rings is given what every
    /// sidecar is given then.
    pub fn wait_for(&self, fd: BorrowedFd<'_>, flags: PollFlags, deadline: Instant) -> Woken {
        let cancel = PollFd::new(self.cancel.as_fd(), PollFlags::POLLIN);
        let fd = PollFd::new(fd, flags);
        let until = |hurried_at: &Instant| deadline.min(*hurried_at + HURRIED);
        if self.hurried_at.get().is_none() {
            let hurry = PollFd::new(self.hurry.as_fd(), PollFlags::POLLIN);
            let mut fds = [cancel.clone(), fd.clone(), hurry];
            let woken = self.wait(&mut fds, deadline);
            if woken != Woken::Ready || is_rung(&fds[1]) {
                return woken;
            }
        }
        self.wait(&mut [cancel, fd], self.hurried_at.get().map_or(deadline, until))
    }

    /// Waits for the time to pass; `hurried`: that bell has been heard already.
    pub fn pause(&self, time: Duration, hurried: bool) -> Woken {
        let deadline = Instant::now() + time;
        let cancel = PollFd::new(self.cancel.as_fd(), PollFlags::POLLIN);
        if hurried {
            return self.wait(&mut [cancel], deadline);
        }
        let hurry = PollFd::new(self.hurry.as_fd(), PollFlags::POLLIN);
        match self.wait(&mut [cancel, hurry], deadline) {
            Woken::Ready => Woken::Hurried,
            other => other,
        }
    }

    /// The first of the descriptors is the bell that cancels.
    fn wait(&self, fds: &mut [PollFd<'_>], deadline: Instant) -> Woken {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match ppoll(fds, Some(TimeSpec::from(left)), None) {
                Ok(0) => return Woken::Late,
                Ok(_) => {
                    return match fds.first().is_some_and(is_rung) {
                        true => Woken::Cancelled,
                        false => Woken::Ready,
                    };
                }
                // All signals are blocked in workers, but a debugger or a stop can still interrupt.
                Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return Woken::Late,
            }
        }
    }
}

fn is_rung(fd: &PollFd<'_>) -> bool {
    fd.revents().is_some_and(|events| !events.is_empty())
}
