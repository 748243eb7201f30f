//! The controlling terminal, its foreground group, and the process group that main is in because of it.

use crate::process::procfs;
use crate::sys;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// The process group that main runs in.
#[derive(Debug)]
pub enum ProcessGroup {
    /// One of its own, with the terminal, if its foreground is to be main's.
    Own(Option<Terminal>),
    /// Ours: in one of its own main could not use the terminal, or others in ours could not.
    Ours,
}

impl ProcessGroup {
    /// The terminal, while it is main's.
    pub fn terminal(&self) -> Option<&Terminal> {
        match self {
            Self::Own(terminal) => terminal.as_ref(),
            Self::Ours => None,
        }
    }

    /// The one for main.
    pub fn of_main(pid1: bool) -> Self {
        match Found::look() {
            Found::None => Self::Own(None),
            Found::Useless => Self::Ours,
            Found::Terminal(_) if !pid1 && we_share_our_group() => Self::Ours,
            Found::Terminal(terminal) if !terminal.is_ours() => Self::Own(None),
            // What may not be set to what it is may not be handed over either.
            Found::Terminal(terminal) if terminal.give_to(getpgrp().as_raw()) => Self::Own(Some(terminal)),
            Found::Terminal(_) => Self::Ours,
        }
    }
}

/// Others are in our process group, as in a shell's pipeline. A shell may start us before them: then a pipe shows it.
fn we_share_our_group() -> bool {
    let is_pipe = |fd| {
        fstat(fd).is_ok_and(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFIFO)
    };
    sys::standard_descriptors().into_iter().any(is_pipe) || procfs::share_group(getpgrp().as_raw())
}

/// The controlling terminal as we find it.
enum Found {
    /// There is none: most containers.
    None,
    /// There is one, but nothing by which to use it.
    Useless,
    Terminal(Terminal),
}

impl Found {
    /// By `/dev/tty`; where that is absent or masked, by the standard descriptors.
    fn look() -> Self {
        let controls = |fd: &OwnedFd| tcgetpgrp(fd).is_ok();
        match open("/dev/tty", OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOCTTY, Mode::empty()) {
            Err(Errno::ENXIO) => return Self::None,
            Ok(fd) if controls(&fd) => return Self::Terminal(Terminal(fd)),
            Ok(_) | Err(_) => {}
        }
        let mut standard =
            sys::standard_descriptors().into_iter().filter_map(|fd| fd.try_clone_to_owned().ok());
        match standard.find(controls) {
            Some(fd) => Self::Terminal(Terminal(fd)),
            None if procfs::have_terminal() => Self::Useless,
            None => Self::None,
        }
    }
}

/// The controlling terminal.
#[derive(Debug)]
pub struct Terminal(OwnedFd);

impl Terminal {
    /// We have one, usable or not.
    pub fn is_there() -> bool {
        !matches!(Found::look(), Found::None)
    }

    /// Opens it when our own process group is its foreground: only then is it ours to hand over.
    pub fn open_if_ours() -> Option<Self> {
        match Found::look() {
            Found::Terminal(terminal) => Some(terminal).filter(Self::is_ours),
            Found::None | Found::Useless => None,
        }
    }

    fn is_ours(&self) -> bool {
        tcgetpgrp(&self.0) == Ok(getpgrp())
    }

    /// Its descriptor.
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Makes this group its foreground. TTOU, which a background process gets for that, is blocked. `false` when the
    /// group has gone, or the terminal has been hung up, or the kernel refuses it.
    pub fn give_to(&self, group: i32) -> bool {
        tcsetpgrp(&self.0, Pid::from_raw(group)).is_ok()
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
