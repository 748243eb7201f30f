//! Signals: TERM and INT end the server; the others that would end a program without a word are ignored with a line.

use super::log::{Level, Log};
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// TERM and INT.
#[derive(Debug)]
pub struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    /// From now on they no longer end the process by themselves.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The next of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// HUP, USR1 and USR2: certificates are read again without them, and there are no files of the log to open anew.
#[derive(Debug)]
pub struct Others {
    hangup: Signal,
    user1: Signal,
    user2: Signal,
}

impl Others {
    /// From now on they end nothing.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
        })
    }

    /// Ignores them.
    pub async fn ignore(mut self, log: Log) {
        loop {
            let name = tokio::select! {
                _ = self.hangup.recv() => "HUP",
                _ = self.user1.recv() => "USR1",
                _ = self.user2.recv() => "USR2",
            };
            log.line(Level::Info, "signal ignored", [("signal", name.into())]);
        }
    }
}
