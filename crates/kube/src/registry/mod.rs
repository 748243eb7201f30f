//! `--resolve-images`: what images run, asked of their registries with the user's own credentials.
//!
//! Everything that comes from elsewhere is bounded: the time for an image, the size of each answer, the number of redirects and
//! second tries, the addresses that may be connected to. Nothing is written here; `decide` makes of the answers what it will.

mod auth;
mod client;
mod credentials;
mod guard;
mod image;
mod reference;

pub use image::Platform;

use crate::decide::ImageConfig;
use client::Client;
use credentials::Credential;
pub(crate) use reference::Reference;
use reference::is_loopback;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use ureq::tls::Certificate;

/// So many images are asked for at the same time; registries count questions.
const AT_ONCE: usize = 4;

/// How to ask.
#[derive(Clone, Debug)]
pub struct Ask {
    /// For one image, with all that it takes.
    pub timeout: Duration,
    /// The platform that decides where platforms differ.
    pub platform: Option<Platform>,
}

/// What an image runs, or why that is not known.
pub type Found = Result<ImageConfig, String>;

/// The credential of each repository, looked up when it is first wanted: a helper may ask the user.
type Known = BTreeMap<String, OnceLock<Result<Option<Credential>, String>>>;

/// Asks for these images, each once. `step` is called with the number of those that are done, several times a second.
pub fn resolve(images: &BTreeSet<String>, ask: &Ask, mut step: impl FnMut(usize)) -> BTreeMap<String, Found> {
    let mut found = BTreeMap::new();
    let mut queue = VecDeque::new();
    for text in images {
        match Reference::read(text) {
            Ok(image) => queue.push_back((text.clone(), image)),
            Err(why) => {
                found.insert(text.clone(), Err(format!("it is no name of an image: {why}")));
            }
        }
    }
    if queue.is_empty() {
        return found;
    }
    let roots =
        if queue.iter().all(|(_, image)| is_loopback(image.endpoint())) { Vec::new() } else { roots() };
    let roots = Arc::new(roots);
    // By repository: a credential may be for a part of a registry only.
    let known: Known = queue.iter().map(|(_, image)| (place(image), OnceLock::new())).collect();
    let (total, queue) = (queue.len(), Mutex::new(queue));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(total) {
            let (sender, queue, known, roots) = (sender.clone(), &queue, &known, &roots);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((text, image)) = next else { return };
                    let _ = sender.send((text, one(&image, ask, roots, known)));
                }
            });
        }
        drop(sender);
        let mut done = 0;
        while done < total {
            match receiver.recv_timeout(Duration::from_millis(200)) {
                Ok((text, answer)) => {
                    done += 1;
                    found.insert(text, answer);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            step(done);
        }
    });
    found
}

fn one(image: &Reference, ask: &Ask, roots: &Arc<Vec<Certificate<'static>>>, known: &Known) -> Found {
    let look_up = |deadline: Instant| match known.get(&place(image)) {
        Some(known) => known.get_or_init(|| credentials::find(image, deadline)).clone(),
        None => credentials::find(image, deadline),
    };
    let mut client = Client::new(image, ask.timeout, roots, &look_up);
    image::read(&mut client, image, ask.platform.as_ref())
        .map_err(|why| format!("registry {}: {}", image.registry, shortened(&why)))
}

/// A reason may quote what came from elsewhere: a certificate's hundred names, an address of any length.
fn shortened(why: &str) -> String {
    const MOST: usize = 300;
    let why = why.replace(char::is_control, "?");
    if why.chars().count() <= MOST { why } else { why.chars().take(MOST).chain(['…']).collect() }
}

/// What shares a credential.
fn place(image: &Reference) -> String {
    format!("{}/{}", image.registry, image.repository)
}

/// Whom this machine trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` say otherwise. Where there is nobody, the handshake says so.
fn roots() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    found.certs.iter().map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned()).collect()
}
