//! Looks at one sidecar: at its ports, and for what proves its end where that is elsewhere.

use super::connect::{ConnectError, Connection};
use super::found::{Found, candidates};
use super::task::Task;
use crate::process::procfs;
use crate::threads::cancellation::Woken;
use lastout_core::machine::Pid;
use lastout_core::spec::{Address, Proof};
use lastout_core::stop::{Port, Sight};
use std::time::{Duration, Instant};

/// How long a look may take: on loopback a port answers at once, or its queue is full.
const LOOK: Duration = Duration::from_millis(20);

/// Looks at the quit port, and at the ready port where it is another one. `None`: cancelled.
pub(super) fn at_ports(task: &Task, left: Duration) -> Option<(Port, Option<Port>)> {
    let deadline = Instant::now() + LOOK.min(task.spec.timeout).min(left);
    let port = |address| at_port(task, &task.found, address, deadline);
    Some(match (task.spec.quit.address(), task.spec.ready.address()) {
        (Some(quit), Some(ready)) if quit != ready => {
            let (quit, at_ready) = (port(quit)?, port(ready)?);
            // It was found at the one and never at the other, whose silence is then no sign of life.
            let stranger = at_ready == Port::Silent && task.found.is_elsewhere(ready);
            (quit, Some(if stranger { Port::Refuses } else { at_ready }))
        }
        (Some(only), _) | (None, Some(only)) => (port(only)?, None),
        (None, None) => (Port::Refuses, None),
    })
}

fn at_port(task: &Task, found: &Found, address: &Address, deadline: Instant) -> Option<Port> {
    let candidates = candidates(address, |all| found.to_look(all));
    match Connection::open(task, address, &candidates, deadline) {
        Ok(_) => Some(Port::Accepts),
        Err(ConnectError::Silent | ConnectError::Failed(_)) => Some(Port::Silent),
        Err(ConnectError::Refused) => Some(Port::Refuses),
        Err(ConnectError::Cancelled) => None,
    }
}

/// Looks for the proof of its end that the spec names.
#[derive(Debug, Default)]
pub(super) struct Proving {
    /// The processes whose end is the proof, as far as they were seen and may still run.
    processes: Vec<Pid>,
    /// There was one when the sidecar was asked: else their absence proves nothing.
    had_process: bool,
    /// Where somebody listened at the address that is the proof, when the sidecar was asked.
    found: Found,
}

impl Proving {
    /// It is asked, or signalled, now.
    pub(super) fn asking(&mut self, task: &Task) {
        match &task.spec.gone {
            Proof::NoProcess(name) => {
                self.processes = procfs::running(name);
                self.had_process |= !self.processes.is_empty();
            }
            // A unix socket has no candidates.
            Proof::Refuses(Address::Unix(_)) => {}
            Proof::Refuses(address @ Address::Tcp(_)) => {
                let all = candidates(address, |all| self.found.to_ask(all));
                if let Ok(connection) = Connection::open(task, address, &all, Instant::now() + LOOK)
                    && let Some(at) = connection.at()
                {
                    self.found.note(at);
                }
            }
            Proof::PortsRefuse | Proof::Accepted | Proof::FileThere(_) | Proof::FileAway(_) => {}
        }
    }

    /// Whether the proof is to be seen now. `None`: cancelled.
    pub(super) fn look(&mut self, task: &Task, left: Duration) -> Option<Sight> {
        let is_there = |path: &[u8]| task.is_there(path, Instant::now() + task.spec.timeout.min(left));
        let given = match &task.spec.gone {
            Proof::PortsRefuse | Proof::Accepted => at_ports(task, left)?.0 == Port::Refuses,
            Proof::Refuses(address) => {
                at_port(task, &self.found, address, Instant::now() + LOOK.min(left))? == Port::Refuses
            }
            Proof::FileThere(path) | Proof::FileAway(path) => match is_there(path) {
                Ok(Ok(there)) => there == matches!(task.spec.gone, Proof::FileThere(_)),
                Err(Woken::Cancelled) => return None,
                // What cannot be looked at, or whose file system does not answer, proves nothing.
                Ok(Err(_)) | Err(Woken::Ready | Woken::Late | Woken::Expedited) => false,
            },
            Proof::NoProcess(_) if !self.had_process => return Some(Sight::Impossible),
            Proof::NoProcess(name) => {
                // All of `/proc` only when those that are known have ended.
                self.processes.retain(|pid| procfs::is_running(*pid, name));
                if self.processes.is_empty() {
                    self.processes = procfs::running(name);
                }
                self.processes.is_empty()
            }
        };
        Some(if given { Sight::Given } else { Sight::Missing })
    }
}

/// What was seen at the ports, in words.
pub(super) fn in_words(quit: Port, ready: Option<Port>) -> String {
    let does = |port| match port {
        Port::Accepts => "accepts",
        Port::Refuses => "refuses",
        Port::Silent => "is silent",
    };
    match ready {
        Some(ready) => format!("the quit port {}, the ready port {}", does(quit), does(ready)),
        None => format!("the port {}", does(quit)),
    }
}

/// The same of a proof.
pub(super) fn proof_in_words(sight: Sight) -> &'static str {
    match sight {
        Sight::Given => "is given",
        Sight::Missing => "is not given yet",
        Sight::Impossible => "cannot be given",
    }
}
