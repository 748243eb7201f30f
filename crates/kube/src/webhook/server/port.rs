//! A port: its connections, from their beginning to their end.

use super::answer::{self, Answer};
use super::connections::{Connections, Place};
use super::log::Level;
use super::memory::{BUFFER, UNSENT};
use super::refusal::Refusal;
use super::shared::{Phase, Shared};
use futures_util::FutureExt as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// For the handshake, and again for the head of the first request; and how often we look at who does not go on.
const PROGRESS: Duration = Duration::from_secs(10);
/// For the head of each further one: API servers keep a connection for 90 s after its last request, and it is they who are to
/// close it, as a request that meets our end of it would be lost.
const IDLE: Duration = Duration::from_secs(180);
/// For the end of TCP handshakes that had begun when the port closes: a way there and back.
const HANDSHAKE: Duration = Duration::from_millis(200);

/// Answers a request.
pub type Respond<F> = fn(Arc<Shared>, Request<Incoming>, Arc<Place>) -> F;

/// A port.
pub struct Port<F> {
    /// Where clients come in.
    pub listener: TcpListener,
    /// How many, and which.
    pub connections: Arc<Connections>,
    /// `None`: plain HTTP.
    pub tls: Option<Arc<ServerConfig>>,
    /// What they get.
    pub respond: Respond<F>,
    /// From when on none are accepted, and those that are idle end.
    pub closes: Phase,
}

/// What all connections of a port have.
struct Served<F> {
    shared: Arc<Shared>,
    acceptor: Option<TlsAcceptor>,
    respond: Respond<F>,
    closes: Phase,
}

impl<F: Future<Output = Answer> + Send + 'static> Port<F> {
    /// Accepts connections until the port closes.
    pub async fn accept(self, shared: Arc<Shared>) {
        let served = Arc::new(Served {
            shared,
            acceptor: self.tls.clone().map(TlsAcceptor::from),
            respond: self.respond,
            closes: self.closes,
        });
        self.listen(&served).await;
        // What the kernel has accepted meanwhile would be reset. It is asked itself: tokio may not have heard of all.
        let Ok(listener) = self.listener.into_std() else { return };
        while let Ok((stream, peer)) = listener.accept() {
            let Some(place) = self.connections.free_place(peer.ip()) else { return };
            if let Some(stream) = nonblocking(stream) {
                tokio::spawn(served.clone().connection(stream, place));
            }
        }
    }

    /// Serves those who come, until the port closes and new ones are refused.
    async fn listen(&self, served: &Arc<Served<F>>) {
        let mut phase = served.shared.phase.subscribe();
        let mut closing = pin!(async {
            let _ = phase.wait_for(|phase| *phase >= self.closes).await;
            if refuse_new(&self.listener).is_ok() {
                sleep(HANDSHAKE).await;
            }
        });
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = &mut closing => break,
            };
            super::planted::Panic::Port.here(served.shared.planted.of_port());
            match accepted {
                Ok((stream, peer)) => {
                    // It has been accepted: with room it is served, even if the port closes meanwhile.
                    let (place, is_closing) = tokio::select! {
                        biased;
                        place = self.connections.place(peer.ip(), |peer| served.shared.displaced(peer)) => (Some(place), false),
                        _ = &mut closing => (self.connections.free_place(peer.ip()), true),
                    };
                    if let Some(place) = place {
                        tokio::spawn(served.clone().connection(stream, place));
                    }
                    if is_closing {
                        break;
                    }
                }
                // No descriptors, mostly. Some will be free again.
                Err(error) => {
                    served.shared.log.line(
                        Level::Error,
                        "no connection",
                        [("about", (&error.to_string()).into())],
                    );
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// Drops the segments that begin a connection. One that came between our last look and the end of the port would be accepted and
/// reset; this way its client asks again a second later, and is refused. Accepted sockets have the filter as well, and get no
/// such segments.
#[cfg(target_os = "linux")]
fn refuse_new(listener: &TcpListener) -> std::io::Result<()> {
    use socket2::{SockFilter, SockRef};
    // Classic BPF (linux/filter.h): load a byte of the segment, jump if any of these bits is set, return how much of it is kept.
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

#[cfg(not(target_os = "linux"))]
fn refuse_new(_: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn nonblocking(stream: std::net::TcpStream) -> Option<TcpStream> {
    stream.set_nonblocking(true).ok()?;
    TcpStream::from_std(stream).ok()
}

impl<F: Future<Output = Answer> + Send + 'static> Served<F> {
    async fn connection(self: Arc<Self>, stream: TcpStream, place: Place) {
        // Without it an answer may wait for the acknowledgement of what was sent before.
        let _ = stream.set_nodelay(true);
        let place = Arc::new(place);
        let Some(acceptor) = &self.acceptor else { return self.serve(stream, place).await };
        let handshake = tokio::select! {
            handshake = timeout(PROGRESS, acceptor.accept(stream)) => handshake,
            () = place.displaced() => return,
            () = self.ends(&place) => return,
        };
        match handshake {
            Ok(Ok(mut stream)) => {
                stream.get_mut().1.set_buffer_limit(Some(UNSENT));
                self.serve(stream, place).await;
            }
            Ok(Err(error)) => self.shared.handshake_failed(&error.to_string(), place.peer()),
            Err(_) => self.shared.handshake_failed("the client did not finish it in time", place.peer()),
        }
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin, place: Arc<Place>) {
        let service = service_fn({
            let (shared, place, respond) = (self.shared.clone(), place.clone(), self.respond);
            move |request| {
                let (shared, place) = (shared.clone(), place.clone());
                async move {
                    let running = place.clone().run().await;
                    let answer =
                        AssertUnwindSafe(async { respond(shared.clone(), request, place.clone()).await });
                    let answer = answer.catch_unwind().await.unwrap_or_else(|_| {
                        let refused = Refusal::Fault.into();
                        shared.refused(&refused, place.peer());
                        answer::refusal(refused)
                    });
                    place.answering(answer.status().is_success());
                    Ok::<_, Infallible>(answer::sent(answer, running))
                }
            }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(BUFFER);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut look = interval_at(Instant::now() + PROGRESS, PROGRESS);
        let mut ends = pin!(self.ends(&place));
        let mut is_ending = false;
        loop {
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = look.tick() => {
                    if place.is_overdue() {
                        return;
                    }
                }
                () = place.displaced() => return,
                () = &mut ends, if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    /// Returns when the port closes, and this connection had the time for its first request: until then it may be on its way.
    async fn ends(&self, place: &Place) {
        let mut phase = self.shared.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase >= self.closes).await;
        place.begun().await;
    }
}
