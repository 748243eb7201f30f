//! The Secret: certificates of authorities in `ca.crt`, their keys in `ca.key`, both the newest first.

use super::ca::Ca;
use super::names::Names;
use super::pem::{self, MOST};
use super::rotation::SeenSecret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Map, Value, json};
use std::cmp::Reverse;

const CERTIFICATES: &str = "ca.crt";
const KEYS: &str = "ca.key";
/// What can be used of a Secret: certificates that have their key in it, in whatever order.
pub(super) fn read(secret: &Value) -> Vec<Ca> {
    let (certificates, keys) = (field(secret, CERTIFICATES), field(secret, KEYS));
    let keys: Vec<PrivateKeyDer<'_>> =
        PrivateKeyDer::pem_slice_iter(&keys).take(MOST).filter_map(Result::ok).collect();
    let mut cas: Vec<Ca> = CertificateDer::pem_slice_iter(&certificates)
        .take(MOST)
        .filter_map(Result::ok)
        .filter_map(|certificate| keys.iter().find_map(|key| Ca::read(certificate.clone(), key)))
        .collect();
    sort(&mut cas);
    cas.dedup_by_key(|ca| ca.certificate.facts.id);
    cas
}

/// What a decision has to know of it.
pub(super) fn seen(secret: &Value, cas: &[Ca]) -> SeenSecret {
    let is_sound =
        !cas.is_empty() && texts(cas).iter().all(|(name, text)| field(secret, name) == text.as_bytes());
    SeenSecret::Present { authorities: cas.iter().map(|ca| ca.certificate.facts).collect(), is_sound }
}

/// A new one.
pub(super) fn create(names: &Names, ca: &Ca) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": names.secret,
            "namespace": names.namespace,
            "labels": { "app.kubernetes.io/name": "lastout", "app.kubernetes.io/component": "webhook" },
        },
        "type": "Opaque",
        "data": data(std::slice::from_ref(ca)),
    })
}

/// The same one with these authorities; what is not ours in it stays.
pub(super) fn update(secret: &Value, cas: &mut [Ca]) -> Value {
    sort(cas);
    let mut secret = secret.clone();
    if let Some(object) = secret.as_object_mut() {
        let old = object.remove("data").and_then(|old| match old {
            Value::Object(old) => Some(old),
            _ => None,
        });
        let mut new = old.unwrap_or_default();
        new.extend(data(cas));
        object.insert("data".to_owned(), Value::Object(new));
        // Items of a list need not say what they are.
        object.insert("apiVersion".to_owned(), "v1".into());
        object.insert("kind".to_owned(), "Secret".into());
    }
    secret
}

fn sort(cas: &mut [Ca]) {
    cas.sort_by_key(|ca| Reverse(ca.certificate.facts.rank()));
}

fn texts(cas: &[Ca]) -> [(&'static str, String); 2] {
    let certificates = cas.iter().map(|ca| ca.certificate.der.as_ref());
    [
        (CERTIFICATES, pem::write("CERTIFICATE", certificates)),
        (KEYS, pem::write("PRIVATE KEY", cas.iter().map(Ca::key))),
    ]
}

fn data(cas: &[Ca]) -> Map<String, Value> {
    texts(cas).into_iter().map(|(name, text)| (name.to_owned(), STANDARD.encode(text).into())).collect()
}

fn field(secret: &Value, name: &str) -> Vec<u8> {
    let text = secret.get("data").and_then(|data| data.get(name)).and_then(Value::as_str);
    text.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default()
}
