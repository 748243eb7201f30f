//! An authority with its key: made, read, and signing.

use super::lifetimes::{BACKDATED, Lifetimes};
use super::names::Names;
use super::pem::{Certificate, ORGANIZATION};
use super::rotation::Leaf;
use crate::exit::Error;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use std::time::{Duration, SystemTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// An authority that can sign.
pub(super) struct Ca {
    pub(super) certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    /// A new one. Its subject is its own: where it is that of a leaf, too, OpenSSL takes the leaf for self-signed.
    pub(super) fn make(names: &Names, lifetimes: Lifetimes, now: Duration) -> Result<Self, Error> {
        let failed = |error| failed("an authority", &error);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = params(now, lifetimes.end_of_authority(now));
        params.distinguished_name.push(DnType::OrganizationName, ORGANIZATION);
        // Two of them are trusted during a rotation: verifiers that look for the issuer by its name find one.
        let name = format!("{}.{} since {}", names.secret, names.namespace, now.as_millis());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self::read(certificate.into(), &key)
            .ok_or_else(|| Error("an authority that was made cannot be read".to_owned()))
    }

    /// `None`: it is no authority, or the key is not its own, or of a kind that ring does not know.
    pub(super) fn read(certificate: CertificateDer<'static>, key: &PrivateKeyDer<'_>) -> Option<Self> {
        let key = KeyPair::try_from(key).ok()?;
        let (_, parsed) = X509Certificate::from_der(&certificate).ok()?;
        if parsed.public_key().subject_public_key.data != key.public_key_raw() {
            return None;
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key).ok()?;
        Some(Self { certificate: Certificate::read(certificate)?, issuer })
    }

    /// The private key, as PKCS#8.
    pub(super) fn key(&self) -> &[u8] {
        self.issuer.key().serialized_der()
    }

    /// A leaf with a key of its own, which never leaves this process.
    pub(super) fn sign(&self, names: &Names, leaf: &Leaf) -> Result<CertifiedKey, Error> {
        let failed = |error| failed("a certificate", &error);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = params(leaf.from, leaf.until);
        let hosts = names.hosts();
        params.distinguished_name.push(DnType::OrganizationName, ORGANIZATION);
        let names = CertificateParams::new(hosts.to_vec()).map_err(failed)?;
        params.subject_alt_names = names.subject_alt_names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        CertifiedKey::from_der(vec![certificate.into()], key, &default_provider())
            .map_err(|error| Error(format!("a certificate that was signed cannot be served: {error}")))
    }
}

/// Valid from a while before `from`.
fn params(from: Duration, until: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = (SystemTime::UNIX_EPOCH + from.saturating_sub(BACKDATED)).into();
    params.not_after = (SystemTime::UNIX_EPOCH + until).into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

fn failed(what: &str, error: &rcgen::Error) -> Error {
    Error(format!("{what} cannot be made: {error}"))
}
