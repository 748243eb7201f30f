//! `caBundle` of the MutatingWebhookConfiguration: base64 of PEM, in each entry that calls our Service.

use super::names::Names;
use super::pem::{Certificate, read_certificates, write_certificates};
use super::rotation::{Authority, Bundle, SeenConfiguration};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What a decision has to know of the configuration, and the certificates in it.
pub(super) fn read(configuration: &Value, names: &Names) -> (SeenConfiguration, Vec<Certificate>) {
    let mut certificates = Vec::new();
    let bundles: Vec<Bundle> = entries(configuration, names)
        .map(|(_, entry)| {
            let text = pem_of(entry);
            let of_entry = read_certificates(&text);
            let is_sound = write_certificates(&of_entry).as_bytes() == text;
            let authorities = of_entry.iter().map(|certificate| certificate.facts).collect();
            certificates.extend(of_entry);
            Bundle { authorities, is_sound }
        })
        .collect();
    let seen =
        if bundles.is_empty() { SeenConfiguration::Absent } else { SeenConfiguration::Present(bundles) };
    (seen, certificates)
}

/// A JSON patch that puts `certificates` into each entry, if the configuration is still what it was: in place of others it
/// would carry the bundle into an entry that moved there meanwhile.
pub(super) fn patch(configuration: &Value, names: &Names, certificates: &[Certificate]) -> Value {
    let version = configuration.pointer("/metadata/resourceVersion");
    let test = json!({ "op": "test", "path": "/metadata/resourceVersion", "value": version });
    let bundle = STANDARD.encode(write_certificates(certificates));
    let writes = entries(configuration, names).map(|(index, _)| {
        let path = format!("/webhooks/{index}/clientConfig/caBundle");
        // RFC 6902: what is there is replaced.
        json!({ "op": "add", "path": path, "value": bundle })
    });
    std::iter::once(test).chain(writes).collect()
}

/// Those of `certificates` that are wanted, each once.
pub(super) fn choose(
    certificates: impl Iterator<Item = Certificate>,
    wanted: &[Authority],
) -> Vec<Certificate> {
    let mut chosen: Vec<Certificate> =
        certificates.filter(|certificate| wanted.contains(&certificate.facts)).collect();
    chosen.sort_by_key(|certificate| certificate.facts.rank());
    chosen.dedup_by_key(|certificate| certificate.facts.id);
    chosen
}

fn entries<'a>(configuration: &'a Value, names: &'a Names) -> impl Iterator<Item = (usize, &'a Value)> {
    let all = configuration.get("webhooks").and_then(Value::as_array);
    all.into_iter().flatten().enumerate().filter(|(_, entry)| {
        let service = |key| entry.get("clientConfig")?.get("service")?.get(key)?.as_str();
        service("name") == Some(&names.service) && service("namespace") == Some(&names.namespace)
    })
}

fn pem_of(entry: &Value) -> Vec<u8> {
    let text = entry.pointer("/clientConfig/caBundle").and_then(Value::as_str).unwrap_or_default();
    STANDARD.decode(text).unwrap_or_default()
}
