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
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

const LOOK: Duration = Duration::from_secs(1);
/// A Secret has no more.
const LONGEST: u64 = 1024 * 1024;

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

/// A pair that was read.
struct Loaded {
    pair: CertifiedKey,
    facts: Facts,
}

/// What has to be known of it once it is served.
#[derive(Clone, Copy)]
struct Facts {
    stamps: [Stamp; 2],
    /// The first and the last moment. `None`: the certificate does not say it in a way that we can read.
    valid: Option<(SystemTime, SystemTime)>,
}

/// Reads them, and goes on looking.
///
/// # Errors
/// When they cannot be used now.
pub(super) async fn start(cert: &Path, key: &Path) -> Result<Certificates, Error> {
    let files = Files { cert: cert.to_owned(), key: key.to_owned() };
    let Some(Loaded { pair, facts }) = files.load(None).await? else {
        return Err(Error("nothing was read".to_owned()));
    };
    let served = Arc::new(Served::default());
    let (state_sender, state) = watch::channel(files.state(facts, None));
    served.replace(pair);
    tokio::spawn(files.follow(facts, served.clone(), state_sender));
    Ok(Certificates { resolver: served, state })
}

impl Facts {
    /// Why a verifier whose clock is ours would not take it.
    fn objection(self, now: SystemTime) -> Option<&'static str> {
        let (from, until) = self.valid?;
        if until <= now {
            return Some("it has expired");
        }
        (now < from).then_some("it is not valid yet")
    }
}

impl Files {
    /// A pair that does not fit may be half of a new one: the old one is served until both are there. So it is while a new one
    /// would not be taken by anyone, if the old one is.
    async fn follow(self, mut facts: Facts, served: Arc<Served>, state: watch::Sender<State>) {
        while !state.is_closed() {
            tokio::time::sleep(LOOK).await;
            let now = SystemTime::now();
            let trouble = match self.load(Some(facts.stamps)).await {
                Ok(None) => None,
                Ok(Some(new)) => match new.facts.objection(now) {
                    Some(why) if facts.objection(now).is_none() => Some(wrong(&self.cert, &why)),
                    Some(_) | None => {
                        facts = new.facts;
                        served.replace(new.pair);
                        None
                    }
                },
                Err(error) => Some(error),
            };
            super::publish(&state, self.state(facts, trouble));
        }
    }

    fn state(&self, served: Facts, trouble: Option<Error>) -> State {
        let objection = served.objection(SystemTime::now());
        let mut text = format!("certificate loaded from {}", self.cert.display());
        if let Some(why) = objection {
            text.push_str(&format!("; {why}"));
        }
        if let Some(error) = &trouble {
            text.push_str(&format!("; the one loaded before is served: {error}"));
        }
        State {
            is_ready: objection.is_none(),
            is_troubled: objection.is_some() || trouble.is_some(),
            is_trusted: None,
            not_after: served.valid.map(|(_, until)| until),
            text,
        }
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
        let moment = |since: Duration| SystemTime::UNIX_EPOCH + since;
        let valid = pem::validity_of(first).map(|(from, until)| (moment(from), moment(until)));
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| wrong(key, &error))?;
        let secret = any_supported_type(&secret).map_err(|error| wrong(key, &error))?;
        let pair = CertifiedKey::new(chain, secret);
        pair.keys_match()
            .map_err(|error| wrong(key, &format!("not the key of {}: {error}", cert.display())))?;
        Ok(Some(Loaded { pair, facts: Facts { stamps, valid } }))
    }
}

/// Looked at before it is opened: to open a FIFO waits for who writes into it, for ever.
fn stamp(path: &Path) -> Result<Stamp, Error> {
    let file = std::fs::metadata(path).map_err(|error| wrong(path, &error))?;
    if !file.is_file() {
        return Err(wrong(path, &"it is no regular file"));
    }
    if file.len() > LONGEST {
        return Err(wrong(path, &format!("it has {} bytes, and {LONGEST} are the most", file.len())));
    }
    Ok(Stamp {
        device: file.dev(),
        number: file.ino(),
        length: file.len(),
        changed: (file.ctime(), file.ctime_nsec()),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, why: &dyn Display) -> Error {
    Error(format!("{}: {why}", path.display()))
}
