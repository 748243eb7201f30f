//! A sidecar inside the test: a script says how it answers, when it leaves and whether it comes back, and
//! every request is on record.

use super::server::{self, Request, Server, Shared, Step, response};
use crate::{Port, pause};
use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::{Duration, Instant},
};

/// The ports: of the quit, and of readiness where that has one of its own.
const QUIT: usize = 0;
const READY: usize = 1;

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

/// One that runs. Dropped, it refuses.
pub struct Fake {
    server: Server,
}

/// The script while it is written, and what it has come to.
pub struct Script {
    ready: Vec<Reply>,
    quit: Vec<Reply>,
    life: Life,
    own_ready_port: bool,
    ready_lag: Duration,
    resets: usize,
    lives: AtomicUsize,
}

impl Fake {
    /// Ready at once, accepts the quit, leaves at once: all is well unless the script says otherwise.
    pub fn script() -> Script {
        Script {
            ready: vec![Reply::Answer(200, "ok")],
            quit: vec![Reply::Answer(200, "bye")],
            life: Life::Leaves(Duration::ZERO),
            own_ready_port: false,
            ready_lag: Duration::ZERO,
            resets: 0,
            lives: AtomicUsize::new(0),
        }
    }

    /// A sidecar with which all is well.
    pub fn good() -> Self {
        Self::script().start()
    }

    /// The port of the quit, and of readiness where that has none of its own.
    pub fn port(&self) -> u16 {
        self.shared().ports[QUIT].number()
    }

    pub fn ready_port(&self) -> u16 {
        let ports = &self.shared().ports;
        ports.get(READY).unwrap_or(&ports[QUIT]).number()
    }

    /// A SPEC for it: `NAME:ready=…,quit=…`; keys may be appended.
    pub fn spec(&self, name: &str) -> String {
        let (ready, quit) = (self.ready_port(), self.port());
        format!("{name}:ready=http://127.0.0.1:{ready}/ready,quit=http://127.0.0.1:{quit}/quit")
    }

    /// Both ports listen from now on.
    pub fn open(&self) {
        self.shared().open();
    }

    /// Both ports refuse from now on.
    pub fn close(&self) {
        self.shared().leave();
    }

    /// The quit port alone refuses, as where the quit is not switched on.
    pub fn close_quit_port(&self) {
        self.shared().ports[QUIT].refuse();
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Request> {
        self.shared().requests()
    }

    /// The requests that were not GET.
    pub fn quits(&self) -> Vec<Request> {
        self.asked().into_iter().filter(|a| a.method != "GET").collect()
    }

    /// The GETs.
    pub fn probes(&self) -> Vec<Request> {
        self.asked().into_iter().filter(|a| a.method == "GET").collect()
    }

    /// How many connections it accepted.
    pub fn connections(&self) -> usize {
        self.shared().connections()
    }

    /// When its last port began to refuse.
    pub fn left_at(&self) -> Option<Instant> {
        self.shared().left_at()
    }

    fn shared(&self) -> &Shared {
        &self.server.shared
    }
}

impl Script {
    /// Answers to the GETs, in order; the last one repeats.
    pub fn ready(mut self, replies: impl Into<Vec<Reply>>) -> Self {
        self.ready = replies.into();
        self
    }

    /// Answers to the quits, in order; the last one repeats, and with it the sidecar leaves (or as said).
    pub fn quit(mut self, replies: impl Into<Vec<Reply>>) -> Self {
        self.quit = replies.into();
        self
    }

    pub fn stays(mut self) -> Self {
        self.life = Life::Stays;
        self
    }

    pub fn leaves_after(mut self, time: Duration) -> Self {
        self.life = Life::Leaves(time);
        self
    }

    /// Comes back this long after it left, so many times.
    pub fn returns_after(mut self, time: Duration, times: usize) -> Self {
        self.life = Life::Returns(time, times);
        self
    }

    /// Readiness has a port of its own, which refuses so much later than the quit port.
    pub fn ready_port_lags(mut self, time: Duration) -> Self {
        self.own_ready_port = true;
        self.ready_lag = time;
        self
    }

    /// The first so many connections are reset before anything is read.
    pub fn resets_at_accept(mut self, connections: usize) -> Self {
        self.resets = connections;
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
        let ports = if self.own_ready_port { 2 } else { 1 };
        Fake { server: Server::start((0..ports).map(|_| Port::reserve()).collect(), self) }
    }

    /// A quit was answered for the last time: live on as scripted.
    fn live_on(&self, shared: &Shared) {
        let quit_port = &shared.ports[QUIT];
        match self.life {
            Life::Stays => {}
            Life::Leaves(after) => {
                pause(after);
                self.leave(shared);
            }
            Life::Returns(away, times) => {
                if self.lives.fetch_add(1, SeqCst) >= times {
                    return self.leave(shared);
                }
                quit_port.refuse();
                pause(away);
                quit_port.listen();
            }
        }
    }

    fn leave(&self, shared: &Shared) {
        if !self.ready_lag.is_zero() {
            shared.ports[QUIT].refuse();
            pause(self.ready_lag);
        }
        shared.leave();
    }
}

impl server::Script for Script {
    /// It was the last answer to a quit that is scripted.
    type Then = bool;

    fn resets(&self, connection: usize) -> bool {
        connection <= self.resets
    }

    fn answer(&self, request: &Request, earlier: &[Request]) -> (Vec<Step>, bool) {
        let is_quit = is_quit(request);
        let replies = if is_quit { &self.quit } else { &self.ready };
        let seen = earlier.iter().filter(|request| self::is_quit(request) == is_quit).count();
        let reply = replies[seen.min(replies.len() - 1)];
        (reply.steps(), is_quit && seen + 1 >= replies.len())
    }

    fn then(&self, last: bool, shared: &Shared) {
        if last {
            self.live_on(shared);
        }
    }
}

impl Reply {
    fn steps(self) -> Vec<Step> {
        match self {
            Self::Answer(status, body) => vec![Step::Bytes(response(status, "", body))],
            Self::Redirect(to) => {
                vec![Step::Bytes(response(302, &format!("Location: {to}\r\n"), ""))]
            }
            Self::Silent => vec![Step::Hold],
            Self::Reset => vec![Step::Reset],
            Self::Close => vec![],
            Self::Drip(gap) => {
                let bytes = response(200, "", "dripping").into_iter();
                bytes.flat_map(|byte| [Step::Bytes(vec![byte]), Step::Pause(gap)]).collect()
            }
        }
    }
}

fn is_quit(request: &Request) -> bool {
    request.method != "GET"
}
