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
mod task;

use crate::log::Log;
use crate::post::{Letter, News, Post};
use crate::sys::{Clock, ThreadSignals};
use bell::Bells;
pub use found::Found;
use lastout_core::spec::Spec;
use lastout_core::stop::Terms;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use task::Task;

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
        Task::new(spec.clone(), found.clone(), self.bells.clone(), self.start, self.log)
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
