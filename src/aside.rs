//! What a file system may hold up for ever (a hung network or FUSE mount), done by a thread of its own: whoever wants it
//! waits no longer than he likes. Nothing can wake such a thread; it ends with the process.

use crate::sys::ThreadSignals;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::cell::{Cell, RefCell};
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of its stack: it opens, writes or connects.
const STACK: usize = 64 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// One such thread, from the first time that it is wanted.
#[derive(Default)]
pub struct Aside {
    helper: RefCell<Option<Helper>>,
    /// What was begun last has not ended.
    busy: Cell<bool>,
}

struct Helper {
    jobs: Sender<Job>,
    done: Arc<EventFd>,
    thread: JoinHandle<()>,
}

impl Aside {
    /// Does this aside. `wait` waits until the descriptor is readable, or says why it does not. Without a thread to be had it
    /// is done here.
    ///
    /// # Errors
    /// What `wait` says; the work may go on, and nothing else is begun before it has ended.
    pub fn run<T: Send + 'static, E>(
        &self,
        wait: impl Fn(&EventFd) -> Result<(), E>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, E> {
        let mut helper = self.helper.borrow_mut();
        if helper.is_none() {
            *helper = Helper::new().ok();
        }
        let Some(helper) = helper.as_ref() else { return Ok(work()) };
        if self.busy.get() {
            self.end_of(helper, &wait)?;
        }
        let result = Arc::new(Mutex::new(None));
        let (place, done) = (result.clone(), helper.done.clone());
        let job = move || {
            let value = work();
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            let _ = done.write(1);
        };
        // The thread ends only when this end is dropped.
        let _ = helper.jobs.send(Box::new(job));
        self.busy.set(true);
        loop {
            self.end_of(helper, &wait)?;
            if let Some(value) = result.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Ok(value);
            }
        }
    }

    fn end_of<E>(&self, helper: &Helper, wait: impl Fn(&EventFd) -> Result<(), E>) -> Result<(), E> {
        wait(&helper.done)?;
        let _ = helper.done.read();
        self.busy.set(false);
        Ok(())
    }
}

impl Helper {
    fn new() -> io::Result<Self> {
        let done =
            Arc::new(EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let (jobs, work) = channel::<Job>();
        let thread = ThreadSignals::spawn_another(STACK, move || work.into_iter().for_each(|job| job()))?;
        Ok(Self { jobs, done, thread })
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(Helper { jobs, thread, .. }) = self.helper.take() {
            drop(jobs);
            if !self.busy.get() {
                // It cannot have panicked: that would have ended us all (`panic = "abort"`).
                let _ = thread.join();
            }
        }
    }
}

/// Does this in a thread of its own, for the main thread. `None` when the time was over first.
pub fn within<T: Send + 'static>(time: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let signals = ThreadSignals::new();
    let (sender, result) = channel();
    let thread = signals.spawn(STACK, move || {
        let _ = sender.send(work());
    });
    match thread {
        Ok(thread) => {
            let value = result.recv_timeout(time).ok()?;
            let _ = thread.join();
            Some(value)
        }
        Err(_) => None,
    }
}
