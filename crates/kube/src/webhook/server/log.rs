//! JSON lines on stderr. A thread of its own writes them: whoever reads them slowly must not keep an admission waiting, so
//! lines are lost then, and counted.

use k8s_openapi::jiff::Timestamp;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Lines that wait: some MiB at most.
const WAITING: usize = 4096;
/// What is written at once, about.
const CHUNK: usize = 64 * 1024;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As usual.
    Info,
    /// Something is not as it should be.
    Warning,
    /// A fault of ours.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The value of a field.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// Text.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// A truth value.
    Truth(bool),
}

impl Field<'_> {
    /// As JSON, into a line that takes all that is written to it.
    fn write(self, line: &mut Vec<u8>) {
        let _ = match self {
            Self::Text(text) => serde_json::to_writer(line, text).map_err(io::Error::from),
            Self::Number(number) => write!(line, "{number}"),
            Self::Truth(truth) => write!(line, "{truth}"),
        };
    }
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Field<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

enum Job {
    Line(Vec<u8>),
    /// All before it is to be written, and then told.
    Flush(SyncSender<()>),
}

/// The way to the log.
#[derive(Clone, Debug)]
pub struct Log {
    jobs: SyncSender<Job>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// When the kernel gives none.
    pub fn start() -> io::Result<Self> {
        let (jobs, waiting) = sync_channel(WAITING);
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&waiting))?;
        Ok(Self { jobs, lost: Arc::default() })
    }

    /// A line: the time, the level, the message, and these fields.
    pub fn line<const N: usize>(&self, level: Level, message: &str, fields: [(&str, Field<'_>); N]) {
        let mut line = Vec::with_capacity(512);
        let _ = write!(line, r#"{{"time":"{}","level":"{}""#, Timestamp::now(), level.word());
        for (key, value) in [("message", Field::Text(message))].into_iter().chain(fields) {
            let _ = write!(line, ",\"{key}\":");
            value.write(&mut line);
        }
        line.extend(b"}\n");
        if self.jobs.try_send(Job::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that were not written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Returns when all lines are written, or when nobody has read them for a second.
    pub fn flush(&self) {
        let (sender, done) = sync_channel(1);
        if self.jobs.try_send(Job::Flush(sender)).is_ok() {
            let _ = done.recv_timeout(std::time::Duration::from_secs(1));
        }
    }
}

fn write_all(jobs: &Receiver<Job>) {
    let mut chunk = Vec::with_capacity(CHUNK);
    while let Ok(job) = jobs.recv() {
        let mut next = Some(job);
        let mut flushed = Vec::new();
        while let Some(job) = next {
            match job {
                Job::Line(line) => chunk.extend(line),
                Job::Flush(done) => flushed.push(done),
            }
            next = if chunk.len() < CHUNK { jobs.try_recv().ok() } else { None };
        }
        // Whoever closed stderr does not want to read it.
        let _ = io::stderr().write_all(&chunk);
        chunk.clear();
        for done in flushed {
            let _ = done.try_send(());
        }
    }
}
