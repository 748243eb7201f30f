//! JSON lines on stderr. A thread of its own writes them: whoever reads them slowly must not keep an admission waiting, so
//! lines are lost then, and counted.

use crate::allocator::LARGEST;
use k8s_openapi::jiff::Timestamp;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes of lines that wait: some thousand lines.
const WAITING: usize = 1024 * 1024;
/// Bytes of what is kept of the room for them when they have been written.
const CHUNK: usize = 16 * 1024;
/// For so long the lines of a busy server come together: waking the thread for each one costs more than the line.
const GATHERING: Duration = Duration::from_millis(5);
/// For so long the end waits for whoever reads.
const FLUSHING: Duration = Duration::from_secs(1);
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

/// The lines between who says them and the thread that writes.
#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    /// The thread has taken lines and not yet written them all.
    is_writing: bool,
    /// Somebody waits until all is written.
    is_flushing: bool,
    /// Lines that were not written.
    lost: u64,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There are lines, or somebody waits for them.
    some: Condvar,
    /// All are written.
    none: Condvar,
}

/// The way to the log.
#[derive(Clone, Debug)]
pub struct Log(Arc<Shared>);

impl Log {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// When the kernel gives none.
    pub fn start() -> io::Result<Self> {
        Self::to(io::stderr())
    }

    fn to(output: impl Write + Send + 'static) -> io::Result<Self> {
        let log = Self(Arc::default());
        let shared = log.0.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_to(output))?;
        Ok(log)
    }

    /// A line: the time, the level, the message, and these fields.
    pub fn line<const N: usize>(&self, level: Level, message: &str, fields: [(&str, Field<'_>); N]) {
        // Room for a line of an admission, mostly, and a block that the allocator keeps.
        let mut line = Vec::with_capacity(LARGEST);
        let _ = write!(line, r#"{{"time":"{}","level":"{}""#, Timestamp::now(), level.word());
        for (key, value) in [("message", Field::Text(message))].into_iter().chain(fields) {
            for part in [",\"", key, "\":"] {
                line.extend_from_slice(part.as_bytes());
            }
            value.write(&mut line);
        }
        line.extend(b"}\n");
        let mut waiting = self.0.lock();
        if waiting.lines.len() + line.len() > WAITING {
            waiting.lost += 1;
            return;
        }
        // With lines there it is awake, or about to be.
        let is_first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(&line);
        drop(waiting);
        if is_first {
            self.0.some.notify_one();
        }
    }

    /// Lines that were not written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lock().lost
    }

    /// Returns when all lines are written, or when nobody has read them for a while.
    pub fn flush(&self) {
        self.flush_within(FLUSHING);
    }

    fn flush_within(&self, time: Duration) {
        let mut waiting = self.0.lock();
        waiting.is_flushing = true;
        self.0.some.notify_one();
        let is_left = |waiting: &mut Waiting| waiting.is_writing || !waiting.lines.is_empty();
        let waited = self.0.none.wait_timeout_while(waiting, time, is_left);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_flushing = false;
    }
}

impl Shared {
    /// Nobody panics while holding it; and if somebody did, the lines would be whole.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        let mut is_cut = false;
        let mut waiting = self.lock();
        loop {
            waiting = self
                .some
                .wait_while(waiting, |waiting| waiting.lines.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let gathered = self.some.wait_timeout_while(waiting, GATHERING, |waiting| !waiting.is_flushing);
            waiting = gathered.unwrap_or_else(PoisonError::into_inner).0;
            std::mem::swap(&mut lines, &mut waiting.lines);
            waiting.is_writing = true;
            drop(waiting);
            if is_cut {
                lines.insert(0, b'\n');
            }
            let lost;
            (lost, is_cut) = write(&mut output, &lines);
            lines.clear();
            lines.shrink_to(CHUNK);
            waiting = self.lock();
            waiting.is_writing = false;
            waiting.lost += lost;
            if waiting.lines.is_empty() {
                self.none.notify_all();
            }
        }
    }
}

/// Writes lines, and returns how many are not out as a whole (a full disk, or nobody at the other end of the pipe), and whether
/// what is out ends within one.
fn write(output: &mut impl Write, lines: &[u8]) -> (u64, bool) {
    let mut left = lines;
    while !left.is_empty() {
        match output.write(left) {
            Ok(0) => break,
            Ok(count) => left = left.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let lost = left.iter().filter(|byte| **byte == b'\n').count();
    let is_cut = lines.strip_suffix(left).and_then(<[u8]>::last).is_some_and(|byte| *byte != b'\n');
    (u64::try_from(lost).unwrap_or(u64::MAX), is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Says what comes, and waits each time until it may go on.
    struct Gate(Sender<String>, Receiver<()>);

    impl Write for Gate {
        fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
            self.0.send(String::from_utf8(lines.to_vec()).unwrap()).map_err(io::Error::other)?;
            self.1.recv().map_err(io::Error::other)?;
            Ok(lines.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (Log, Receiver<String>, Sender<()>) {
        let ((told, heard), (open, opened)) = (channel(), channel());
        (Log::to(Gate(told, opened)).unwrap(), heard, open)
    }

    #[test]
    fn a_line_is_an_object() {
        let (log, heard, _open) = gated();
        let fields = [("text", "a\"b\n".into()), ("number", Field::Number(7)), ("truth", Field::Truth(true))];
        log.line(Level::Warning, "said", fields);
        let line: serde_json::Value = serde_json::from_str(&heard.recv().unwrap()).unwrap();
        let mut line = line.as_object().unwrap().clone();
        assert!(line.shift_remove("time").unwrap().as_str().unwrap().ends_with('Z'));
        let rest = r#"{"level":"warning","message":"said","text":"a\"b\n","number":7,"truth":true}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), rest);
    }

    #[test]
    fn lines_wait_while_others_are_written_and_what_has_no_room_is_counted() {
        let (log, heard, open) = gated();
        let say = |text: &str| log.line(Level::Info, text, []);
        say("first");
        assert!(heard.recv().unwrap().contains("first"));
        let long = "x".repeat(WAITING / 4);
        for _ in 0..6 {
            say(&long);
        }
        assert_eq!(log.lost(), 3);
        open.send(()).unwrap();
        assert_eq!(heard.recv().unwrap().lines().count(), 3);
        open.send(()).unwrap();
        log.flush();
        say("last");
        assert!(heard.recv().unwrap().contains("last"));
        assert_eq!(log.lost(), 3);
        // Nobody reads on: the end does not wait for ever.
        log.flush_within(Duration::from_millis(10));
    }

    #[test]
    fn lines_that_are_not_out_as_a_whole_are_counted() {
        struct Short(usize);
        impl Write for Short {
            fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
                let count = self.0.min(lines.len());
                self.0 -= count;
                Ok(count)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let cases = [
            (0, (3, false)),
            (1, (3, true)),
            (2, (2, false)),
            (3, (2, true)),
            (6, (0, false)),
            (9, (0, false)),
        ];
        for (room, lost) in cases {
            assert_eq!(write(&mut Short(room), b"a\nb\nc\n"), lost, "{room}");
        }
    }
}
