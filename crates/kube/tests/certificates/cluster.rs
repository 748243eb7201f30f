//! Replicas before an API server to which things happen: they go on, and nobody restarts them.

use crate::api::{Api, CONFIGURATION, SECRET, configuration};
use crate::replica::{Replica, admit, until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubectl_lastout::webhook::certificates::names::Names;
use kubectl_lastout::webhook::certificates::rights;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 3_600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

pub fn long_lived(api: &Api) -> Replica {
    Replica::start(api, DAY, YEAR)
}

/// How many authorities a PEM text has.
pub fn authorities(bundle: &str) -> usize {
    bundle.matches("BEGIN").count()
}

/// Ready, and trusted by who reads the configuration now.
pub fn must_serve(api: &Api, replicas: &[&Replica]) {
    for replica in replicas {
        replica.wait_until_ready();
        let admitted = || admit(replica.port, &api.bundle()?).ok();
        until(admitted, || (api.bundle(), replica.state()));
    }
}

pub fn certificates(api: &Api) -> Value {
    api.get(SECRET).map(|secret| secret["data"]["ca.crt"].clone()).unwrap_or_default()
}

#[test]
fn two_replicas_that_start_at_once_agree_on_one_authority() {
    for _ in 0..5 {
        let api = Api::start();
        let replicas = [long_lived(&api), long_lived(&api)];
        must_serve(&api, &[&replicas[0], &replicas[1]]);
        assert_eq!(authorities(&api.bundle().unwrap()), 1);
        let writes = || api.asked().iter().filter(|(verb, _)| !matches!(*verb, "list" | "watch")).count();
        assert!(writes() <= 4, "{:?}", api.asked());
    }
}

#[test]
fn ten_rotations_under_requests_fail_none() {
    let lifetimes = (Duration::from_secs(2), Duration::from_secs(5));
    // An eighth of the overlap: who is trusted for so long may sign.
    let settling = lifetimes.1 / 24;
    let api = Api::start();
    let replicas = [0, 1].map(|_| Replica::start(&api, lifetimes.0, lifetimes.1));
    must_serve(&api, &[&replicas[0], &replicas[1]]);
    let (mut seen, mut leaves, mut requests) = (BTreeSet::new(), BTreeSet::new(), 0);
    let began = Instant::now();
    while seen.len() < 11 {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{} authorities, {:?}",
            seen.len(),
            replicas[0].state()
        );
        let read = Instant::now();
        let bundle = api.bundle().unwrap();
        seen.insert(certificates(&api).as_str().unwrap()[..400].to_owned());
        while read.elapsed() < settling / 3 {
            for replica in &replicas {
                match admit(replica.port, &bundle) {
                    Ok(leaf) => {
                        leaves.insert(leaf.to_vec());
                        requests += 1;
                    }
                    // This machine was busy with others: no API server lags so.
                    Err(_) if read.elapsed() > settling => {}
                    Err(error) => panic!("request {requests}, authority {}: {error}: {bundle}", seen.len()),
                }
            }
        }
    }
    assert!(requests > 200 && leaves.len() > 20, "{requests} requests, {} leaves", leaves.len());
}

#[test]
fn a_deleted_secret_is_mended_and_nobody_notices() {
    let api = Api::start();
    let replicas = [long_lived(&api), long_lived(&api)];
    must_serve(&api, &[&replicas[0], &replicas[1]]);
    let (before, bundle) = (certificates(&api), api.bundle().unwrap());
    api.delete(SECRET);
    until(|| (authorities(&api.bundle()?) == 2).then_some(()), || api.bundle());
    assert_ne!(certificates(&api), before);
    for replica in &replicas {
        admit(replica.port, &bundle).expect("who has not read the new caBundle yet");
        admit(replica.port, &api.bundle().unwrap()).expect("who has");
    }
}

#[test]
fn what_damages_the_secret_is_mended() {
    let api = Api::start();
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    for damage in [
        json!({}),
        json!({ "ca.crt": "Zm9v", "ca.key": "Zm9v" }),
        json!({ "tls.crt": "Zm9v", "other": "Zm9v" }),
        json!(null),
    ] {
        let mut secret = api.get(SECRET).unwrap();
        secret["data"] = damage.clone();
        api.put(SECRET, secret);
        until(|| certificates(&api).as_str().filter(|text| text.len() > 400).map(|_| ()), || damage.clone());
        must_serve(&api, &[&replica]);
        if damage["other"].is_string() {
            assert_eq!(api.get(SECRET).unwrap()["data"]["other"], "Zm9v", "what is not ours stays");
        }
    }
}

/// A Secret and a `caBundle` whose authority has expired.
fn expired() -> (Value, Value) {
    let api = Api::start();
    let replica = Replica::start(&api, Duration::from_secs(1), Duration::from_secs(1));
    must_serve(&api, &[&replica]);
    drop(replica);
    let pem = STANDARD.decode(certificates(&api).as_str().unwrap()).unwrap();
    let der = CertificateDer::from_pem_slice(&pem).unwrap();
    let end = x509_parser::parse_x509_certificate(&der).unwrap().1.validity().not_after.timestamp();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(end.try_into().unwrap());
    until(|| (SystemTime::now() > end).then_some(()), || end);
    (api.get(SECRET).unwrap(), api.get(CONFIGURATION).unwrap())
}

#[test]
fn an_authority_that_expired_while_nobody_ran_is_replaced() {
    let (secret, configuration) = expired();
    let api = Api::start();
    api.put(SECRET, secret);
    api.put(CONFIGURATION, configuration);
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    assert!(authorities(&api.bundle().unwrap()) > 1, "the expired one hurts nobody");
}

