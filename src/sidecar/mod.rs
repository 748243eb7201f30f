//! The sidecars: helper threads that carry out what `lastout_core::gate` and `lastout_core::stop` decide. They
//! exist only while waiting or stopping, have all signals blocked, wait for nothing
//! without a deadline, and tell what they find by [`Post`].

mod bell;
mod connect;
mod found;
mod http;
mod look;
mod probe;
mod stop;

use crate::aside::Aside;
use crate::log::Log;
use crate::post::{Letter, News, Post};
use crate::sys::{Clock, ThreadSignals};
use bell::{Bells, Woken};
pub use found::Found;
use lastout_core::spec::{Address, Spec};
use lastout_core::stop::Terms;
use nix::poll::PollFlags;
use nix::sys::eventfd::EventFd;
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The threads of one gate, or of one stop.
#[derive(Debug)]
pub struct Workers {
    post: Post,
    start: Clock,
    log: Log,
    bells: Arc<Bells>,
    threads: Vec<JoinHandle<()>>,
    signals: ThreadSignals,
}

/// What a worker works with.
struct Task {
    spec: Arc<Spec>,
    found: Arc<Found>,
    bells: Arc<Bells>,
    start: Clock,
    log: Log,
    aside: Aside,
}

impl Task {
    /// Does what a file system may hold up.
    fn aside<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Woken> {
        let wait = |done: &EventFd| match self.bells.wait_for(done.as_fd(), PollFlags::POLLIN, deadline) {
            Woken::Ready | Woken::Hurried => Ok(()),
            ended @ (Woken::Late | Woken::Cancelled) => Err(ended),
        };
        self.aside.run(&wait, work)?.ok_or(Woken::Late)
    }

    /// Whether this file is there. `None`: its file system does not answer.
    fn is_there(&self, path: &[u8], deadline: Instant) -> Result<bool, Woken> {
        let path = PathBuf::from(OsStr::from_bytes(path));
        self.aside(deadline, move || path.exists())
    }

    /// The candidate that was asked, where it is not the one that [`Address`] shows; all others where none accepted.
    fn elsewhere(address: Option<&Address>, at: Option<SocketAddr>) -> String {
        let Some(Address::Tcp(all)) = address else { return String::new() };
        match at {
            Some(at) if all.first() == Some(&at) => String::new(),
            Some(at) => format!(" at {at}"),
            None => all.iter().skip(1).map(|at| format!(" and {at}")).collect(),
        }
    }

    /// A line about this sidecar for those who want to see every step.
    fn debug(&self, text: impl FnOnce() -> String) {
        self.log.debug_about(&self.spec.name, || format!("{}: {}", self.spec.name, text()));
    }
}

/// Bytes of a worker's stack; the deepest path (ureq's) was measured to need less than half.
const STACK: usize = 128 * 1024;

impl Workers {
    /// No worker yet. `start` is the moment from which all durations count.
    ///
    /// # Errors
    /// When the kernel has no more descriptors for us.
    pub fn new(post: Post, start: Clock, log: Log) -> io::Result<Self> {
        Ok(Self {
            post,
            start,
            log,
            bells: Arc::new(Bells::new()?),
            threads: Vec::new(),
            signals: ThreadSignals::new(),
        })
    }

    /// Probes this sidecar until it is ready or taken as absent.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn probe(
        &mut self,
        index: usize,
        spec: &Arc<Spec>,
        found: &Arc<Found>,
        absent_after: Duration,
    ) -> io::Result<()> {
        let (task, post) = (self.task(spec, found), self.post.clone());
        self.spawn(move || {
            probe::until_ready(&task, absent_after, |news: News| post.send(Letter::Sidecar(index, news)))
        })
    }

    /// Stops this sidecar under these terms.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn stop(
        &mut self,
        index: usize,
        spec: &Arc<Spec>,
        found: &Arc<Found>,
        terms: Terms,
    ) -> io::Result<()> {
        let (task, post) = (self.task(spec, found), self.post.clone());
        self.spawn(move || {
            stop::until_done(&task, terms, true, move |news: News| post.send(Letter::Sidecar(index, news)))
        })
    }

    /// Stops this sidecar on the spot, without a thread.
    pub fn stop_here(&self, index: usize, spec: &Arc<Spec>, found: &Arc<Found>, terms: Terms) {
        let post = self.post.clone();
        let task = self.task(spec, found);
        stop::until_done(&task, terms, false, move |news: News| post.send(Letter::Sidecar(index, news)));
    }

    fn task(&self, spec: &Arc<Spec>, found: &Arc<Found>) -> Task {
        Task {
            spec: spec.clone(),
            found: found.clone(),
            bells: self.bells.clone(),
            start: self.start,
            log: self.log,
            aside: Aside::default(),
        }
    }

    /// A stop signal has come; or, at the gate, the wait is over: each probes once more.
    pub fn hurry(&self) {
        self.bells.hurry();
    }

    /// Ends all of them and waits until they are gone: none is there when main is spawned. (What a file system holds up is
    /// done aside, and nobody waits for that.)
    pub fn end(self) {
        self.bells.cancel();
        for thread in self.threads {
            // It cannot have panicked: that would have ended us all (`panic = "abort"`).
            let _ = thread.join();
        }
    }

    fn spawn(&mut self, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(self.signals.spawn(STACK, work)?);
        Ok(())
    }
}
