//! A pseudo-terminal: the test plays the person before it.

use super::{Launch, Running, stream::Stream};
use std::{
    ffi::{CStr, CString},
    fs::File,
    io::{PipeReader, PipeWriter, Read, Write as _},
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

pub const BASH: [&str; 5] = ["bash", "--norc", "--noprofile", "--noediting", "-i"];
pub const PROMPT: &str = "ready> ";

/// An interactive shell as PID 1 at a terminal.
pub fn shell() -> (Pty, Running) {
    let pty = Pty::new();
    let run = Launch::pid1_of(BASH).env(format!("PS1={PROMPT}")).terminal(&pty).start();
    pty.shows(PROMPT);
    (pty, run)
}

/// A terminal that echoes nothing, so that what it shows was written by a program.
pub struct Pty {
    master: OwnedFd,
    /// The path of the side that programs see.
    pub path: String,
    screen: Stream,
    /// Dropped, it ends the reader: a terminal is hung up when nobody holds its other side.
    stop: Option<PipeWriter>,
}

impl Pty {
    pub fn new() -> Self {
        let mut path = [0; 64];
        // SAFETY: each call gets the descriptor that the first one made, and a buffer of the length told.
        let master = unsafe {
            let fd = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
            assert!(fd >= 0, "no pseudo-terminal: {}", std::io::Error::last_os_error());
            assert_eq!(libc::grantpt(fd) + libc::unlockpt(fd), 0);
            assert_eq!(libc::ptsname_r(fd, path.as_mut_ptr(), path.len()), 0);
            let mut modes: libc::termios = std::mem::zeroed();
            libc::tcgetattr(fd, &raw mut modes);
            modes.c_lflag &= !libc::ECHO;
            libc::tcsetattr(fd, libc::TCSANOW, &raw const modes);
            OwnedFd::from_raw_fd(fd)
        };
        // SAFETY: `ptsname_r` has ended it with a NUL.
        let path = unsafe { CStr::from_ptr(path.as_ptr()) }.to_str().unwrap().to_owned();
        let (stopped, stop) = std::io::pipe().unwrap();
        let screen = Stream::read(Screen { master: master.try_clone().unwrap().into(), stopped });
        Self { master, path, screen, stop: Some(stop) }
    }

    /// Types this.
    pub fn types(&self, keys: &str) {
        File::from(self.master.try_clone().unwrap()).write_all(keys.as_bytes()).unwrap();
    }

    /// What it has shown so far, without carriage returns.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.so_far()).replace('\r', "")
    }

    /// Waits until it has shown this.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        self.shows_times(text, 1);
    }

    /// Waits until it has shown this so many times.
    #[track_caller]
    pub fn shows_times(&self, text: &str, times: usize) {
        let limit = std::time::Duration::from_secs(5);
        let shown = super::until(limit, || (self.screen().matches(text).count() >= times).then_some(()));
        assert!(shown.is_some(), "the terminal does not show {text:?} {times} times, but: {}", self.screen());
    }

    /// The group in its foreground, as seen from here.
    pub fn foreground(&self) -> i32 {
        let mut group = 0;
        // SAFETY: writes one pid.
        unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCGPGRP, &raw mut group) };
        group
    }

    /// Changes its size.
    pub fn resize(&self, rows: u16, columns: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: reads one size.
        assert_eq!(unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }, 0);
    }

    /// Goes away, as when the window is closed; what it had shown.
    pub fn hang_up(mut self) -> String {
        self.stop = None;
        let _ = self.screen.all();
        self.screen()
    }
}

/// Reads the master until it is told to stop.
struct Screen {
    master: File,
    stopped: PipeReader,
}

impl Read for Screen {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let watch = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut both = [watch(self.master.as_raw_fd()), watch(self.stopped.as_raw_fd())];
        // SAFETY: two pollfds.
        unsafe { libc::poll(both.as_mut_ptr(), 2, -1) };
        if both[1].revents != 0 && both[0].revents & libc::POLLIN == 0 {
            return Ok(0);
        }
        match self.master.read(buffer) {
            // Nobody has it open at the moment: EIO. The end, as far as the harness is concerned.
            Err(_) => Ok(0),
            read => read,
        }
    }
}

/// Becomes the leader of a session on this terminal, and stdin, stdout and stderr are that.
///
/// # Safety
/// For a single-threaded process that is about to execute.
pub unsafe fn take(path: &CString) {
    // SAFETY: plain calls; `path` is a C string.
    unsafe {
        libc::setsid();
        let fd = libc::open(path.as_ptr(), libc::O_RDWR);
        libc::ioctl(fd, libc::TIOCSCTTY, 0);
        (0..3).for_each(|to| _ = libc::dup2(fd, to));
        if fd > 2 {
            libc::close(fd);
        }
    }
}
