//! `manifests` and `webhook`: what is no name, no authority, or is about another kind of certificate is refused before anything is
//! applied or served; and the bundle says what the two rely on.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use kubectl_lastout::webhook::certificates::lifetimes::Lifetimes;
use kubectl_lastout::webhook::defaults;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use std::fs;
use std::process::{Command, Output};

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kubectl-lastout")).args(words).output().unwrap()
}

/// In the first line of stderr; nothing on stdout, exit code 2.
fn refused(words: &[&str], said: &str) {
    let output = run(words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words:?}: {stderr}");
    let first = stderr.lines().next().unwrap_or_default();
    assert!(output.stdout.is_empty() && first.contains(said), "{words:?}: {stderr}");
}

fn objects(words: &[&str]) -> Vec<Value> {
    let output = run(&[&["manifests"], words].concat());
    assert!(output.status.success(), "{words:?}: {output:?}");
    let (documents, error) = kubectl_lastout::yaml::read(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(error, None);
    documents.into_iter().map(|document| document.value).collect()
}

fn of<'a>(objects: &'a [Value], kind: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind)
}

#[test]
fn the_namespace_is_printed_only_where_it_is_ours_or_asked_for() {
    for (words, name) in [
        (&[][..], Some("lastout")),
        (&["-n", "lastout"], Some("lastout")),
        (&["-n", "kube-system"], None),
        (&["-n", "team", "--certificates", "cert-manager"], None),
        (&["-n", "team", "--create-namespace"], Some("team")),
    ] {
        let found = objects(words);
        let namespace = of(&found, "Namespace").map(|object| object["metadata"]["name"].as_str().unwrap());
        assert_eq!(namespace, name, "{words:?}");
    }
    refused(&["manifests", "--helper", "-n", "x", "--create-namespace"], "--create-namespace");
}

#[test]
fn what_is_no_name_is_refused() {
    let long = "x".repeat(64);
    for verb in ["manifests", "webhook"] {
        for name in ["A_B", "", "a/b", "-a", "a.b", &long] {
            refused(&[verb, &format!("--namespace={name}")], "--namespace");
        }
    }
    for name in ["A/B", "", "a_b", "a..b"] {
        refused(&["manifests", "--certificates=secret", &format!("--tls-secret={name}")], "--tls-secret");
        refused(
            &["manifests", "--helper", "-n=x", &format!("--service-account={name}")],
            "--service-account",
        );
        for option in ["--secret", "--configuration", "--service"] {
            refused(&["webhook", &format!("{option}={name}")], option);
        }
    }
    refused(&["webhook", "--service=a.b"], "--service");
    objects(&["--certificates=secret", "--tls-secret=a.b-c"]);
}

#[test]
fn what_a_certificate_from_files_makes_meaningless_is_refused() {
    for option in [
        "--secret=x",
        "--service=x",
        "--configuration=x",
        "--namespace=x",
        "--ca-lifetime=1h",
        "--certificate-lifetime=1h",
        "--kubeconfig=x",
        "--context=x",
        "--as=x",
    ] {
        let (name, _) = option.split_once('=').unwrap();
        refused(&["webhook", "--tls-cert=/x", "--tls-key=/x", option], name);
    }
    for how in ["cert-manager", "secret"] {
        for option in ["--ca-lifetime", "--certificate-lifetime"] {
            refused(
                &["manifests", "--certificates", how, option, "1h"],
                &format!("{option}: it goes with --certificates itself"),
            );
        }
    }
}

#[test]
fn lifetimes_and_the_drain_come_into_the_bundle_and_the_pod_may_take_that_long() {
    let found = objects(&["--ca-lifetime=48h", "--certificate-lifetime=2h", "--drain-timeout=89500ms"]);
    let pod = &of(&found, "Deployment").unwrap()["spec"]["template"]["spec"];
    let args: Vec<&str> =
        pod["containers"][0]["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    for word in ["--ca-lifetime=48h", "--certificate-lifetime=2h", "--drain-timeout=89500ms"] {
        assert!(args.contains(&word), "{args:?}");
    }
    assert_eq!(pod["terminationGracePeriodSeconds"], 105);
    refused(&["manifests", "--ca-lifetime=1h"], "--ca-lifetime 3600s is shorter than");
}

#[test]
fn defaults_are_what_the_library_takes() {
    let read = |text| lastout_core::duration::parse(text).unwrap();
    let lifetimes = Lifetimes {
        certificate: read(defaults::CERTIFICATE_LIFETIME),
        authority: read(defaults::AUTHORITY_LIFETIME),
    };
    assert_eq!(lifetimes, Lifetimes::default());
}

#[test]
fn pods_of_one_revision_are_spread() {
    let found = objects(&[]);
    let pod = &of(&found, "Deployment").unwrap()["spec"]["template"]["spec"];
    for spread in pod["topologySpreadConstraints"].as_array().unwrap() {
        assert_eq!(spread["matchLabelKeys"], serde_json::json!(["pod-template-hash"]));
    }
}

/// An authority, its key, and a certificate that it has signed, as PEM.
fn authority() -> [String; 3] {
    let text = |label: &str, der: &[u8]| pem::encode(&pem::Pem::new(label, der)).replace("\r\n", "\n");
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, "an authority");
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["a.b.svc".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    [
        text("CERTIFICATE", ca.der()),
        text("PRIVATE KEY", &key.serialize_der()),
        text("CERTIFICATE", leaf.der()),
    ]
}

#[test]
fn a_ca_bundle_is_authorities_and_nothing_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let file = path.to_str().unwrap();
    let words = ["manifests", "--certificates", "secret", "--ca-bundle", file];
    let [ca, key, leaf] = authority();
    let [other, ..] = authority();
    // `openssl x509 -text` writes text in front.
    for (text, said) in [
        (ca.clone(), "1 authority"),
        (format!("Certificate:\n    Data:\n{ca}"), "1 authority"),
        (format!("{ca}{other}"), "2 authorities"),
        (format!("{leaf}{ca}"), "1 authority"),
    ] {
        fs::write(&path, &text).unwrap();
        let output = run(&words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.contains(said), "{text}: {stderr}");
        assert_eq!(stderr.lines().count(), 1);
    }
    for (text, said) in [
        (String::new(), "no certificate in PEM"),
        (leaf.clone(), "no certificate in it is an authority's"),
        (format!("{ca}{key}"), "it has a private key"),
        (ca[..ca.len() / 2].to_owned(), "certificate 1 cannot be read"),
        (format!("{ca}{}", &other[..other.len() - 30]), "certificate 2 cannot be read"),
        ("-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n".to_owned(), "certificate 1"),
    ] {
        fs::write(&path, &text).unwrap();
        refused(&words, said);
    }
}
