//! Where the webhook's certificate comes from, and what that takes in the cluster.

use super::{NAME, Settings, metadata};
use serde_json::{Value, json};

/// Where the webhook's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificates {
    /// The webhook makes it, and writes its authority into the configuration.
    Itself,
    /// cert-manager makes it, and writes its authority into the configuration.
    CertManager,
    /// Somebody else puts it into a Secret.
    Secret {
        /// The Secret's name.
        name: String,
        /// The authority, base64 of PEM. Without it the API server trusts what its own machine trusts.
        ca_bundle: Option<String>,
    },
}

/// The Secret that cert-manager writes, or, where no other is named, somebody else.
pub const TLS_SECRET: &str = "lastout-webhook-tls";
/// The authority's Certificate, Secret and Issuer.
const AUTHORITY: &str = "lastout-webhook-authority";
const FOLDER: &str = "/tls";

impl Certificates {
    /// The Secret that is mounted.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::Itself => None,
            Self::CertManager => Some(TLS_SECRET),
            Self::Secret { name, .. } => Some(name),
        }
    }

    /// What the webhook is told.
    pub(super) fn arguments(&self) -> Vec<String> {
        match self {
            Self::Itself => Vec::new(),
            Self::CertManager | Self::Secret { .. } => {
                vec![format!("--tls-cert={FOLDER}/tls.crt"), format!("--tls-key={FOLDER}/tls.key")]
            }
        }
    }

    pub(super) fn volumes(&self) -> Option<(Value, Value)> {
        let secret = self.secret()?;
        Some((
            json!([{ "name": "tls", "secret": { "secretName": secret } }]),
            json!([{ "name": "tls", "mountPath": FOLDER, "readOnly": true }]),
        ))
    }

    /// What cert-manager's injector looks for.
    pub(super) fn annotations(&self, namespace: &str) -> Option<Value> {
        match self {
            Self::CertManager => {
                Some(json!({ "cert-manager.io/inject-ca-from": format!("{namespace}/{NAME}") }))
            }
            Self::Itself | Self::Secret { .. } => None,
        }
    }
}

/// cert-manager's. Not one self-signed certificate: at its renewal the API server trusts the new one at once, and the kubelet
/// brings it to the pods a minute later. An authority that outlives the certificates it signs has no such minute; nor has its own
/// renewal, as it keeps its key: what it has signed is valid by the new one, too. With a new key cert-manager before 1.19, whose
/// injector replaces the old authority, and adds none, has that minute.
pub(super) fn objects(settings: &Settings) -> Vec<Value> {
    if settings.certificates != Certificates::CertManager {
        return Vec::new();
    }
    let object = |kind: &str, name: &str, spec: Value| json!({ "apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": metadata(settings, name), "spec": spec });
    let signed_by = |name: &str| json!({ "group": "cert-manager.io", "kind": "Issuer", "name": name });
    let key = |policy: &str| json!({ "algorithm": "ECDSA", "size": 256, "rotationPolicy": policy });
    let self_signed = format!("{NAME}-self-signed");
    vec![
        object("Issuer", &self_signed, json!({ "selfSigned": {} })),
        object(
            "Certificate",
            AUTHORITY,
            json!({
                "commonName": AUTHORITY,
                "isCA": true,
                "duration": "87600h0m0s",
                "secretName": AUTHORITY,
                "privateKey": key("Never"),
                "issuerRef": signed_by(&self_signed),
            }),
        ),
        object("Issuer", AUTHORITY, json!({ "ca": { "secretName": AUTHORITY } })),
        object(
            "Certificate",
            NAME,
            json!({
                "dnsNames": settings.names().hosts(),
                "duration": "2160h0m0s",
                "secretName": TLS_SECRET,
                "privateKey": key("Always"),
                "usages": ["digital signature", "server auth"],
                "issuerRef": signed_by(AUTHORITY),
            }),
        ),
    ]
}
