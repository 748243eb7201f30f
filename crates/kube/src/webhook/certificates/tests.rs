//! What is made is what verifiers take, and what is read is what was made.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

use super::ca::Ca;
use super::lifetimes::Lifetimes;
use super::names::Names;
use super::pem::{self, Certificate};
use super::rotation::{Bundle, Leaf, SeenConfiguration, SeenSecret};
use super::{bundle, secret};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn names() -> Names {
    Names::of_bundle("lastout")
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

fn ca() -> Ca {
    Ca::make(&names(), Lifetimes::default(), now()).unwrap()
}

fn leaf(ca: &Ca) -> CertificateDer<'static> {
    let until = Lifetimes::default().end_of_leaf(now());
    let leaf = Leaf { by: ca.certificate.facts, from: now(), until };
    ca.sign(&names(), &leaf).unwrap().cert[0].clone()
}

/// What rustls says to `leaf`, shown by `host` at `when`, where `roots` are trusted.
fn verified(
    leaf: &CertificateDer<'_>,
    roots: &[&Ca],
    host: &str,
    when: Duration,
) -> Result<(), rustls::Error> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.certificate.der.clone()).unwrap();
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::new(default_provider()));
    let host = ServerName::try_from(host.to_owned()).unwrap();
    let when = UnixTime::since_unix_epoch(when);
    verifier.build().unwrap().verify_server_cert(leaf, &[], &host, &[], when).map(|_| ())
}

#[test]
fn rustls_takes_a_leaf_for_the_service_and_for_nobody_else() {
    let (ca, other) = (ca(), ca());
    let leaf = leaf(&ca);
    for host in ["lastout-webhook.lastout.svc", "lastout-webhook.lastout.svc.cluster.local"] {
        assert_eq!(verified(&leaf, &[&ca], host, now()), Ok(()), "{host}");
        assert_eq!(verified(&leaf, &[&other, &ca], host, now()), Ok(()), "with two authorities");
        assert!(verified(&leaf, &[&other], host, now()).is_err(), "{host}: another authority");
    }
    assert!(verified(&leaf, &[&ca], "lastout-webhook.other.svc", now()).is_err());
    let skewed = now().checked_sub(Duration::from_secs(4 * 60)).unwrap();
    assert_eq!(verified(&leaf, &[&ca], "lastout-webhook.lastout.svc", skewed), Ok(()));
    let day = Duration::from_secs(25 * 3_600);
    assert!(verified(&leaf, &[&ca], "lastout-webhook.lastout.svc", now() + day).is_err(), "it has expired");
}

