//! What helper threads tell the main loop, and the way there.

use crate::sys;
use lastout_core::machine::Pid;
use lastout_core::stop::Verdict;
use std::sync::mpsc::Sender;

/// What a worker has found out about its sidecar.
#[derive(Clone, Debug)]
pub enum News {
    /// The gate need not wait for it any longer.
    Open {
        /// Optional, and taken as absent.
        absent: bool,
    },
    /// It has accepted a connection.
    Seen,
    /// What it said last, when that has changed.
    Said(String),
    /// The quit request was sent.
    Asked,
    /// Its stop is over.
    Done {
        /// How.
        verdict: Verdict,
        /// A stop signal had made it a matter of one try.
        hurried: bool,
    },
}

/// One message.
#[derive(Clone, Debug)]
pub enum Letter {
    /// About the sidecar with this index.
    Sidecar(usize, News),
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
pub struct Post {
    letters: Sender<Letter>,
    loop_thread: Pid,
}

impl Post {
    /// Letters go into this channel, and each wakes this thread.
    pub fn new(letters: Sender<Letter>, loop_thread: Pid) -> Self {
        Self { letters, loop_thread }
    }

    /// Sends a letter.
    pub fn send(&self, letter: Letter) {
        // Without a receiver we are on the way out.
        let _ = self.letters.send(letter);
        sys::wake(self.loop_thread);
    }
}
