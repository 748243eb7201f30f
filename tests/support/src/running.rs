//! The program under test while it runs, and how it ended.

use super::{
    facts,
    facts::{ms, pause},
    stream::Stream,
};
use std::{
    io::{PipeReader, Read as _},
    os::{
        fd::{AsRawFd as _, RawFd},
        unix::process::ExitStatusExt as _,
    },
    process::{Child, ChildStdin, ExitStatus},
    time::{Duration, Instant},
};

/// The program while it runs. Dropped, the whole namespace is killed.
pub struct Running {
    pub(super) outer: Child,
    pub(super) init: i32,
    pub(super) pid: i32,
    pub(super) status: PipeReader,
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Stream,
    pub(super) stderr: Stream,
    /// Before anything was started.
    pub began: Instant,
    pub(super) deadline: Instant,
    pub(super) over: bool,
}

impl Running {
    /// The program's pid, as seen from outside the namespace.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends it a signal from outside.
    pub fn signal(&self, signal: i32) {
        assert!(
            facts::kill(self.pid, signal),
            "signal {signal}: the program is gone; stderr: {}",
            self.told()
        );
    }

    /// Sends it two signals 200 µs apart. False if this thread was held up so long that they may not merge.
    pub fn signal_twice(&self, first: i32, second: i32) -> bool {
        let sent = Instant::now();
        self.signal(first);
        pause(Duration::from_micros(200));
        self.signal(second);
        sent.elapsed() < ms(100)
    }

    /// Waits for a line on stdout that contains `word`; when it came.
    pub fn says(&self, word: &str) -> Instant {
        let found = self.stdout.line(word, self.left());
        found.unwrap_or_else(|| panic!("no {word:?} on stdout; stderr: {}", self.told())).1
    }

    /// Waits for a line on stderr that contains `word`; the line and when it came.
    pub fn tells(&self, word: &str) -> (String, Instant) {
        let found = self.stderr.line(word, self.left());
        found.unwrap_or_else(|| panic!("no {word:?} on stderr, but: {}", self.told()))
    }

    /// stderr so far.
    pub fn told(&self) -> String {
        String::from_utf8_lossy(&self.stderr.so_far()).into_owned()
    }

    /// stdout so far.
    pub fn said(&self) -> Vec<u8> {
        self.stdout.so_far()
    }

    /// The command's pid, as seen from outside: waits for the program's first child.
    pub fn main(&self) -> i32 {
        let first = || facts::children(self.pid).first().copied();
        super::until(self.left(), first).unwrap_or_else(|| panic!("no child; stderr: {}", self.told()))
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits for the end; fails the test at the deadline.
    pub fn wait(mut self) -> End {
        let limit = self.left();
        self.end_within(limit)
            .unwrap_or_else(|| panic!("still there at the deadline; stderr: {}", self.told()))
    }

    /// The end, if it comes within `limit`.
    pub fn end_within(&mut self, limit: Duration) -> Option<End> {
        let status = number(&self.status, Instant::now() + limit)?;
        let ended = Instant::now();
        self.over = true;
        let _ = self.outer.wait();
        let stderr = String::from_utf8_lossy(&self.stderr.all()).into_owned();
        let (stdout, began) = (self.stdout.all(), self.began);
        Some(End { status: ExitStatus::from_raw(status), stdout, stderr, began, ended })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            facts::kill(self.init, libc::SIGKILL);
            let _ = self.outer.wait();
        }
    }
}

/// How it ended.
#[derive(Debug)]
pub struct End {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub began: Instant,
    pub ended: Instant,
}

impl End {
    /// The exit code; a death by signal fails the test.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("no exit: {:?}; stderr: {}", self.status, self.stderr))
    }

    /// From the start of the program to its end.
    pub fn took(&self) -> Duration {
        self.ended - self.began
    }

    /// The exit code is this, and nothing was told.
    #[track_caller]
    pub fn silent(&self, code: i32) {
        assert_eq!((self.code(), self.stderr.as_str()), (code, ""));
    }

    /// The exit code is this, and exactly one line was told, with all the words; `a|b` is one of them.
    #[track_caller]
    pub fn one_line(&self, code: i32, words: &[&str]) {
        self.lines(code, &[words]);
    }

    /// The exit code is this, and exactly these lines were told, in this order.
    #[track_caller]
    pub fn lines(&self, code: i32, lines: &[&[&str]]) {
        let told = &self.stderr;
        assert_eq!(self.code(), code, "stderr: {told}");
        assert!(told.is_empty() || told.ends_with('\n'), "half a line: {told:?}");
        assert_eq!(told.lines().count(), lines.len(), "lines on stderr: {told}");
        for (line, words) in told.lines().zip(lines) {
            assert!(line.starts_with("lastout: "), "{line}");
            for word in *words {
                assert!(word.split('|').any(|w| line.contains(w)), "no {word:?} in: {line}");
            }
        }
    }
}

/// The next number of the outer process, unless the deadline comes first.
pub(super) fn number(pipe: &PipeReader, deadline: Instant) -> Option<i32> {
    let fd: RawFd = pipe.as_raw_fd();
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let left = deadline.saturating_duration_since(Instant::now());
    // Rounded up: a poll of 0 would not wait for the last part of a millisecond.
    let ms = i32::try_from(left.as_millis() + 1).unwrap();
    // SAFETY: one pollfd.
    if unsafe { libc::poll(&raw mut poll, 1, ms) } != 1 {
        return None;
    }
    let mut bytes = [0; 4];
    let mut pipe = pipe;
    pipe.read_exact(&mut bytes).ok()?;
    Some(i32::from_ne_bytes(bytes))
}