/// Where it is installed; it is stricter than others about issuers and key usages.
#[test]
fn openssl_takes_it_and_finds_what_has_to_be_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, other) = (ca(), ca());
    let leaf = leaf(&ca);
    let file = |name: &str, ders: &[&[u8]]| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem::write("CERTIFICATE", ders.iter().copied())).unwrap();
        path
    };
    let both = file("both.crt", &[&other.certificate.der, &ca.certificate.der]);
    let (alone, leaf) = (file("other.crt", &[&other.certificate.der]), file("leaf.crt", &[&leaf]));
    let run = |words: &[&str], files: &[&std::path::Path]| {
        let output = Command::new("openssl").args(words).args(files).output();
        output.map(|output| (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    let verify = [
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "lastout-webhook.lastout.svc",
    ];
    let with = |bundle: &std::path::Path| {
        let words: Vec<&str> = verify.iter().copied().chain(["-CAfile", bundle.to_str().unwrap()]).collect();
        run(&words, &[&leaf])
    };
    let Ok((taken, said)) = with(&both) else {
        return writeln!(std::io::stderr().lock(), "skipped: there is no openssl").unwrap();
    };
    assert!(taken, "{said}");
    assert!(!with(&alone).unwrap().0);
    let (_, text) = run(&["x509", "-noout", "-text", "-in"], &[&leaf]).unwrap();
    for part in [
        "Authority Key Identifier",
        "Subject Key Identifier",
        "TLS Web Server Authentication",
        "CA:FALSE",
        "Digital Signature",
        "DNS:lastout-webhook.lastout.svc, DNS:lastout-webhook.lastout.svc.cluster.local",
        "Public-Key: (256 bit)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (_, text) = run(&["x509", "-noout", "-text", "-in"], &[&alone]).unwrap();
    for part in ["CA:TRUE, pathlen:0", "Certificate Sign", "Subject Key Identifier", "O = lastout, CN = "] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_secret_is_read_as_it_was_written() {
    let created = secret::create(&names(), &ca());
    let mut cas = secret::read(&created);
    assert!(
        matches!(secret::seen(&created, &cas), SeenSecret::Present { authorities, is_sound: true } if authorities.len() == 1)
    );
    cas.insert(0, ca());
    let mut with_more = created.clone();
    with_more["data"]["note"] = json!("aGVsbG8=");
    with_more["metadata"]["resourceVersion"] = json!("7");
    let updated = secret::update(&with_more, &mut cas);
    assert_eq!(
        (&updated["data"]["note"], &updated["metadata"]["resourceVersion"]),
        (&json!("aGVsbG8="), &json!("7"))
    );
    let again = secret::read(&updated);
    assert!(
        matches!(secret::seen(&updated, &again), SeenSecret::Present { authorities, is_sound: true } if authorities.len() == 2)
    );
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(again[0].key().to_vec()));
    assert!(Ca::read(again[1].certificate.der.clone(), &key).is_none(), "another one's key");
}

#[test]
fn what_is_damaged_in_a_secret_is_found_and_the_rest_is_used() {
    use base64::Engine as _;
    let encode = |text: &str| Value::from(base64::engine::general_purpose::STANDARD.encode(text));
    let created = secret::create(&names(), &ca());
    let field = |name: &str| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(created["data"][name].as_str().unwrap());
        String::from_utf8(bytes.unwrap()).unwrap()
    };
    let (certificates, keys) = (field("ca.crt"), field("ca.key"));
    let half = |text: &str| text[..text.len() / 2].to_owned();
    let foreign = secret::create(&names(), &ca());
    for (certificate, key, usable) in [
        (json!(null), json!(null), 0),
        (json!("no base64!"), json!(17), 0),
        (encode(""), encode(""), 0),
        (encode(&half(&certificates)), encode(&keys), 0),
        (encode(&certificates), encode(&half(&keys)), 0),
        (encode(&certificates), foreign["data"]["ca.key"].clone(), 0),
        (encode(&format!("{certificates}{certificates}")), encode(&keys), 1),
        (
            encode(&format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{certificates}")),
            encode(&keys),
            1,
        ),
        (encode(&format!("{certificates}rubbish")), encode(&keys), 1),
    ] {
        let mut damaged = created.clone();
        damaged["data"] = json!({ "ca.crt": certificate, "ca.key": key });
        let cas = secret::read(&damaged);
        assert_eq!(cas.len(), usable, "{damaged}");
        assert!(
            matches!(secret::seen(&damaged, &cas), SeenSecret::Present { is_sound: false, .. }),
            "{damaged}"
        );
    }
}

/// One entry of ours before and after one that calls somebody else.
fn configuration(bundles: [Value; 3]) -> Value {
    let [first, other, last] = bundles;
    let entry = |service: &str, bundle: Value| {
        let mut entry = json!({ "clientConfig": { "service": { "name": service, "namespace": "lastout" } } });
        if !bundle.is_null() {
            entry["clientConfig"]["caBundle"] = bundle;
        }
        entry
    };
    json!({
        "metadata": { "name": "zz-lastout", "resourceVersion": "7" },
        "webhooks": [entry("lastout-webhook", first), entry("other", other), entry("lastout-webhook", last)],
    })
}

#[test]
fn a_bundle_goes_into_our_entries_alone_and_is_read_as_it_was_written() {
    let certificates: Vec<Certificate> = [ca(), ca()].map(|ca| ca.certificate).to_vec();
    let mut object = configuration([json!(null), json!("b3RoZXI="), json!("rubbish")]);
    let (seen, found) = bundle::read(&object, &names());
    let SeenConfiguration::Present(bundles) = seen else { panic!("{object}") };
    assert_eq!(bundles[0], Bundle { authorities: Vec::new(), is_sound: true });
    assert!(bundles.len() == 2 && found.is_empty());
    let patch = bundle::patch(&object, &names(), &certificates);
    json_patch::patch(&mut object, &serde_json::from_value::<json_patch::Patch>(patch.clone()).unwrap())
        .unwrap();
    assert_eq!(object["webhooks"][1]["clientConfig"]["caBundle"], "b3RoZXI=");
    let (seen, found) = bundle::read(&object, &names());
    let SeenConfiguration::Present(bundles) = seen else { panic!("{object}") };
    assert!(bundles.iter().all(|bundle| bundle.is_sound && bundle.authorities.len() == 2), "{bundles:?}");
    assert_eq!(found.len(), 4);
    object["metadata"]["resourceVersion"] = json!("8");
    assert!(
        json_patch::patch(&mut object, &serde_json::from_value::<json_patch::Patch>(patch).unwrap()).is_err(),
        "somebody has written meanwhile"
    );
    assert!(matches!(bundle::read(&json!({ "webhooks": [] }), &names()).0, SeenConfiguration::Absent));
}
