//! The sidecars: helper threads that carry out what `lastout_core::gate` and `lastout_core::stop` decide. They
//! exist only while waiting or stopping, have all signals blocked, wait for nothing
//! without a deadline, and tell what they find by [`MessageSender`].

mod connect;
mod found;
#[cfg(fuzzing)]
pub mod fuzzed;
mod http;
mod look;
mod probe;
mod stop;
mod task;

use crate::output::log::Log;
use crate::sys::{Clock, ThreadSignals};
use crate::threads::cancellation::Cancellation;
use crate::threads::channel::{Message, MessageSender, WorkerEvent};
pub use found::Found;
use lastout_core::machine::SidecarId;
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
    messages: MessageSender,
    start: Clock,
    log: Log,
    cancellation: Arc<Cancellation>,
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
    pub fn new(messages: MessageSender, start: Clock, log: Log) -> io::Result<Self> {
        Ok(Self {
            messages,
            start,
            log,
            cancellation: Arc::new(Cancellation::new()?),
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
        id: SidecarId,
        spec: &Arc<Spec>,
        found: &Arc<Found>,
        absent_after: Duration,
    ) -> io::Result<()> {
        let (task, messages) = (self.task(spec, found), self.messages.clone());
        self.spawn(move || {
            probe::until_ready(&task, absent_after, |event: WorkerEvent| {
                messages.send(Message::Sidecar(id, event))
            })
        })
    }

    /// Stops this sidecar under these terms.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn stop(
        &mut self,
        id: SidecarId,
        spec: &Arc<Spec>,
        found: &Arc<Found>,
        terms: Terms,
    ) -> io::Result<()> {
        let (task, messages) = (self.task(spec, found), self.messages.clone());
        self.spawn(move || {
            stop::until_done(&task, terms, true, move |event: WorkerEvent| {
                messages.send(Message::Sidecar(id, event))
            })
        })
    }

    /// Stops this sidecar on the spot, without a thread.
    pub fn stop_here(&self, id: SidecarId, spec: &Arc<Spec>, found: &Arc<Found>, terms: Terms) {
        let messages = self.messages.clone();
        let task = self.task(spec, found);
        stop::until_done(&task, terms, false, move |event: WorkerEvent| {
            messages.send(Message::Sidecar(id, event))
        });
    }

    fn task(&self, spec: &Arc<Spec>, found: &Arc<Found>) -> Task {
        Task::new(spec.clone(), found.clone(), self.cancellation.clone(), self.start, self.log)
    }

    /// A stop signal has come; or, at the gate, the wait is over: each probes once more.
    pub fn expedite(&self) {
        self.cancellation.expedite();
    }

    /// Ends all of them and waits until they are gone: none is there when main is spawned. (What a file system holds up is
    /// done aside, and nobody waits for that.)
    pub fn end(self) {
        self.cancellation.cancel();
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
