//! A stand-in for a sidecar that cannot be had here: it gives exactly the answers that are on record, on its own
//! ports, and every request is on record in its turn.

use super::{ms, own_network, pause, serve::read_head};
use std::{
    io::{ErrorKind, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// One answer on record. The first row that fits a request is given.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    port: u16,
    /// Separated by blanks; `*` is every one.
    methods: &'static str,
    /// `*` is every one.
    path: &'static str,
    status: u16,
    head: &'static str,
    body: &'static str,
    then: Then,
    unless: Option<&'static str>,
}

/// What it does after the answer.
#[derive(Clone, Copy, Debug)]
enum Then {
    Stays,
    /// All its ports refuse so many milliseconds later.
    Goes(u64),
    /// There is no answer.
    Silent,
}

/// A row: port, methods, path, status, body.
pub const fn row(
    port: u16,
    methods: &'static str,
    path: &'static str,
    status: u16,
    body: &'static str,
) -> Row {
    Row { port, methods, path, status, head: "", body, then: Then::Stays, unless: None }
}

impl Row {
    /// It goes this many milliseconds after this answer.
    pub const fn goes(self, ms: u64) -> Self {
        Self { then: Then::Goes(ms), ..self }
    }

    /// It never says anything.
    pub const fn silent(self) -> Self {
        Self { then: Then::Silent, ..self }
    }

    /// With this line of header.
    pub const fn head(self, line: &'static str) -> Self {
        Self { head: line, ..self }
    }

    /// Only where the request's header has no such line.
    pub const fn unless(self, line: &'static str) -> Self {
        Self { unless: Some(line), ..self }
    }

    fn fits(&self, asked: &Asked) -> bool {
        let line = |wanted: &str| asked.head.lines().any(|line| line.eq_ignore_ascii_case(wanted));
        self.port == asked.port
            && (self.path == "*" || self.path == asked.path)
            && (self.methods == "*" || self.methods.split(' ').any(|method| method == asked.method))
            && self.unless.is_none_or(|wanted| !line(wanted))
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub port: u16,
    pub method: String,
    pub path: String,
    pub head: String,
    pub at: Instant,
}

/// One that runs. Dropped, it refuses.
pub struct Standin {
    inner: Arc<Inner>,
    threads: Vec<JoinHandle<()>>,
}

struct Inner {
    rows: Vec<Row>,
    held: Vec<Row>,
    released: AtomicBool,
    gone: AtomicBool,
    asked: Mutex<Vec<Asked>>,
    mute: Mutex<Vec<TcpStream>>,
}

impl Standin {
    /// Answers by these rows on the ports that they name, on `127.0.0.1`.
    pub fn start(rows: &[Row]) -> Self {
        Self::start_on("127.0.0.1", rows, &[])
    }

    /// Until `release` these rows come first.
    pub fn held(rows: &[Row], held: &[Row]) -> Self {
        Self::start_on("127.0.0.1", rows, held)
    }

    /// On another host.
    pub fn start_on(host: &str, rows: &[Row], held: &[Row]) -> Self {
        let mut ports: Vec<u16> = rows.iter().map(|row| row.port).collect();
        ports.sort_unstable();
        ports.dedup();
        let inner = Arc::new(Inner {
            rows: rows.to_vec(),
            held: held.to_vec(),
            released: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            asked: Mutex::default(),
            mute: Mutex::default(),
        });
        let listen = |port: u16| {
            let at = SocketAddr::new(host.parse().unwrap(), port);
            let listener = TcpListener::bind(at).unwrap_or_else(|e| panic!("{at}: {e}"));
            listener.set_nonblocking(true).unwrap();
            let inner = Arc::clone(&inner);
            std::thread::spawn(move || inner.serve(&listener))
        };
        let threads = ports.into_iter().map(listen).collect();
        Self { inner, threads }
    }

    /// The rows that held it back do so no longer.
    pub fn release(&self) {
        self.inner.released.store(true, SeqCst);
    }

    /// It has ended: its ports refuse.
    pub fn is_gone(&self) -> bool {
        self.inner.gone.load(SeqCst)
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap().clone()
    }

    /// The requests for this path, as `METHOD PORT`.
    pub fn asked_for(&self, path: &str) -> Vec<String> {
        let asked = self.asked().into_iter().filter(|asked| asked.path == path);
        asked.map(|asked| format!("{} {}", asked.method, asked.port)).collect()
    }
}

/// In a network of its own, beside a stand-in.
pub fn beside(rows: &[Row], test: impl FnOnce(&Standin) + Send) {
    own_network(|| test(&Standin::start(rows)));
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.inner.gone.store(true, SeqCst);
        self.threads.drain(..).for_each(|thread| _ = thread.join());
    }
}

impl Inner {
    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        let port = listener.local_addr().unwrap().port();
        while !self.gone.load(SeqCst) {
            match listener.accept() {
                Ok((stream, _)) => {
                    let inner = Arc::clone(self);
                    std::thread::spawn(move || inner.meet(port, stream));
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => pause(Duration::from_micros(500)),
                Err(e) => panic!("accept: {e}"),
            }
        }
    }

    fn meet(&self, port: u16, mut stream: TcpStream) {
        let Some(asked) = read(port, &mut stream) else { return };
        self.asked.lock().unwrap().push(asked.clone());
        let held = if self.released.load(SeqCst) { &[][..] } else { &self.held };
        let Some(row) = held.iter().chain(&self.rows).find(|row| row.fits(&asked)) else {
            panic!("no answer to this is on record: {asked:?}");
        };
        if matches!(row.then, Then::Silent) {
            return self.mute.lock().unwrap().push(stream);
        }
        let length =
            if row.status == 204 { String::new() } else { format!("Content-Length: {}\r\n", row.body.len()) };
        let line = if row.head.is_empty() { String::new() } else { format!("{}\r\n", row.head) };
        // The answer to HEAD has no body.
        let body = if asked.method == "HEAD" { "" } else { row.body };
        let answer = format!("HTTP/1.1 {} Word\r\n{line}{length}Connection: close\r\n\r\n{body}", row.status);
        let _ = stream.write_all(answer.as_bytes());
        drop(stream);
        if let Then::Goes(after) = row.then {
            pause(ms(after));
            self.gone.store(true, SeqCst);
        }
    }
}

fn read(port: u16, stream: &mut TcpStream) -> Option<Asked> {
    stream.set_nonblocking(false).ok()?;
    let head = read_head(stream)?;
    let mut words = head.split(' ').map(str::to_owned);
    Some(Asked { port, method: words.next()?, path: words.next()?, at: Instant::now(), head })
}
