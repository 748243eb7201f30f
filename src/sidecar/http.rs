//! One HTTP request to a sidecar: ureq over a connector of ours, which knows whether a byte of the request was
//! written, reaches unix sockets, ends at one deadline, and is cancelled by the cancellation.
//!
//! ureq reads proxy variables, follows redirects and starts a thread to resolve even a literal address unless
//! it is told not to: here it gets no proxy, no redirects and a resolver that looks nothing up.

use super::connect::{ConnectError, Connection, IoEnd};
use super::found::candidates;
use super::task::Task;
use crate::output::secrets::hidden;
use crate::threads::cancellation::Cancellation;
use lastout_core::spec::Request;
use lastout_core::text::quote;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// Bytes of a header block that are read at most, and of each buffer.
pub const HEAD_LIMIT: usize = 16 * 1024;
/// Bytes of a body that are read at most: enough for the sidecar's own words.
const BODY_LIMIT: u64 = 4 * 1024;

/// Told to give up. Not `Interrupted`: whoever reads to the end would then try again, for ever. No connection that is
/// open is aborted by the kernel under this name.
const CANCELLED: io::ErrorKind = io::ErrorKind::ConnectionAborted;

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The first line of the body, cut and cleaned.
    pub quote: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens.
    Refused,
    /// Neither accepted nor refused in time.
    Silent,
    /// Failed before a byte of the request was written.
    Unsent(String),
    /// Failed after the request, or a part of it, was written.
    Lost(String),
    /// The worker was told to give up.
    Cancelled,
}

/// Whether a byte of the request was written, and what is to be done then.
#[derive(Default)]
pub struct Written {
    yes: AtomicBool,
    then: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Written {
    /// Not yet; `then` is called once it is.
    pub fn then(then: impl Fn() + Send + Sync + 'static) -> Self {
        Self { yes: AtomicBool::new(false), then: Some(Box::new(then)) }
    }

    fn set(&self) {
        if !self.yes.swap(true, Ordering::Relaxed)
            && let Some(then) = &self.then
        {
            then();
        }
    }
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.yes.fmt(f)
    }
}

/// Sends this request and reads the answer, all within `timeout`. Also tells at which candidate.
pub fn send(
    task: &Task,
    request: &Request,
    timeout: Duration,
    written: Written,
) -> (Option<SocketAddr>, Result<Answer, Failure>) {
    let deadline = Instant::now() + timeout;
    let to = candidates(&request.at, |all| task.found.to_ask(all));
    let failed = match Connection::open(task, &request.at, &to, deadline) {
        Ok(connection) => {
            let at = connection.at();
            if let Some(at) = at {
                task.found.note(at);
            }
            return (at, exchange(task, request, connection, (timeout, deadline), written));
        }
        Err(ConnectError::Refused) => Failure::Refused,
        Err(ConnectError::Silent) => Failure::Silent,
        Err(ConnectError::Failed(words)) => Failure::Unsent(words),
        Err(ConnectError::Cancelled) => Failure::Cancelled,
    };
    (None, Err(failed))
}

