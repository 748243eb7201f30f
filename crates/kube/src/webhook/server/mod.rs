//! The server around the reviews.
//!
//! | phase | `/readyz` | new connections | open ones |
//! |---|---|---|---|
//! | serving | as the certificate is | yes | kept |
//! | leaving: TERM came | no | yes: not all have heard of it | each ends after its next answer |
//! | closing | no | no | each ends when it is idle; the rest at the deadline |

mod admin;
mod admit;
mod body;
mod connections;
mod log;
mod metrics;
mod port;

pub use admit::PATH;

use super::admission::Wishes;
use super::certificates::{self, Certificates, Source};
use crate::exit::Error;
use connections::Connections;
use log::{Field, Level, Log};
use metrics::Metrics;
use port::Port;
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

/// Descriptors are a thousand where nobody has said more, and some are for other things.
const CONNECTIONS: u32 = 800;
/// Of the second port: probes and Prometheus.
const ADMIN_CONNECTIONS: u32 = 64;

/// What the server is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where API servers come in.
    pub listen: Address,
    /// The second port.
    pub admin: Address,
    /// Where the certificate comes from.
    pub certificate: Source,
    /// What is to become of pods.
    pub wishes: Wishes,
    /// From TERM to the end, at most.
    pub drain: Duration,
}

/// An address to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// All addresses of the machine, IPv6 and IPv4.
    All(u16),
    /// This one.
    One(SocketAddr),
}

/// How far the server is, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Leaving,
    Closing,
}

/// What all connections share.
struct Shared {
    wishes: Wishes,
    certificate: watch::Receiver<certificates::State>,
    connections: Arc<Connections>,
    memory: body::Memory,
    /// The turn of a large body.
    large: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    log: Log,
    phase: watch::Sender<Phase>,
    /// From when on a handshake that fails is told of again: milliseconds.
    silent_until: AtomicU64,
    began: Instant,
}

impl Address {
    /// Reads `:10250`, `127.0.0.1:10250`, `[::1]:10250`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text.strip_prefix(':') {
            Some(port) => port.parse().ok().map(Self::All),
            None => text.parse().ok().map(Self::One),
        }
    }

    async fn listen(self) -> Result<TcpListener, Error> {
        let listener = match self {
            // A socket of IPv6 takes both, where there is IPv6.
            Self::All(port) => match TcpListener::bind(("::", port)).await {
                Ok(listener) => Ok(listener),
                Err(_) => TcpListener::bind(("0.0.0.0", port)).await,
            },
            Self::One(address) => TcpListener::bind(address).await,
        };
        listener.map_err(|error| Error(format!("{self}: cannot listen there: {error}")))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All(port) => write!(f, ":{port}"),
            Self::One(address) => address.fmt(f),
        }
    }
}

impl Shared {
    fn is_leaving(&self) -> bool {
        *self.phase.borrow() > Phase::Serving
    }

    /// Counted each time, and told once a second: whoever does not trust our certificate tries again and again.
    fn handshake_failed(&self, why: &str) {
        self.metrics.handshakes_failed.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let until = self.silent_until.load(Ordering::Relaxed);
        let set =
            |now| self.silent_until.compare_exchange(until, now + 1000, Ordering::Relaxed, Ordering::Relaxed);
        if now >= until && set(now).is_ok() {
            self.log.line(Level::Warning, "TLS handshake failed", [("about", why.into())]);
        }
    }
}

/// Serves until TERM or INT, and then until what runs is finished.
///
/// # Errors
/// When it cannot start, in one line.
pub async fn serve(settings: Settings) -> Result<(), Error> {
    let kernel = |error: std::io::Error| Error(format!("the server cannot start: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(kernel)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(kernel)?;
    let log = Log::start().map_err(kernel)?;
    let metrics: Arc<Metrics> = Arc::default();
    tell_panics(&log, &metrics);
    let admin = settings.admin.listen().await?;
    let listener = settings.listen.listen().await?;
    let addresses = [&listener, &admin]
        .map(|listener| listener.local_addr().map(|one| one.to_string()).unwrap_or_default());
    let Certificates { resolver, state } = certificates::start(&settings.certificate).await?;
    let shared = Arc::new(Shared {
        wishes: settings.wishes,
        certificate: state,
        connections: Connections::new(CONNECTIONS),
        memory: body::Memory::default(),
        large: Arc::new(Semaphore::new(1)),
        metrics,
        log: log.clone(),
        phase: watch::Sender::new(Phase::Serving),
        silent_until: AtomicU64::new(0),
        began: Instant::now(),
    });
    let admin = Port {
        listener: admin,
        connections: Connections::new(ADMIN_CONNECTIONS),
        tls: None,
        respond: admin::respond,
    };
    let reviews = Port {
        listener,
        connections: shared.connections.clone(),
        tls: Some(Arc::new(tls(resolver)?)),
        respond: admit::respond,
    };
    let admin = tokio::spawn(admin.accept(shared.clone()));
    let reviews = tokio::spawn(reviews.accept(shared.clone()));
    let [listen, admin_listen] = addresses;
    log.line(
        Level::Info,
        "listening",
        [
            ("address", (&listen).into()),
            ("admin", (&admin_listen).into()),
            ("version", env!("CARGO_PKG_VERSION").into()),
            ("certificate", (&shared.certificate.borrow().text).into()),
        ],
    );
    tokio::spawn(tell_certificate(log.clone(), shared.certificate.clone()));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    leave(&shared, settings.drain).await;
    admin.abort();
    reviews.abort();
    log.flush();
    Ok(())
}

/// Comes to the end. For a part of the time all goes on: endpoints and their rules reach the nodes some time after us.
async fn leave(shared: &Shared, drain: Duration) {
    const LINGER: Duration = Duration::from_secs(5);
    let deadline = Instant::now() + drain;
    shared.phase.send_replace(Phase::Leaving);
    shared.log.line(Level::Info, "leaving", [("connections", number(shared.connections.count()))]);
    sleep(LINGER.min(drain / 5)).await;
    shared.phase.send_replace(Phase::Closing);
    let all = shared.connections.ended(deadline).await;
    let left = if all { 0 } else { shared.connections.count() };
    shared.log.line(Level::Info, "left", [("cut", number(left))]);
}

fn number(count: usize) -> Field<'static> {
    Field::Number(u64::try_from(count).unwrap_or(u64::MAX))
}

fn tls(resolver: Arc<dyn rustls::server::ResolvesServerCert>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error(format!("TLS: {error}")))?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// What becomes of the certificate is a line, each time that it is another one; that it was signed anew is none.
async fn tell_certificate(log: Log, mut certificate: watch::Receiver<certificates::State>) {
    let mut told = certificate.borrow().text.clone();
    while certificate.changed().await.is_ok() {
        let state = certificate.borrow_and_update().clone();
        if state.text != told {
            let level = if state.is_troubled { Level::Warning } else { Level::Info };
            log.line(level, "certificate", [("about", (&state.text).into())]);
            told = state.text;
        }
    }
}

/// Each is a line of the log, too.
fn tell_panics(log: &Log, metrics: &Arc<Metrics>) {
    let (log, metrics) = (log.clone(), metrics.clone());
    std::panic::set_hook(Box::new(move |panic| {
        metrics.panics.fetch_add(1, Ordering::Relaxed);
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("of another kind");
        log.line(Level::Error, "panic", [("about", what.into()), ("at", (&at).into())]);
    }));
}
