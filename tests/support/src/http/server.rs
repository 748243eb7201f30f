//! The server behind everything that plays a sidecar: ports that listen or refuse, a thread for each connection, and
//! every request on record. What it answers, and what comes of it, is the script's.

use crate::{Port, ms, pause};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    os::fd::AsRawFd as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub port: u16,
    pub method: String,
    pub path: String,
    /// Request line and header, as sent.
    pub head: String,
    pub at: Instant,
}

/// One step of an answer. After the last one the connection is closed.
#[derive(Clone, Debug)]
pub enum Step {
    Bytes(Vec<u8>),
    /// These, until the other side has gone.
    ForEver(Vec<u8>, Duration),
    Pause(Duration),
    /// Nothing more; the connection stays open until the server leaves.
    Hold,
    /// The connection is reset.
    Reset,
}

/// A complete answer, with these lines of header (each ending in CR LF).
pub(crate) fn response(status: u16, extra: &str, body: &str) -> Vec<u8> {
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("HTTP/1.1 {status} Word\r\n{extra}{length}Connection: close\r\n\r\n{body}").into_bytes()
}

/// How a server answers.
pub(crate) trait Script: Send + Sync + 'static {
    /// What is to be done after an answer.
    type Then;

    /// The connection of this number, from 1, is reset before anything is read.
    fn resets(&self, _connection: usize) -> bool {
        false
    }

    /// The answer to a request, given all before it.
    fn answer(&self, request: &Request, earlier: &[Request]) -> (Vec<Step>, Self::Then);

    /// The answer has been given, and the connection is closed.
    fn then(&self, then: Self::Then, shared: &Shared);
}

/// What connections and the test share.
pub(crate) struct Shared {
    pub(crate) ports: Vec<Port>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    held: Mutex<Vec<TcpStream>>,
    left_at: Mutex<Option<Instant>>,
    over: AtomicBool,
}

impl Shared {
    /// All ports listen from now on.
    pub(crate) fn open(&self) {
        *self.left_at.lock().unwrap() = None;
        self.ports.iter().for_each(Port::listen);
    }

    /// All ports refuse from now on, and the connections that were held open are closed.
    pub(crate) fn leave(&self) {
        self.ports.iter().for_each(Port::refuse);
        self.held.lock().unwrap().clear();
        self.left_at.lock().unwrap().get_or_insert_with(Instant::now);
    }

    /// When its last port began to refuse.
    pub(crate) fn left_at(&self) -> Option<Instant> {
        *self.left_at.lock().unwrap()
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How many connections it accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }
}

/// One that runs. Dropped, it refuses.
pub(crate) struct Server {
    pub(crate) shared: Arc<Shared>,
    acceptors: Vec<JoinHandle<()>>,
}

impl Server {
    /// Refuses until `open`.
    pub(crate) fn start(ports: Vec<Port>, script: impl Script) -> Self {
        let shared = Arc::new(Shared {
            ports,
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            held: Mutex::default(),
            left_at: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let script = Arc::new(script);
        let accept = |port: usize| {
            let (shared, script) = (Arc::clone(&shared), Arc::clone(&script));
            std::thread::spawn(move || accept(&shared, &script, port))
        };
        let acceptors = (0..shared.ports.len()).map(accept).collect();
        Self { shared, acceptors }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, SeqCst);
        for acceptor in self.acceptors.drain(..) {
            let _ = acceptor.join();
        }
        self.shared.leave();
    }
}

fn accept(shared: &Arc<Shared>, script: &Arc<impl Script>, port: usize) {
    let port = &shared.ports[port];
    while !shared.over.load(SeqCst) {
        let Some(stream) = port.accept(ms(1)) else { continue };
        let nth = shared.connections.fetch_add(1, SeqCst) + 1;
        if script.resets(nth) {
            reset(&stream);
            continue;
        }
        let (shared, script, number) = (Arc::clone(shared), Arc::clone(script), port.number());
        std::thread::spawn(move || meet(&shared, &*script, number, stream));
    }
}

fn meet(shared: &Shared, script: &impl Script, port: u16, mut stream: TcpStream) {
    let Some(request) = read(&mut stream, port, &shared.over) else { return };
    let (steps, then) = {
        let mut requests = shared.requests.lock().unwrap();
        let answer = script.answer(&request, &requests);
        requests.push(request);
        answer
    };
    say(shared, stream, steps);
    script.then(then, shared);
}

fn say(shared: &Shared, mut stream: TcpStream, steps: Vec<Step>) {
    for step in steps {
        match step {
            Step::Bytes(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
            Step::ForEver(bytes, gap) => {
                while !shared.over.load(SeqCst) && stream.write_all(&bytes).is_ok() {
                    if !gap.is_zero() {
                        pause(gap);
                    }
                }
                return;
            }
            Step::Pause(time) => pause(time),
            Step::Hold => return shared.held.lock().unwrap().push(stream),
            Step::Reset => return reset(&stream),
        }
    }
}

fn reset(stream: &TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = size_of::<libc::linger>().try_into().unwrap();
    // SAFETY: a socket of ours and an option of the right size; closing it then sends RST
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size,
        );
    }
}

/// The head of a request, however long it takes, as long as the server is there. A peer that takes nothing more of an
/// answer does not hold the thread for ever.
fn read(stream: &mut TcpStream, port: u16, over: &AtomicBool) -> Option<Request> {
    stream.set_read_timeout(Some(ms(20))).ok()?;
    stream.set_write_timeout(Some(ms(200))).ok()?;
    stream.set_nodelay(true).ok()?;
    let (mut bytes, mut buffer) = (vec![], [0; 1024]);
    while !bytes.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(e) if e.kind() == ErrorKind::WouldBlock && !over.load(SeqCst) => {}
            Err(_) => return None,
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let mut words = head.split_ascii_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Some(Request { port, method, path, at: Instant::now(), head })
}
