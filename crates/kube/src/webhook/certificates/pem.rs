//! Certificates and keys as text.

use super::rotation::Authority;
use ::pem::{EncodeConfig, LineEnding, Pem, encode_many_config};
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::cmp::Reverse;
use std::time::Duration;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// What we call ourselves in certificates.
pub(super) const ORGANIZATION: &str = "lastout";

const CONFIG: EncodeConfig = EncodeConfig::new().set_line_ending(LineEnding::LF);

/// Sections with this label, in this order.
pub(super) fn write<'a>(label: &str, sections: impl Iterator<Item = &'a [u8]>) -> String {
    let sections: Vec<Pem> = sections.map(|section| Pem::new(label, section)).collect();
    encode_many_config(&sections, CONFIG).replace("\n\n", "\n")
}

/// Certificates, the newest first.
pub(super) fn write_certificates(certificates: &[Certificate]) -> String {
    let mut sorted: Vec<&Certificate> = certificates.iter().collect();
    sorted.sort_by_key(|certificate| Reverse(certificate.facts.rank()));
    write("CERTIFICATE", sorted.into_iter().map(|certificate| certificate.der.as_ref()))
}

/// The certificates of authorities that can be read; others are passed over.
pub(super) fn read_certificates(text: &[u8]) -> Vec<Certificate> {
    // An error that does not move on would be found for ever.
    let sections = CertificateDer::pem_slice_iter(text).take(MOST);
    sections.filter_map(|der| Certificate::read(der.ok()?)).collect()
}

/// Far more than two authorities that overlap: so many are read of a Secret, and of a `caBundle`.
pub(super) const MOST: usize = 64;

/// The certificate of an authority.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) facts: Authority,
    pub(super) der: CertificateDer<'static>,
}

impl Certificate {
    /// `None`: it is no certificate, or none by which others may be signed.
    pub(super) fn read(der: CertificateDer<'static>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let signs = certificate.key_usage().ok()?.is_none_or(|usage| usage.value.key_cert_sign());
        if !certificate.is_ca() || !signs {
            return None;
        }
        let id = digest(&SHA256, &der).as_ref().try_into().ok()?;
        let (not_before, not_after) = validity(&certificate)?;
        let is_ours = certificate.subject().iter_organization().any(|name| name.as_str() == Ok(ORGANIZATION));
        Some(Self { facts: Authority { id, not_before, not_after, is_ours }, der })
    }
}

/// Since 1970.
fn validity(certificate: &X509Certificate<'_>) -> Option<(Duration, Duration)> {
    let since = |seconds: i64| Some(Duration::from_secs(seconds.try_into().ok()?));
    let validity = certificate.validity();
    Some((since(validity.not_before.timestamp())?, since(validity.not_after.timestamp())?))
}

/// The first and the last moment of a certificate's life, since 1970.
pub(super) fn validity_of(der: &CertificateDer<'_>) -> Option<(Duration, Duration)> {
    validity(&X509Certificate::from_der(der).ok()?.1)
}
