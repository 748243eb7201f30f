//! A sidecar inside the test: a script says how it answers, when it leaves and whether it comes back, and
//! every request is on record.

use super::{Port, pause, serve::serve};
use std::{
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// What one request meets.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// A complete answer.
    Answer(u16, &'static str),
    /// A redirect to a path of its own.
    Redirect(&'static str),
    /// The connection stays open, nothing is ever said.
    Silent,
    /// The request is read, then the connection is reset.
    Reset,
    /// The request is read, then the connection ends without a byte.
    Close,
    /// 200, one byte each time.
    Drip(Duration),
}

/// What it does after the last scripted answer to a quit.
#[derive(Clone, Copy, Debug)]
enum Life {
    Stays,
    Leaves(Duration),
    /// Leaves at once, is back after this long, so many times; then it leaves for good.
    Returns(Duration, usize),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Request line and header, as sent.
    pub head: String,
    pub at: Instant,
}

/// A script, and once started the sidecar that follows it.
pub struct Fake {
    inner: Arc<Inner>,
    acceptors: Vec<JoinHandle<()>>,
}

pub(super) struct Inner {
    pub(super) ready: Vec<Reply>,
    pub(super) quit: Vec<Reply>,
    life: Life,
    pub(super) ready_lag: Duration,
    pub(super) resets: usize,
    pub(super) quit_port: Port,
    pub(super) ready_port: Option<Port>,
    pub(super) asked: Mutex<Vec<Asked>>,
    pub(super) connections: Mutex<usize>,
    pub(super) held: Mutex<Vec<TcpStream>>,
    pub(super) left_at: Mutex<Option<Instant>>,
    pub(super) lives: Mutex<usize>,
    pub(super) over: AtomicBool,
}

/// The script while it is written.
pub struct Script(Inner);

impl Fake {
    /// Ready at once, accepts the quit, leaves at once: all is well unless the script says otherwise.
    pub fn script() -> Script {
        Script(Inner {
            ready: vec![Reply::Answer(200, "ok")],
            quit: vec![Reply::Answer(200, "bye")],
            life: Life::Leaves(Duration::ZERO),
            ready_lag: Duration::ZERO,
            resets: 0,
            quit_port: Port::reserve(),
            ready_port: None,
            asked: Mutex::default(),
            connections: Mutex::default(),
            held: Mutex::default(),
            left_at: Mutex::default(),
            lives: Mutex::default(),
            over: AtomicBool::new(false),
        })
    }

    /// A sidecar with which all is well.
    pub fn good() -> Self {
        Self::script().start()
    }

    /// The port of the quit, and of readiness where that has none of its own.
    pub fn port(&self) -> u16 {
        self.inner.quit_port.number()
    }

    pub fn ready_port(&self) -> u16 {
        self.inner.ready_port.as_ref().unwrap_or(&self.inner.quit_port).number()
    }

    /// A SPEC for it: `NAME:ready=…,quit=…`; keys may be appended.
    pub fn spec(&self, name: &str) -> String {
        let (ready, quit) = (self.ready_port(), self.port());
        format!("{name}:ready=http://127.0.0.1:{ready}/ready,quit=http://127.0.0.1:{quit}/quit")
    }

    /// Both ports listen from now on.
    pub fn open(&self) {
        self.inner.open();
    }

    /// Both ports refuse from now on.
    pub fn close(&self) {
        self.inner.leave();
    }

    /// The quit port alone refuses, as where the quit is not switched on.
    pub fn close_quit_port(&self) {
        self.inner.quit_port.refuse();
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap().clone()
    }

    /// The requests that were not GET.
    pub fn quits(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|a| a.method != "GET").collect()
    }

    /// The GETs.
    pub fn probes(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|a| a.method == "GET").collect()
    }

    /// How many connections it accepted.
    pub fn connections(&self) -> usize {
        *self.inner.connections.lock().unwrap()
    }

    /// When its last port began to refuse.
    pub fn left_at(&self) -> Option<Instant> {
        *self.inner.left_at.lock().unwrap()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.inner.over.store(true, SeqCst);
        for acceptor in self.acceptors.drain(..) {
            let _ = acceptor.join();
        }
        self.inner.leave();
    }
}

impl Script {
    /// Answers to the GETs, in order; the last one repeats.
    pub fn ready(mut self, replies: impl Into<Vec<Reply>>) -> Self {
        self.0.ready = replies.into();
        self
    }

    /// Answers to the quits, in order; the last one repeats, and with it the sidecar leaves (or as said).
    pub fn quit(mut self, replies: impl Into<Vec<Reply>>) -> Self {
        self.0.quit = replies.into();
        self
    }

    pub fn stays(mut self) -> Self {
        self.0.life = Life::Stays;
        self
    }

    pub fn leaves_after(mut self, time: Duration) -> Self {
        self.0.life = Life::Leaves(time);
        self
    }

    /// Comes back this long after it left, so many times.
    pub fn returns_after(mut self, time: Duration, times: usize) -> Self {
        self.0.life = Life::Returns(time, times);
        self
    }

    /// Readiness has a port of its own, which refuses so much later than the quit port.
    pub fn ready_port_lags(mut self, time: Duration) -> Self {
        self.0.ready_port = Some(Port::reserve());
        self.0.ready_lag = time;
        self
    }

    /// The first so many connections are reset before anything is read.
    pub fn resets_at_accept(mut self, connections: usize) -> Self {
        self.0.resets = connections;
        self
    }

    /// Starts it, listening.
    pub fn start(self) -> Fake {
        let fake = self.start_closed();
        fake.open();
        fake
    }

    /// Starts it, refusing until `open`.
    pub fn start_closed(self) -> Fake {
        let inner = Arc::new(self.0);
        let quit = Arc::clone(&inner);
        let mut acceptors = vec![std::thread::spawn(move || serve(&quit, &quit.quit_port))];
        if inner.ready_port.is_some() {
            let ready = Arc::clone(&inner);
            acceptors.push(std::thread::spawn(move || serve(&ready, ready.ready_port.as_ref().unwrap())));
        }
        Fake { inner, acceptors }
    }
}

impl Inner {
    fn open(&self) {
        *self.left_at.lock().unwrap() = None;
        self.quit_port.listen();
        self.ready_port.iter().for_each(Port::listen);
    }

    fn leave(&self) {
        self.quit_port.refuse();
        self.ready_port.iter().for_each(Port::refuse);
        self.held.lock().unwrap().clear();
        self.left_at.lock().unwrap().get_or_insert_with(Instant::now);
    }

    /// A quit was answered for the last time: live on as scripted.
    pub(super) fn live_on(&self) {
        match self.life {
            Life::Stays => {}
            Life::Leaves(after) => {
                pause(after);
                self.go();
            }
            Life::Returns(away, times) => {
                let life = {
                    let mut lives = self.lives.lock().unwrap();
                    *lives += 1;
                    *lives
                };
                if life > times {
                    return self.go();
                }
                self.quit_port.refuse();
                pause(away);
                self.quit_port.listen();
            }
        }
    }

    fn go(&self) {
        if !self.ready_lag.is_zero() {
            self.quit_port.refuse();
            pause(self.ready_lag);
        }
        self.leave();
    }
}
