//! What a worker works with, and what it does for all of its steps.

use super::found::Found;
use crate::output::log::Log;
use crate::sys::Clock;
use crate::threads::cancellation::{Cancellation, Woken};
use crate::threads::offload::Offload;
use lastout_core::spec::{Address, Spec};
use nix::poll::PollFlags;
use nix::sys::eventfd::EventFd;
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What a worker works with.
pub(super) struct Task {
    pub(super) spec: Arc<Spec>,
    pub(super) found: Arc<Found>,
    pub(super) cancellation: Arc<Cancellation>,
    pub(super) start: Clock,
    pub(super) log: Log,
    aside: Offload,
}

impl Task {
    /// The work on one sidecar.
    pub(super) fn new(
        spec: Arc<Spec>,
        found: Arc<Found>,
        cancellation: Arc<Cancellation>,
        start: Clock,
        log: Log,
    ) -> Self {
        Self { spec, found, cancellation, start, log, aside: Offload::default() }
    }

    /// Does what a file system may hold up. `Err`: it does not answer in time, or the workers were told to be quick or to give up.
    pub(super) fn aside<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Woken> {
        let wait =
            |done: &EventFd| match self.cancellation.wait_for(done.as_fd(), PollFlags::POLLIN, deadline) {
                Woken::Ready | Woken::Expedited => Ok(()),
                ended @ (Woken::Late | Woken::Cancelled) => Err(ended),
            };
        self.aside.run(&wait, work)?.ok_or(Woken::Late)
    }

    /// Whether this file is there, or why that cannot be seen.
    pub(super) fn is_there(&self, path: &[u8], deadline: Instant) -> Result<io::Result<bool>, Woken> {
        let path = PathBuf::from(OsStr::from_bytes(path));
        self.aside(deadline, move || match path.try_exists() {
            // Behind what is no folder there is surely nothing.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
            seen => seen,
        })
    }

    /// The candidate that was asked, where it is not the one that [`Address`] shows; all others where none accepted.
    pub(super) fn elsewhere(address: Option<&Address>, at: Option<SocketAddr>) -> String {
        let Some(Address::Tcp(all)) = address else { return String::new() };
        match at {
            Some(at) if all.first() == Some(&at) => String::new(),
            Some(at) => format!(" at {at}"),
            None => all.iter().skip(1).map(|at| format!(" and {at}")).collect(),
        }
    }

    /// A line about this sidecar for those who want to see every step.
    pub(super) fn debug(&self, text: impl FnOnce() -> String) {
        self.log.debug_about(&self.spec.name, || format!("{}: {}", self.spec.name, text()));
    }
}
