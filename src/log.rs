//! What we tell: one line per fact, one write each, on stderr and nowhere else (stdout is main's). A line that
//! cannot be written is lost; it never blocks or ends us.

use lastout_core::settings::LogLevel;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where lines go, and which.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    level: LogLevel,
    json: bool,
}

/// Bytes of a line at most. A pipe that `poll` calls writable takes this much without blocking (`pipe(7)`).
const LINE_LIMIT: usize = 4096;
/// Milliseconds that a full pipe may keep us from our work.
const PATIENCE: u8 = 100;
/// Where the kubelet looks for a container's last words.
const TERMINATION_LOG: &str = "/dev/termination-log";

impl Log {
    /// A log of this level and format.
    pub fn new(level: LogLevel, json: bool) -> Self {
        Self { level, json }
    }

    /// Something went wrong that is ours, or that keeps the pod from ending.
    pub fn error(&self, text: &str) {
        self.line(LogLevel::Error, text);
    }

    /// Something that the user should know.
    pub fn warn(&self, text: &str) {
        self.line(LogLevel::Warn, text);
    }

    /// A phase, with its duration.
    pub fn info(&self, text: &str) {
        self.line(LogLevel::Info, text);
    }

    /// Everything else. The text is only made when somebody reads it.
    pub fn debug(&self, text: impl FnOnce() -> String) {
        if self.level >= LogLevel::Debug {
            self.line(LogLevel::Debug, &text());
        }
    }

    /// One line of this level.
    pub fn line(&self, level: LogLevel, text: &str) {
        if level > self.level {
            return;
        }
        let name = match level {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        };
        if self.json {
            let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let time = crate::report::timestamp(time);
            write_line(&format!(
                "{{\"time\":\"{time}\",\"severity\":\"{name}\",\"message\":{}}}",
                crate::report::quoted(text)
            ));
        } else {
            write_line(&format!("lastout: {name}: {text}"));
        }
    }
}

/// Writes one line to stderr in one write, cut to what a pipe takes without blocking.
fn write_line(line: &str) {
    let mut bytes: Vec<u8> = line.bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }).collect();
    bytes.truncate(LINE_LIMIT - 1);
    bytes.push(b'\n');
    write_whole(&bytes);
}

/// Writes all of it to stderr, piece by piece, for as long as it takes them.
pub fn write_whole(bytes: &[u8]) {
    let mut stderr = io::stderr();
    for piece in bytes.chunks(LINE_LIMIT) {
        let mut fds = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut fds, PollTimeout::from(PATIENCE)) != Ok(1) || stderr.write_all(piece).is_err() {
            return;
        }
    }
}

/// Leaves a text where `kubectl describe` shows it, if that place exists and is still empty: what main has
/// written there stands.
pub fn last_words(text: &str) {
    let Ok(mut file) = OpenOptions::new().append(true).custom_flags(libc::O_NONBLOCK).open(TERMINATION_LOG)
    else {
        return;
    };
    if file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0) {
        let _ = writeln!(file, "lastout: {text}");
    }
}
