//! The server around the reviews.
//!
//! | phase | `/readyz` | new connections | open ones |
//! |---|---|---|---|
//! | serving | as the certificate is | yes | kept |
//! | leaving: TERM came | no | yes: not all have heard of it | each ends after its next answer |
//! | closing | no | those that had begun; others are refused, a second later | each ends when it is idle; the rest at the deadline |
//! | ended: at the deadline, when all have ended, or at the second TERM | | | cut |
//!
//! The second port answers until the end.

mod address;
mod admin;
mod admit;
mod answer;
mod body;
mod connections;
mod log;
mod memory;
mod metrics;
mod planted;
mod port;
mod refusal;
mod shared;
mod signals;
mod throttle;

pub use address::Address;
pub use admit::PATH;
pub use memory::{LIMIT as MEMORY_LIMIT, THREADS};

use super::admission::Wishes;
use super::certificates::{self, Certificates, Source};
use crate::exit::Error;
use connections::Connections;
use log::{Field, Level, Log};
use memory::Memory;
use metrics::Metrics;
use planted::Planted;
use port::Port;
use rustls::ServerConfig;
use shared::{Phase, Shared, Throttles};
use signals::{Ends, Others};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

/// Of the second port: probes and Prometheus.
const ADMIN_CONNECTIONS: usize = 64;

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

/// Serves until TERM or INT, and then until what runs is finished.
///
/// # Errors
/// When it cannot start, or when a part of it has ended by a fault, in one line.
pub async fn serve(settings: Settings) -> Result<(), Error> {
    let kernel = |error: std::io::Error| Error(format!("the server cannot start: {error}"));
    let mut ends = Ends::new().map_err(kernel)?;
    let others = Others::new().map_err(kernel)?;
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
        connections: Connections::new(memory::CONNECTIONS),
        memory: Memory::default(),
        turn: Arc::new(Semaphore::new(1)),
        metrics,
        log: log.clone(),
        phase: watch::Sender::new(Phase::Serving),
        planted: Planted::default(),
        throttles: Throttles::default(),
    });
    let admin = Port {
        listener: admin,
        connections: Connections::new(ADMIN_CONNECTIONS),
        tls: None,
        respond: admin::respond,
        closes: Phase::Ended,
    };
    let reviews = Port {
        listener,
        connections: shared.connections.clone(),
        tls: Some(Arc::new(tls(resolver)?)),
        respond: admit::respond,
        closes: Phase::Closing,
    };
    let mut admin = tokio::spawn(admin.accept(shared.clone()));
    let mut reviews = tokio::spawn(reviews.accept(shared.clone()));
    let mut certificate = tokio::spawn(tell_certificate(log.clone(), shared.certificate.clone()));
    tokio::spawn(others.ignore(log.clone()));
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
    // None of the three ends before; if one does, the kubelet starts all of it again.
    let part = tokio::select! {
        () = ends.next() => None,
        _ = &mut reviews => Some("what accepts connections of API servers"),
        _ = &mut admin => Some("what accepts connections of probes"),
        _ = &mut certificate => Some("what sees to the certificate"),
    };
    if let Some(part) = part {
        log.flush();
        return Err(Error(format!("{part} has ended by a fault; see the log")));
    }
    tokio::select! {
        () = leave(&shared, reviews, settings.drain) => {}
        () = ends.next() => tell_left(&shared),
    }
    shared.phase.send_replace(Phase::Ended);
    log.flush();
    Ok(())
}

/// Comes to the end. For a part of the time all goes on: endpoints and their rules reach the nodes some time after us.
async fn leave(shared: &Shared, reviews: JoinHandle<()>, drain: Duration) {
    const LINGER: Duration = Duration::from_secs(5);
    let deadline = Instant::now() + drain;
    shared.phase.send_replace(Phase::Leaving);
    shared.log.line(Level::Info, "leaving", [("connections", number(shared.connections.count()))]);
    sleep(LINGER.min(drain / 5)).await;
    shared.phase.send_replace(Phase::Closing);
    // Those that the kernel has accepted are connections, too.
    let _ = timeout_at(deadline, reviews).await;
    shared.connections.ended(deadline).await;
    tell_left(shared);
}

fn tell_left(shared: &Shared) {
    shared.log.line(Level::Info, "left", [("cut", number(shared.connections.count()))]);
}

fn number(count: usize) -> Field<'static> {
    Field::Number(u64::try_from(count).unwrap_or(u64::MAX))
}

fn tls(resolver: Arc<dyn rustls::server::ResolvesServerCert>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error(format!("TLS: {error}")))?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
    // Since 1.16 API servers offer a Service's webhook nothing else, so as to spread requests over its replicas
    // (kubernetes/kubernetes#82090). In HTTP/2 one connection may hold as many bodies as it has streams.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
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