/// Sends the request over a connection that is open.
pub(super) fn exchange(
    task: &Task,
    request: &Request,
    connection: Connection,
    (timeout, deadline): (Duration, Instant),
    written: Written,
) -> Result<Answer, Failure> {
    let (at, headers) = (connection.at(), &task.spec.headers);
    let written = Arc::new(written);
    let connection = Mutex::new(Some(connection));
    let connector =
        Wire { connection, cancellation: task.cancellation.clone(), written: written.clone(), deadline };
    let config = Config::builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_response_header_size(HEAD_LIMIT)
        .input_buffer_size(HEAD_LIMIT)
        .output_buffer_size(HEAD_LIMIT)
        .max_idle_connections(0)
        .accept("")
        .accept_encoding("")
        .user_agent(concat!("lastout/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent = ureq::Agent::with_parts(config, connector, NoResolver);
    let result = build(request, at, headers).and_then(|request| agent.run(request));
    match result {
        Ok(response) => Ok(answer(response, headers)),
        Err(error) => Err(failure(&error, written.yes.load(Ordering::Relaxed), timeout)),
    }
}

fn build(
    request: &Request,
    at: Option<SocketAddr>,
    headers: &[(String, String)],
) -> Result<http::Request<()>, ureq::Error> {
    // The Host field names who is asked.
    let authority = at.map_or_else(|| "localhost".to_owned(), |at| at.to_string());
    let mut builder = http::Request::builder()
        .method(request.method.as_str())
        .uri(format!("http://{authority}{}", request.path))
        .header("connection", "close");
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        builder = builder.header("content-length", "0");
    }
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    Ok(builder.body(())?)
}

fn answer(response: http::Response<ureq::Body>, headers: &[(String, String)]) -> Answer {
    let status = response.status().as_u16();
    // The status is the answer; a body that breaks off, or is longer than we read, takes nothing from it.
    let mut body = Vec::new();
    let _ = response.into_body().into_reader().take(BODY_LIMIT).read_to_end(&mut body);
    Answer { status, quote: quote(&hidden(&without_secrets(&String::from_utf8_lossy(&body), headers))) }
}

/// A sidecar that says a header's value back is not quoted with it.
fn without_secrets(text: &str, headers: &[(String, String)]) -> String {
    let secrets = headers.iter().map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

fn failure(error: &ureq::Error, written: bool, timeout: Duration) -> Failure {
    let kind = if let ureq::Error::Io(io) = error { Some(io.kind()) } else { None };
    if kind == Some(CANCELLED) {
        return Failure::Cancelled;
    }
    let words = match (kind, error) {
        (Some(io::ErrorKind::TimedOut), _) => format!("no answer within {} ms", timeout.as_millis()),
        (Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), _) => {
            "the connection was reset".to_owned()
        }
        (Some(io::ErrorKind::UnexpectedEof), _) => "closed without an answer".to_owned(),
        (Some(_), ureq::Error::Io(io)) => io.to_string().to_lowercase(),
        (_, other) => quote(&format!("no HTTP answer ({other})")),
    };
    if written { Failure::Lost(words) } else { Failure::Unsent(words) }
}

#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &http::Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Ok(addresses)
    }
}

/// Hands out the one connection of one request.
#[derive(Debug)]
struct Wire {
    connection: Mutex<Option<Connection>>,
    cancellation: Arc<Cancellation>,
    written: Arc<Written>,
    deadline: Instant,
}

impl Connector for Wire {
    type Out = Line;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Line>, ureq::Error> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(connection.map(|connection| Line {
            connection,
            buffers: LazyBuffers::new(HEAD_LIMIT, HEAD_LIMIT),
            cancellation: self.cancellation.clone(),
            written: self.written.clone(),
            deadline: self.deadline,
        }))
    }
}

struct Line {
    connection: Connection,
    buffers: LazyBuffers,
    cancellation: Arc<Cancellation>,
    written: Arc<Written>,
    deadline: Instant,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        match self.connection.write(output, &self.cancellation, self.deadline) {
            Ok(()) => {
                self.written.set();
                Ok(())
            }
            Err((count, end)) => {
                if count > 0 {
                    self.written.set();
                }
                Err(io_error(end))
            }
        }
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let buffer = self.buffers.input_append_buf();
        let count = self.connection.read(buffer, &self.cancellation, self.deadline).map_err(io_error)?;
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

fn io_error(end: IoEnd) -> ureq::Error {
    match end {
        IoEnd::Late => io::Error::from(io::ErrorKind::TimedOut),
        IoEnd::Cancelled => io::Error::from(CANCELLED),
        IoEnd::Failed(errno) => io::Error::from(errno),
    }
    .into()
}