#[test]
fn an_expired_secret_in_place_of_ours_is_replaced_and_nobody_notices() {
    let (secret, _) = expired();
    let api = Api::start();
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    let bundle = api.bundle().unwrap();
    let expired = STANDARD.decode(secret["data"]["ca.crt"].as_str().unwrap()).unwrap();
    let expired = authorities(str::from_utf8(&expired).unwrap());
    api.put(SECRET, secret);
    until(|| (authorities(&api.bundle()?) == expired + 2).then_some(()), || api.bundle());
    for bundle in [bundle, api.bundle().unwrap()] {
        admit(replica.port, &bundle).unwrap();
    }
}

#[test]
fn a_bundle_that_is_taken_away_or_overwritten_is_put_back() {
    let api = Api::start();
    let replicas = [long_lived(&api), long_lived(&api)];
    must_serve(&api, &[&replicas[0], &replicas[1]]);
    let bundle = api.bundle().unwrap();
    let mut foreign = api.get(CONFIGURATION).unwrap();
    foreign["webhooks"][1]["clientConfig"]["caBundle"] = json!("Zm9v");
    let mut less = api.get(CONFIGURATION).unwrap();
    less["webhooks"].as_array_mut().unwrap().remove(0);
    for (what, object) in [("applied anew", configuration()), ("one entry", foreign)] {
        api.put(CONFIGURATION, object);
        until(|| (api.bundle().as_ref() == Some(&bundle)).then_some(()), || what);
        assert!(replicas.iter().all(|replica| replica.state().is_ready), "{what}");
    }
    api.put(CONFIGURATION, less);
    api.delete(CONFIGURATION);
    api.put(CONFIGURATION, configuration());
    until(|| (api.bundle().as_ref() == Some(&bundle)).then_some(()), || "deleted and created");
    must_serve(&api, &[&replicas[0], &replicas[1]]);
}

/// As `docs/webhook.md` has it for a key that was stolen: the third command puts the Secret's text into `caBundle`.
#[test]
fn a_bundle_that_an_administrator_has_cleared_stays_so() {
    let api = Api::start();
    let old = long_lived(&api);
    must_serve(&api, &[&old]);
    let stolen = api.bundle().unwrap();
    api.delete(SECRET);
    until(|| (authorities(&api.bundle()?) == 2).then_some(()), || api.bundle());
    drop(old);
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    assert_eq!(
        authorities(&api.bundle().unwrap()),
        2,
        "it does not know whether others serve what the old one has signed"
    );
    let mut cleared = api.get(CONFIGURATION).unwrap();
    for index in 0..2 {
        cleared["webhooks"][index]["clientConfig"]["caBundle"] = certificates(&api);
    }
    api.put(CONFIGURATION, cleared);
    must_serve(&api, &[&replica]);
    // It has seen that, and has put back what is missing, but nothing else.
    api.put(CONFIGURATION, configuration());
    until(|| (authorities(&api.bundle()?) == 1).then_some(()), || api.bundle());
    must_serve(&api, &[&replica]);
    assert!(admit(replica.port, &stolen).is_err());
}

#[test]
fn anybody_elses_authority_is_taken_out_of_the_bundle() {
    let (api, elsewhere) = (Api::start(), rcgen::KeyPair::generate().unwrap());
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    let bundle = api.bundle().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let foreign = params.self_signed(&elsewhere).unwrap();
    let both = format!("{bundle}{}", pem::encode(&pem::Pem::new("CERTIFICATE", foreign.der().to_vec())));
    let mut object = api.get(CONFIGURATION).unwrap();
    for index in 0..2 {
        object["webhooks"][index]["clientConfig"]["caBundle"] = STANDARD.encode(&both).into();
    }
    api.put(CONFIGURATION, object);
    until(|| (api.bundle().as_ref() == Some(&bundle)).then_some(()), || api.bundle());
}

/// Such as cert-manager's injector, by an annotation that was left.
#[test]
fn who_overwrites_the_bundle_all_the_time_is_answered_each_time_within_seconds() {
    let api = Api::start();
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    let bundle = api.bundle().unwrap();
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    for _ in 0..14 {
        api.put(CONFIGURATION, configuration());
        let overwritten = Instant::now();
        until(|| (api.bundle().as_ref() == Some(&bundle)).then_some(()), || replica.state());
        longest = longest.max(overwritten.elapsed());
    }
    // Some at once, and then one each two seconds.
    assert!(began.elapsed() > Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(longest < Duration::from_secs(6), "{longest:?}");
    must_serve(&api, &[&replica]);
}

/// The API server of these tests refuses what the rules do not allow. What they allow beyond is found here.
#[test]
fn each_right_that_is_asked_for_is_used() {
    let api = Api::start();
    let replica = long_lived(&api);
    must_serve(&api, &[&replica]);
    api.put(SECRET, json!({ "metadata": { "name": "lastout-webhook-ca", "namespace": "lastout" } }));
    until(|| certificates(&api).is_string().then_some(()), || replica.state());
    let names = Names::of_bundle("lastout");
    for (rules, path) in
        [(rights::in_namespace(&names), "/secrets"), (rights::in_cluster(&names), "/mutating")]
    {
        let granted: BTreeSet<String> = rules
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|rule| rule["verbs"].as_array().unwrap())
            .map(|verb| verb.as_str().unwrap().to_owned())
            .collect();
        let asked = api.asked();
        let used = asked.iter().filter(|(_, asked)| asked.contains(path)).map(|(verb, _)| (*verb).to_owned());
        assert_eq!(used.collect::<BTreeSet<_>>(), granted);
    }
}
