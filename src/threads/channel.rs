//! What helper threads tell the main loop, and the way there.

use crate::sys;
use lastout_core::machine::{Pid, SidecarId};
use lastout_core::stop::Verdict;
use lastout_core::tell::Said;
use std::sync::mpsc::Sender;

/// What a worker has found out about its sidecar.
#[derive(Clone, Debug)]
pub enum WorkerEvent {
    /// The gate need not wait for it any longer.
    Open {
        /// Optional, and taken as absent.
        absent: bool,
    },
    /// It has accepted a connection.
    Seen,
    /// What it said last, when that has changed.
    Said(Said),
    /// The quit request was sent.
    Asked,
    /// Its stop is over.
    Done {
        /// How.
        verdict: Verdict,
        /// A stop signal had made it a matter of one try.
        terminating: bool,
    },
}

/// One message.
#[derive(Clone, Debug)]
pub enum Message {
    /// About the sidecar with this index.
    Sidecar(SidecarId, WorkerEvent),
    /// The mains of the group that we guard are out.
    MainsOut {
        /// The names of the sidecars that the last of them has stopped.
        stopped: Vec<String>,
    },
    /// What keeps us from seeing the group.
    GroupTrouble(String),
}

/// The way from a helper thread to the main loop.
#[derive(Clone, Debug)]
pub struct MessageSender {
    messages: Sender<Message>,
    loop_thread: Pid,
}

impl MessageSender {
    /// Messages go into this channel, and each wakes this thread.
    pub fn new(messages: Sender<Message>, loop_thread: Pid) -> Self {
        Self { messages, loop_thread }
    }

    /// Sends a message.
    pub fn send(&self, message: Message) {
        // Without a receiver we are on the way out.
        let _ = self.messages.send(message);
        sys::wake(self.loop_thread);
    }
}
