//! A stand-in for a sidecar that cannot be had here: it gives exactly the answers that are on record, on its own
//! ports, and every request is on record in its turn.

use super::server::{Request, Script, Server, Shared, Step, response};
use crate::{Port, ms, own_network, pause};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
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

    fn fits(&self, asked: &Request) -> bool {
        let line = |wanted: &str| asked.head.lines().any(|line| line.eq_ignore_ascii_case(wanted));
        self.port == asked.port
            && (self.path == "*" || self.path == asked.path)
            && (self.methods == "*" || self.methods.split(' ').any(|method| method == asked.method))
            && self.unless.is_none_or(|wanted| !line(wanted))
    }
}

/// One that runs. Dropped, it refuses.
pub struct Standin {
    server: Server,
    released: Arc<AtomicBool>,
}

struct Record {
    rows: Vec<Row>,
    held: Vec<Row>,
    released: Arc<AtomicBool>,
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
        let host = host.parse().unwrap();
        let ports = ports.into_iter().map(|port| Port::at(SocketAddr::new(host, port))).collect();
        let released = Arc::new(AtomicBool::new(false));
        let (rows, held) = (rows.to_vec(), held.to_vec());
        let server = Server::start(ports, Record { rows, held, released: Arc::clone(&released) });
        server.shared.open();
        Self { server, released }
    }

    /// The rows that held it back do so no longer.
    pub fn release(&self) {
        self.released.store(true, SeqCst);
    }

    /// It has ended: its ports refuse.
    pub fn is_gone(&self) -> bool {
        self.server.shared.left_at().is_some()
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Request> {
        self.server.shared.requests()
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

impl Script for Record {
    /// It leaves, so many milliseconds later.
    type Then = Option<u64>;

    fn answer(&self, request: &Request, _: &[Request]) -> (Vec<Step>, Option<u64>) {
        let held = if self.released.load(SeqCst) { &[][..] } else { &self.held };
        let Some(row) = held.iter().chain(&self.rows).find(|row| row.fits(request)) else {
            panic!("no answer to this is on record: {request:?}");
        };
        let then = match row.then {
            Then::Silent => return (vec![Step::Hold], None),
            Then::Stays => None,
            Then::Goes(after) => Some(after),
        };
        let line = if row.head.is_empty() { String::new() } else { format!("{}\r\n", row.head) };
        let mut answer = response(row.status, &line, row.body);
        if request.method == "HEAD" {
            // The answer to HEAD has no body.
            answer.truncate(answer.len() - row.body.len());
        }
        (vec![Step::Bytes(answer)], then)
    }

    fn then(&self, then: Option<u64>, shared: &Shared) {
        if let Some(after) = then {
            pause(ms(after));
            shared.leave();
        }
    }
}
