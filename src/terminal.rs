//! The controlling terminal and its foreground group.

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// The controlling terminal, if we have one.
#[derive(Debug)]
pub struct Terminal(OwnedFd);

impl Terminal {
    /// Opens it. `None` when there is none: most containers.
    pub fn open() -> Option<Self> {
        open("/dev/tty", OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOCTTY, Mode::empty()).ok().map(Self)
    }

    /// Opens it when our own process group is its foreground: only then is it ours to hand over.
    pub fn open_if_ours() -> Option<Self> {
        Self::open().filter(|terminal| tcgetpgrp(&terminal.0) == Ok(getpgrp()))
    }

    /// Its descriptor.
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Makes this group its foreground. TTOU, which a background process gets for that, is blocked.
    pub fn give_to(&self, group: i32) {
        // Without effect when the group has gone, or the terminal has been hung up.
        let _ = tcsetpgrp(&self.0, Pid::from_raw(group));
    }

    /// Makes our own group its foreground again: who took it has not come to life.
    pub fn take_back(&self) {
        self.give_to(getpgrp().as_raw());
    }

    /// Makes our own group its foreground again, if it is still that group's.
    pub fn take_back_from(&self, group: i32) {
        if tcgetpgrp(&self.0) == Ok(Pid::from_raw(group)) {
            self.take_back();
        }
    }
}
