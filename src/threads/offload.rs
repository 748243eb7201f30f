//! What a file system may hold up for ever (a hung network or FUSE mount), done by a thread of its own: whoever wants it
//! waits no longer than he likes. Nothing can wake such a thread; it ends with the process.
//!
//! Not by channels: what the standard library makes of each kind of them is more than all of this.

use crate::sys::ThreadSignals;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::cell::{Cell, OnceCell};
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of its stack: it opens, writes or connects.
const STACK: usize = 64 * 1024;

type Work = Box<dyn FnOnce() + Send>;

/// One such thread, from the first time that it is wanted.
#[derive(Default)]
pub struct Offload {
    helper: OnceCell<Option<Helper>>,
    /// What was begun last has not ended.
    busy: Cell<bool>,
}

struct Helper {
    desk: Arc<Desk>,
    thread: JoinHandle<()>,
}

/// What the two of them share.
struct Desk {
    /// What is to be done next; when it is wanted and nothing is there, the thread ends.
    work: Mutex<Option<Work>>,
    wanted: EventFd,
    done: EventFd,
}

impl Offload {
    /// Does this aside, or here where no thread is to be had. `wait` waits until the descriptor is readable, or says why it
    /// does not. `None` never comes of work that ended.
    ///
    /// # Errors
    /// What `wait` says; the work may go on, and nothing else is begun before it has ended.
    pub fn run<T: Send + 'static, E>(
        &self,
        wait: &dyn Fn(&EventFd) -> Result<(), E>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, E> {
        let place = Arc::new(Mutex::new(None));
        let result = place.clone();
        let work = move || *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(work());
        self.finish(wait, Box::new(work))?;
        Ok(place.lock().unwrap_or_else(PoisonError::into_inner).take())
    }

    fn finish<E>(&self, wait: &dyn Fn(&EventFd) -> Result<(), E>, work: Work) -> Result<(), E> {
        let Some(helper) = self.helper.get_or_init(|| Helper::new().ok()) else {
            work();
            return Ok(());
        };
        let desk = &helper.desk;
        if self.busy.get() {
            self.rest(desk, wait)?;
        }
        desk.want(Some(work));
        self.busy.set(true);
        self.rest(desk, wait)
    }

    /// Waits until what was begun last has ended.
    fn rest<E>(&self, desk: &Desk, wait: &dyn Fn(&EventFd) -> Result<(), E>) -> Result<(), E> {
        wait(&desk.done)?;
        let _ = desk.done.read();
        self.busy.set(false);
        Ok(())
    }
}

impl Helper {
    fn new() -> io::Result<Self> {
        let event = |flags| EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | flags);
        let desk = Arc::new(Desk {
            work: Mutex::new(None),
            wanted: event(EfdFlags::empty())?,
            done: event(EfdFlags::EFD_NONBLOCK)?,
        });
        let own = desk.clone();
        let thread = ThreadSignals::spawn_another(STACK, Box::new(move || own.serve()))?;
        Ok(Self { desk, thread })
    }
}

impl Desk {
    fn want(&self, work: Option<Work>) {
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = work;
        let _ = self.wanted.write(1);
    }

    fn serve(&self) {
        loop {
            // All signals are blocked here; a debugger may still interrupt.
            if self.wanted.read().is_err() {
                continue;
            }
            let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(work) = work else { return };
            work();
            let _ = self.done.write(1);
        }
    }
}

impl Drop for Offload {
    fn drop(&mut self) {
        if let Some(Some(Helper { desk, thread })) = self.helper.take()
            && !self.busy.get()
        {
            desk.want(None);
            // It cannot have panicked: that would have ended us all (`panic = "abort"`).
            let _ = thread.join();
        }
    }
}

/// Does this aside for the main thread. `None` when the time was over first.
pub fn within<T: Send + 'static>(time: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _signals = ThreadSignals::new();
    let time = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    let wait = |done: &EventFd| {
        let mut fds = [PollFd::new(done.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, time) == Ok(1) { Ok(()) } else { Err(()) }
    };
    Offload::default().run(&wait, work).ok().flatten()
}
