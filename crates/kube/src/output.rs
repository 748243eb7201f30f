//! What users see: text on stdout, lines on stderr, and how far a long work is.

pub(crate) use crate::exit::one_line;

use crate::exit::Error;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// All of this to stdout.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Whoever closed stdout does not want to read it.
pub(crate) fn written(result: io::Result<()>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error(format!("stdout: {error}"))),
        _ => Ok(()),
    }
}

/// Something for stderr, as it is.
pub(crate) fn report(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// A line for stderr.
pub(crate) fn report_line(line: &str) {
    report(&format!("{}\n", one_line(line)));
}

/// Tells on a terminal that we wait for `what`, until that is there; a line of progress comes again by itself.
pub(crate) async fn waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    report(&format!("\r\x1b[Kwaiting for {what}"));
    let done = work.await;
    report("\r\x1b[K");
    done
}

/// How far it is, on a terminal, where it takes longer than a second.
pub(crate) struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    told: Option<Instant>,
    began: Instant,
}

impl Progress {
    /// `total`: 0 where nobody knows it.
    pub(crate) fn new(total: usize, what: &'static str) -> Self {
        Self { what, total, done: 0, told: None, began: Instant::now() }
    }

    pub(crate) fn step(&mut self) {
        self.reach(self.done + 1);
    }

    pub(crate) fn reach(&mut self, done: usize) {
        const EVERY: Duration = Duration::from_millis(200);
        self.done = done;
        let due = self.told.is_none_or(|told| told.elapsed() > EVERY);
        if self.began.elapsed() > Duration::from_secs(1) && due && io::stderr().is_terminal() {
            self.told = Some(Instant::now());
            let of = if self.total == 0 { String::new() } else { format!(" of {}", self.total) };
            report(&format!("\r{}{of} {}\x1b[K", self.done, self.what));
        }
    }

    pub(crate) fn end(&self) {
        if self.told.is_some() {
            report("\r\x1b[K");
        }
    }
}
