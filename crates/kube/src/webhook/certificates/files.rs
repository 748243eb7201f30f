//! The certificate out of PEM files, read again when they change: cert-manager's Secret, mounted, or an administrator's own.
//!
//! They are looked at every second. What a file system tells of changes it tells of what was opened: the kubelet swaps a symbolic
//! link in the path, and network file systems tell nothing.

use super::served::Served;
use super::{Certificates, State, pem};
use crate::exit::Error;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fmt::Display;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

const LOOK: Duration = Duration::from_secs(1);

/// The paths, as the user gave them.
#[derive(Clone)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

/// What a file is that was read: another one has another number or time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    number: u64,
    length: u64,
    changed: (i64, i64),
}

struct Loaded {
    pair: CertifiedKey,
    not_after: Option<SystemTime>,
    stamps: [Stamp; 2],
}

/// Reads them, and goes on looking.
///
/// # Errors
/// When they cannot be used now.
pub(super) async fn start(cert: &Path, key: &Path) -> Result<Certificates, Error> {
    let files = Files { cert: cert.to_owned(), key: key.to_owned() };
    let Some(first) = files.load(None).await? else { return Err(Error("nothing was read".to_owned())) };
    let served = Arc::new(Served::default());
    let text = files.text();
    // Whether it has expired is found at the first look.
    let (publish, state) =
        watch::channel(State { is_ready: true, text, is_troubled: false, not_after: first.not_after });
    let stamps = first.stamps;
    served.replace(first.pair);
    tokio::spawn(files.follow(stamps, served.clone(), publish));
    Ok(Certificates { resolver: served, state })
}

impl Files {
    /// A pair that does not fit may be half of a new one: the old one is served until both are there.
    async fn follow(self, mut stamps: [Stamp; 2], served: Arc<Served>, publish: watch::Sender<State>) {
        let mut not_after = publish.borrow().not_after;
        while !publish.is_closed() {
            tokio::time::sleep(LOOK).await;
            let trouble = match self.load(Some(stamps)).await {
                Ok(None) => None,
                Ok(Some(loaded)) => {
                    (stamps, not_after) = (loaded.stamps, loaded.not_after);
                    served.replace(loaded.pair);
                    None
                }
                Err(error) => Some(format!("; the one loaded before is served: {error}")),
            };
            let is_over = not_after.is_some_and(|end| end <= SystemTime::now());
            let is_troubled = is_over || trouble.is_some();
            let over = if is_over { "; it has expired" } else { "" };
            let text = format!("{}{over}{}", self.text(), trouble.unwrap_or_default());
            let new = State { is_ready: !is_over, text, is_troubled, not_after };
            super::publish(&publish, new);
        }
    }

    fn text(&self) -> String {
        format!("certificate loaded from {}", self.cert.display())
    }

    /// `None`: they are what they were. A file system that does not answer must not keep anyone but this task.
    async fn load(&self, old: Option<[Stamp; 2]>) -> Result<Option<Loaded>, Error> {
        let files = self.clone();
        let load = tokio::task::spawn_blocking(move || files.load_now(old)).await;
        load.map_err(|error| Error(format!("{}: {error}", self.cert.display())))?
    }

    fn load_now(&self, old: Option<[Stamp; 2]>) -> Result<Option<Loaded>, Error> {
        let Self { cert, key } = self;
        // Before they are read: a change in between is found the next time.
        let stamps = [stamp(cert)?, stamp(key)?];
        if old == Some(stamps) {
            return Ok(None);
        }
        let chain = CertificateDer::pem_slice_iter(&read(cert)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| wrong(cert, &error))?;
        let Some(first) = chain.first() else { return Err(wrong(cert, &"there is no certificate in it")) };
        let not_after = pem::not_after(first).map(|end| SystemTime::UNIX_EPOCH + end);
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| wrong(key, &error))?;
        let secret = any_supported_type(&secret).map_err(|error| wrong(key, &error))?;
        let pair = CertifiedKey::new(chain, secret);
        pair.keys_match()
            .map_err(|error| wrong(key, &format!("not the key of {}: {error}", cert.display())))?;
        Ok(Some(Loaded { pair, not_after, stamps }))
    }
}

fn stamp(path: &Path) -> Result<Stamp, Error> {
    let of = |file: Metadata| Stamp {
        device: file.dev(),
        number: file.ino(),
        length: file.len(),
        changed: (file.ctime(), file.ctime_nsec()),
    };
    std::fs::metadata(path).map(of).map_err(|error| wrong(path, &error))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, why: &dyn Display) -> Error {
    Error(format!("{}: {why}", path.display()))
}
