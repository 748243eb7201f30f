//! Where the server listens.

use crate::exit::Error;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// An address to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// All addresses of the machine, IPv6 and IPv4.
    All(u16),
    /// This one.
    One(SocketAddr),
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

    pub(super) async fn listen(self) -> Result<TcpListener, Error> {
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
