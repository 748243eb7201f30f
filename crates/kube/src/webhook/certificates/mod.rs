//! Where the certificate comes from that the server shows to the API server.
//!
//! ```text
//! files ──────────────────────────────────────────────┐
//! objects ─► secret, bundle ─► rotation (pure) ─► ca ──┴─► served, State
//! ```
//! `files` reads a pair again when it changes. `own_authority` drives the second line: what is seen, what is decided, what is signed
//! and written.

mod bundle;
mod ca;
mod files;
pub mod lifetimes;
pub mod names;
mod objects;
mod own_authority;
mod pem;
pub mod rights;
pub mod rotation;
mod secret;
mod served;
#[cfg(test)]
mod tests;
mod write_limit;

use crate::cluster::connect::Access;
use crate::exit::Error;
use rustls::server::ResolvesServerCert;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// Where it comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// PEM files, as cert-manager's Secret is mounted.
    Files {
        /// The certificate, and those between it and the authority.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// An authority of our own, whose certificate goes into the webhook's configuration.
    OwnAuthority(OwnAuthority),
}

/// What belongs to an authority of our own.
#[derive(Clone, Debug)]
pub struct OwnAuthority {
    /// The API server.
    pub access: Access,
    /// The namespace of the Secret and the Service; `None`: that of the pod we run in.
    pub namespace: Option<String>,
    /// The Secret that has the authority's certificate and key.
    pub secret: String,
    /// The Service whose name the certificate is for.
    pub service: String,
    /// The `MutatingWebhookConfiguration` that gets the authority's certificate.
    pub configuration: String,
    /// How long the server's certificate holds.
    pub certificate_lifetime: Duration,
    /// How long the authority's holds.
    pub authority_lifetime: Duration,
}

/// How far the certificate is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// An API server that asks us now will trust us, as far as can be seen from here.
    pub is_ready: bool,
    /// Why that is so, or not, for `/readyz`: one line.
    pub text: String,
    /// Something is not as it should be; the text says what.
    pub is_troubled: bool,
    /// Its authority is in each `caBundle` that calls us, and it is not over. `None`: whom the API server trusts is not our
    /// business, as the certificate comes from files.
    pub is_trusted: Option<bool>,
    /// When the certificate that is shown ends, if that is known.
    pub not_after: Option<SystemTime>,
}

/// What the server needs of it.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The certificate that is shown.
    pub resolver: Arc<dyn ResolvesServerCert>,
    /// How far it is. The sender is gone where nobody sees to the certificate any more: that is a fault of ours, and the
    /// process should end.
    pub state: watch::Receiver<State>,
}

/// Loads or makes the certificate, and goes on seeing to it.
///
/// # Errors
/// When nothing can come of it, in one line.
pub async fn start(source: &Source) -> Result<Certificates, Error> {
    match source {
        Source::Files { cert, key } => files::start(cert, key).await,
        Source::OwnAuthority(own) => own_authority::start(own).await,
    }
}

/// Wakes those who wait for news, if it is one.
fn publish(publisher: &watch::Sender<State>, new: State) {
    publisher.send_if_modified(|state| {
        let is_news = *state != new;
        *state = new;
        is_news
    });
}
