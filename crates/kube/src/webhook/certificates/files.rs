//! The certificate out of PEM files.

use super::{Certificates, State};
use crate::exit::Error;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Debug)]
struct Loaded(Arc<CertifiedKey>);

impl ResolvesServerCert for Loaded {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Reads them.
pub(super) async fn load(cert: &Path, key: &Path) -> Result<Certificates, Error> {
    let (chain, secret) = (read(cert).await?, read(key).await?);
    let wrong = |path: &Path, why: &dyn Display| Error(format!("{}: {why}", path.display()));
    let chain = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<Vec<_>, pem::Error>>()
        .map_err(|error| wrong(cert, &error))?;
    if chain.is_empty() {
        return Err(wrong(cert, &"there is no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|error| wrong(key, &error))?;
    let secret = any_supported_type(&secret).map_err(|error| wrong(key, &error))?;
    let pair = CertifiedKey::new(chain, secret);
    pair.keys_match().map_err(|error| wrong(key, &format!("not the key of {}: {error}", cert.display())))?;
    let text = format!("certificate loaded from {}", cert.display());
    let (_, state) = watch::channel(State { is_ready: true, text, not_after: None });
    Ok(Certificates { resolver: Arc::new(Loaded(Arc::new(pair))), state })
}

async fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let path = path.to_owned();
    let told = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    read.map_err(std::io::Error::other).flatten().map_err(|error| Error(format!("{told}: {error}")))
}
