//! One end of a pipe that is read as it comes, with the time of arrival of every line.

use std::{
    io::Read,
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    /// (bytes so far, when the last of them came)
    marks: Vec<(usize, Instant)>,
    closed: bool,
}

/// What a process writes.
pub struct Stream {
    shared: Arc<(Mutex<State>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    /// Reads to the end in a thread.
    pub fn read(mut from: impl Read + Send + 'static) -> Self {
        let shared: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let writer = Arc::clone(&shared);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                let n = from.read(&mut buffer).unwrap_or(0);
                let now = Instant::now();
                let mut state = writer.0.lock().unwrap();
                state.bytes.extend_from_slice(&buffer[..n]);
                let len = state.bytes.len();
                state.marks.push((len, now));
                state.closed = n == 0;
                writer.1.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        Self { shared, reader: Some(reader) }
    }

    /// Nothing to read: the process has no such pipe.
    pub fn none() -> Self {
        Self {
            shared: Arc::new((Mutex::new(State { closed: true, ..State::default() }), Condvar::new())),
            reader: None,
        }
    }

    /// Waits for a whole line that contains `word`; the line and when it came.
    pub fn line(&self, word: &str, limit: Duration) -> Option<(String, Instant)> {
        let end = Instant::now() + limit;
        let mut state = self.shared.0.lock().unwrap();
        loop {
            if let Some(found) = find(&state, word) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            if state.closed {
                return None;
            }
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Everything so far.
    pub fn so_far(&self) -> Vec<u8> {
        self.shared.0.lock().unwrap().bytes.clone()
    }

    /// Everything, once all writers are gone.
    pub fn all(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

fn find(state: &State, word: &str) -> Option<(String, Instant)> {
    let mut end = 0;
    for line in state.bytes.split_inclusive(|&b| b == b'\n') {
        end += line.len();
        let text = String::from_utf8_lossy(line);
        if line.ends_with(b"\n") && text.contains(word) {
            let at = state.marks.iter().find(|m| m.0 >= end).map(|m| m.1)?;
            return Some((text.trim_end().to_owned(), at));
        }
    }
    None
}
