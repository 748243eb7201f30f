//! Panics that tests ask for by the header `lastout-panic`, to see that they end where they should. What is released has none.

use hyper::Request;
use hyper::body::Incoming;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panic {
    /// Where a pod is decided on.
    Decision,
    /// Where a request is answered.
    Answer,
    /// Where connections are accepted, at the next one.
    Port,
}

/// Which are asked for of others than the request itself.
#[derive(Debug, Default)]
pub struct Planted {
    port: AtomicBool,
}

impl Panic {
    /// What a request asks for.
    #[must_use]
    pub fn asked_by(request: &Request<Incoming>) -> Option<Self> {
        if !cfg!(debug_assertions) {
            return None;
        }
        match request.headers().get("lastout-panic")?.as_bytes() {
            b"decision" => Some(Self::Decision),
            b"answer" => Some(Self::Answer),
            b"port" => Some(Self::Port),
            _ => None,
        }
    }

    /// Panics, if that is asked for here.
    #[expect(clippy::panic, reason = "it is the panic that tests ask for")]
    pub fn here(self, asked: Option<Self>) {
        if cfg!(debug_assertions) && asked == Some(self) {
            panic!("asked for by the header lastout-panic");
        }
    }
}

impl Planted {
    /// It was asked for by a request.
    pub fn plant(&self, asked: Option<Panic>) {
        if asked == Some(Panic::Port) {
            self.port.store(true, Ordering::Relaxed);
        }
    }

    /// What is asked for of a port.
    #[must_use]
    pub fn of_port(&self) -> Option<Panic> {
        self.port.load(Ordering::Relaxed).then_some(Panic::Port)
    }
}
