//! What we tell: one line per fact, one write each, on stderr and nowhere else (stdout is main's). A line that
//! cannot be written is lost; it never blocks or ends us.

use crate::output::secrets::hidden;
use lastout_core::json::{Object, timestamp};
use lastout_core::settings::LogLevel;
use lastout_core::text::Path as Shown;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU64, Ordering};
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
    pub fn info(&self, text: impl FnOnce() -> String) {
        if self.level >= LogLevel::Info {
            self.line(LogLevel::Info, &text());
        }
    }

    /// Everything else. The text is only made when somebody reads it.
    pub fn debug(&self, text: impl FnOnce() -> String) {
        self.debug_about("", text);
    }

    /// The same about this sidecar.
    pub fn debug_about(&self, sidecar: &str, text: impl FnOnce() -> String) {
        if self.level >= LogLevel::Debug {
            self.about(LogLevel::Debug, sidecar, &text());
        }
    }

    /// One line of this level.
    pub fn line(&self, level: LogLevel, text: &str) {
        self.about(level, "", text);
    }

    /// One line of this level about this sidecar, which is a field of its own where lines have fields.
    pub fn about(&self, level: LogLevel, sidecar: &str, text: &str) {
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
            write_line(&object(name, sidecar, text));
        } else {
            write_line(&format!("lastout: {name}: {}", one_line(text)));
        }
    }
}

/// What a sidecar or a file name has in it must not move the cursor, nor begin a line; nor is a secret shown.
fn one_line(text: &str) -> String {
    Shown(hidden(text).as_bytes()).to_string()
}

/// A line as JSON. It is the text that is cut where the line would be too long, and not the line.
fn object(severity: &str, sidecar: &str, text: &str) -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut cut = hidden(text);
    loop {
        let mut out = Object::new();
        out.text("time", &timestamp(time));
        out.text("severity", severity);
        out.text("message", &cut);
        if !sidecar.is_empty() {
            out.text("sidecar", sidecar);
        }
        let line = out.end();
        if line.len() < LINE_LIMIT || cut.is_empty() {
            return line;
        }
        let half = cut.chars().count() / 2;
        cut = cut.chars().take(half).collect();
    }
}

/// Writes one line to stderr in one write, cut to what a pipe takes without blocking.
fn write_line(line: &str) {
    let mut bytes = line.as_bytes().to_vec();
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

/// Leaves a text where `kubectl describe` shows it, if that place exists and nobody else has written there: what
/// main has to say stands.
pub fn last_words(text: &str) {
    static OURS: AtomicU64 = AtomicU64::new(0);
    let Ok(mut file) = OpenOptions::new().append(true).custom_flags(libc::O_NONBLOCK).open(TERMINATION_LOG)
    else {
        return;
    };
    let ours = OURS.load(Ordering::Relaxed);
    if file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == ours) {
        let line = format!("lastout: {}\n", one_line(text));
        let count = file.write(line.as_bytes()).unwrap_or(0);
        OURS.store(ours.saturating_add(u64::try_from(count).unwrap_or(0)), Ordering::Relaxed);
    }
}
