//! The authority that a user gives for `caBundle`.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// How many certificates by which others may be verified are in a text of PEM; other text between them is passed over, as the
/// API server does.
///
/// # Errors
/// When there is none, when a section is cut off or is no certificate, and when a key is there that would be published.
pub fn authorities(text: &[u8]) -> Result<usize, String> {
    if text.windows(KEY.len()).any(|window| window == KEY) {
        return Err(
            "it has a private key, which everybody could read: give the certificates alone".to_owned()
        );
    }
    let (mut read, mut found) = (0, 0);
    // The first error ends it: what follows could be the same one for ever.
    for section in CertificateDer::pem_slice_iter(text) {
        read += 1;
        let der = section.map_err(|error| format!("certificate {read} cannot be read: {error}"))?;
        let (_, certificate) = X509Certificate::from_der(&der)
            .map_err(|error| format!("certificate {read} cannot be read: {error}"))?;
        found += usize::from(verifies(&certificate));
    }
    match (read, found) {
        (0, _) => Err("it has no certificate in PEM".to_owned()),
        (_, 0) => {
            Err("no certificate in it is an authority's: give the one that has signed tls.crt".to_owned())
        }
        (_, found) => Ok(found),
    }
}

const KEY: &[u8] = b"PRIVATE KEY-----";

/// An authority's certificate; or one that has signed itself, which API servers take for its own authority.
fn verifies(certificate: &X509Certificate<'_>) -> bool {
    let signs =
        certificate.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.value.key_cert_sign()));
    (certificate.is_ca() && signs) || certificate.issuer() == certificate.subject()
}
