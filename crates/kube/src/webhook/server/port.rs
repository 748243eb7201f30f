//! A port: its connections, from their beginning to their end.

use super::admit::Answer;
use super::connections::{Connections, Place};
use super::log::Level;
use super::{Phase, Shared};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// For the handshake, and again for the head of the first request.
const BEGINNING: Duration = Duration::from_secs(10);
/// For the head of each further one: API servers keep a connection for 90 s after its last request, and it is they who are to
/// close it, as a request that meets our end of it would be lost.
const IDLE: Duration = Duration::from_secs(180);
/// A peer that has gone without a word.
const ALIVE: Duration = Duration::from_secs(30);
/// Requests at once within one HTTP/2 connection.
const STREAMS: u32 = 100;
/// What a connection may hold of what was sent, before anybody has asked for it.
const HELD: u32 = 64 * 1024;

/// Answers a request.
pub type Respond<F> = fn(Arc<Shared>, Request<Incoming>) -> F;

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
}

impl<F: Future<Output = Answer> + Send + 'static> Port<F> {
    /// Accepts connections until the server closes.
    pub async fn accept(self, shared: Arc<Shared>) {
        let mut phase = shared.phase.subscribe();
        let mut closing = pin!(phase.wait_for(|phase| *phase == Phase::Closing));
        let acceptor = self.tls.map(TlsAcceptor::from);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = &mut closing => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let place = self.connections.place(&shared.metrics.displaced).await;
                    tokio::spawn(connection(shared.clone(), stream, place, acceptor.clone(), self.respond));
                }
                // No descriptors, mostly. Some will be free again.
                Err(error) => {
                    shared.log.line(Level::Error, "no connection", [("about", (&error.to_string()).into())]);
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn connection<F: Future<Output = Answer> + Send + 'static>(
    shared: Arc<Shared>,
    stream: TcpStream,
    place: Place,
    acceptor: Option<TlsAcceptor>,
    respond: Respond<F>,
) {
    // Without it an answer may wait for the acknowledgement of what was sent before.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else { return serve(shared, stream, place, respond, false).await };
    let handshake = tokio::select! {
        handshake = timeout(BEGINNING, acceptor.accept(stream)) => handshake,
        () = place.activity.displaced.notified() => return,
    };
    match handshake {
        Ok(Ok(stream)) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            serve(shared, stream, place, respond, is_http2).await;
        }
        Ok(Err(error)) => shared.handshake_failed(&error.to_string()),
        Err(_) => shared.handshake_failed("the client did not finish it in time"),
    }
}

async fn serve<F: Future<Output = Answer> + Send + 'static>(
    shared: Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    place: Place,
    respond: Respond<F>,
    is_http2: bool,
) {
    let place = Arc::new(place);
    let service = service_fn({
        let (shared, place) = (shared.clone(), place.clone());
        move |request| {
            let (shared, place) = (shared.clone(), place.clone());
            async move {
                let _running = place.run();
                Ok::<Response<_>, Infallible>(respond(shared, request).await)
            }
        }
    });
    let stream = TokioIo::new(stream);
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .initial_connection_window_size(HELD)
            .initial_stream_window_size(HELD)
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE);
        drive(builder.serve_connection(stream, service), &shared, &place).await;
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE);
        builder.max_buf_size(usize::try_from(HELD).unwrap_or(usize::MAX));
        drive(builder.serve_connection(stream, service), &shared, &place).await;
    }
}

/// A connection that can be told to come to its end.
trait Graceful: Future {
    /// What runs is finished.
    fn finish(self: Pin<&mut Self>);
    /// It may be told before the port closes: its protocol loses no request by that.
    const EARLY: bool;
}

impl<I, S> Graceful for http1::Connection<I, S>
where
    S: hyper::service::HttpService<Incoming, ResBody = super::admit::Content>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    const EARLY: bool = false;

    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S> Graceful for http2::Connection<I, S, TokioExecutor>
where
    S: hyper::service::HttpService<Incoming, ResBody = super::admit::Content>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, super::admit::Content>,
{
    const EARLY: bool = true;

    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

async fn drive<C: Graceful>(connection: C, shared: &Shared, place: &Place) {
    let mut connection = pin!(connection);
    let mut phase = shared.phase.subscribe();
    let last = if C::EARLY { Phase::Leaving } else { Phase::Closing };
    let mut beginning = pin!(sleep(BEGINNING));
    let mut is_beginning = true;
    let mut is_finishing = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = &mut beginning, if is_beginning => {
                is_beginning = false;
                if !place.activity.was_used() {
                    return;
                }
            }
            () = place.activity.displaced.notified() => return,
            _ = phase.wait_for(|phase| *phase >= last), if !is_finishing => {
                is_finishing = true;
                connection.as_mut().finish();
            }
        }
    }
}
