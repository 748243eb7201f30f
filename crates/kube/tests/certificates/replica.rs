//! A replica's certificates, before an API server, behind a server that says "ok"; and the client that an API server is to it.

use crate::api::Api;
use kubectl_lastout::cluster::connect::Access;
use kubectl_lastout::webhook::certificates::{self, Certificates, OwnAuthority, Source, State};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, Stream};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;

/// Until a fact, or a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

pub struct Replica {
    pub port: u16,
    state: watch::Receiver<State>,
    /// The process ends with it.
    _life: oneshot::Sender<()>,
    _kubeconfig: tempfile::NamedTempFile,
}

impl Replica {
    pub fn start(api: &Api, certificate_lifetime: Duration, authority_lifetime: Duration) -> Self {
        let kubeconfig = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(kubeconfig.path(), api.kubeconfig().to_string()).unwrap();
        let source = Source::OwnAuthority(OwnAuthority {
            access: Access { kubeconfig: Some(kubeconfig.path().to_owned()), ..Access::default() },
            namespace: None,
            secret: "lastout-webhook-ca".to_owned(),
            service: "lastout-webhook".to_owned(),
            configuration: "zz-lastout".to_owned(),
            certificate_lifetime,
            authority_lifetime,
        });
        let (life, state, port) = serve(source).unwrap();
        Self { port, state, _life: life, _kubeconfig: kubeconfig }
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub fn wait_until_ready(&self) {
        until(|| self.state().is_ready.then_some(()), || self.state());
    }

    /// Waits until `/readyz` says this.
    pub fn wait_for_text(&self, part: &str) {
        until(|| self.state().text.contains(part).then_some(()), || format!("{part}: {:?}", self.state()));
    }
}

/// A server with these certificates, for as long as the sender lives.
pub fn serve(source: Source) -> Result<(oneshot::Sender<()>, watch::Receiver<State>, u16), String> {
    let (life, mut over) = oneshot::channel::<()>();
    let (started, start) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let Certificates { resolver, state } = match certificates::start(&source).await {
                Ok(certificates) => certificates,
                Err(error) => return started.send(Err(error.to_string())).unwrap(),
            };
            let config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver);
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            started.send(Ok((state, listener.local_addr().unwrap().port()))).unwrap();
            loop {
                let stream = tokio::select! {
                    stream = listener.accept() => stream.unwrap().0,
                    _ = &mut over => return,
                };
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let _ = stream.read(&mut [0; 1_024]).await;
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n").await;
                        let _ = stream.shutdown().await;
                    }
                });
            }
        });
    });
    let (state, port) = start.recv().unwrap()?;
    Ok((life, state, port))
}

/// One admission, by an API server that trusts this bundle.
pub fn admit(port: u16, bundle: &str) -> Result<CertificateDer<'static>, String> {
    admit_at(port, bundle, UnixTime::now())
}

/// The same, by one that has this time.
pub fn admit_at(port: u16, bundle: &str, now: UnixTime) -> Result<CertificateDer<'static>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_details(Arc::new(default_provider()), Arc::new(At(now)));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let host = ServerName::try_from("lastout-webhook.lastout.svc").unwrap();
    let mut client = ClientConnection::new(Arc::new(config), host).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    let mut stream = Stream::new(&mut client, &mut socket);
    let mut answer = [0; 15];
    let asked = stream.write_all(b"GET / HTTP/1.1\r\n\r\n").and_then(|()| stream.read_exact(&mut answer));
    asked.map_err(|error| error.to_string())?;
    Ok(client.peer_certificates().unwrap()[0].clone().into_owned())
}

/// A clock that stands.
#[derive(Debug)]
struct At(UnixTime);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// Polls for a fact.
pub fn until<T, D: std::fmt::Debug>(fact: impl Fn() -> Option<T>, context: impl Fn() -> D) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = fact() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{:?}", context());
        std::thread::sleep(POLL);
    }
}
