//! What a registry may not do to us.

use super::fake::{Answer, CONFIG, MANIFEST, Registry, answer, sha256};
use super::{User, image};
use serde_json::json;
use std::time::{Duration, Instant};

const PATH: &str = "/v2/team/app/manifests/1";
const MIB: usize = 1024 * 1024;

fn ready() -> (Registry, User) {
    let (registry, user) = (Registry::start(), User::new());
    registry.image("team/app", Some("1"), &json!({ "Entrypoint": ["/app"] }));
    (registry, user)
}

#[test]
fn a_manifest_without_end_is_not_read_to_its_end() {
    let (registry, user) = ready();
    registry.put(PATH, &[Answer { times: 300, ..answer(200, &[], vec![b' '; MIB]) }]);
    user.inject(&image(&registry), "", &[]).refused("larger than 4 MiB");
    // What the kernels' buffers hold is sent, too.
    assert!(registry.sent() < 16 * MIB, "{}", registry.sent());
}

#[test]
fn one_that_says_its_size_is_not_read_at_all() {
    let (registry, user) = ready();
    registry.put(PATH, &[answer(200, &[("content-length", "5000000000")], "{")]);
    user.inject(&image(&registry), "", &[]).refused("larger than 4 MiB");
    assert!(registry.sent() < 2, "{}", registry.sent());
}

#[test]
fn a_large_config_is_refused_and_a_manifest_of_the_largest_size_is_not() {
    let (registry, user) = ready();
    let config = vec![b' '; 9 * MIB];
    let digest = registry.blob("team/app", &config);
    let manifest = json!({ "mediaType": MANIFEST, "config": { "mediaType": CONFIG, "digest": digest } });
    registry.manifest("team/app", Some("1"), &manifest);
    user.inject(&image(&registry), "", &[]).refused("larger than 8 MiB");
    let small = registry.blob("team/app", br#"{"config":{"Cmd":["/app"]}}"#);
    let mut manifest =
        json!({ "mediaType": MANIFEST, "config": { "mediaType": CONFIG, "digest": small }, "pad": "" });
    manifest["pad"] = "x".repeat(4 * MIB - manifest.to_string().len()).into();
    assert_eq!(manifest.to_string().len(), 4 * MIB);
    registry.manifest("team/app", Some("1"), &manifest);
    assert_eq!(user.inject(&image(&registry), "", &[]).command().unwrap(), ["/app"]);
}

#[test]
fn one_that_is_busy_is_asked_once_more_when_it_says() {
    for status in [429, 503] {
        let (registry, user) = ready();
        let good = answer(200, &[("content-type", MANIFEST)], manifest_of(&registry));
        registry.put(PATH, &[answer(status, &[("retry-after", "1")], ""), good]);
        let began = Instant::now();
        let injected = user.inject(&image(&registry), "", &[]);
        assert_eq!(injected.command().unwrap(), ["/app"], "{}", injected.said);
        assert!(began.elapsed() >= Duration::from_secs(1));
    }
}

/// The good manifest's bytes.
fn manifest_of(registry: &Registry) -> Vec<u8> {
    let config =
        json!({ "os": "linux", "architecture": "amd64", "config": { "Entrypoint": ["/app"] } }).to_string();
    let digest = registry.blob("team/app", config.as_bytes());
    json!({ "mediaType": MANIFEST, "config": { "mediaType": CONFIG, "digest": digest } })
        .to_string()
        .into_bytes()
}

#[test]
fn one_that_stays_busy_or_for_too_long_is_not_waited_for() {
    let (registry, user) = ready();
    registry.put(PATH, &[answer(429, &[("retry-after", "0")], "")]);
    user.inject(&image(&registry), "", &[]).refused("429");
    assert_eq!(registry.lines().len(), 2);
    registry.put(PATH, &[answer(429, &[("retry-after", "3600")], "")]);
    let began = Instant::now();
    user.inject(&image(&registry), "", &[]).refused("for the next 3600 s");
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_slow_one_has_until_the_deadline() {
    let (registry, user) = ready();
    registry.put(PATH, &[Answer { after: Duration::from_secs(60), ..answer(200, &[], "{}") }]);
    let began = Instant::now();
    user.inject(&image(&registry), "", &["--resolve-timeout", "1s"])
        .refused("no answer within 1 s (--resolve-timeout)");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn one_that_stops_in_the_middle_too() {
    let (registry, user) = ready();
    registry.put(PATH, &[answer(200, &[("content-length", "100")], "{")]);
    user.inject(&image(&registry), "", &["--resolve-timeout", "1s"]).refused("no answer within 1 s");
}

#[test]
fn several_slow_images_are_waited_for_at_the_same_time() {
    let (registry, user) = ready();
    registry.put(PATH, &[Answer { after: Duration::from_secs(60), ..answer(200, &[], "{}") }]);
    for number in 0..4 {
        let path = format!("/v2/team/app{number}/manifests/latest");
        registry.put(&path, &[Answer { after: Duration::from_secs(60), ..answer(200, &[], "{}") }]);
        user.job(&format!("job{number}"), &format!("{}/team/app{number}", registry.authority), "");
    }
    let began = Instant::now();
    let folder = user.folder.path().display().to_string();
    let output = user.run(&["explain", "--resolve-images", "--resolve-timeout", "4s", &folder]);
    assert_eq!(String::from_utf8(output.stdout).unwrap().matches("unresolved-image").count(), 4);
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
}

#[test]
fn a_redirect_is_followed_without_the_authorization() {
    let (registry, user) = ready();
    let storage = Registry::start();
    let config = json!({ "config": { "Cmd": ["/stored"] } }).to_string();
    let digest = sha256(config.as_bytes());
    let manifest = json!({ "mediaType": MANIFEST, "config": { "mediaType": CONFIG, "digest": digest } });
    registry.manifest("team/app", Some("1"), &manifest);
    let to = format!("http://{}/bucket?signature=x", storage.authority);
    registry.put(&format!("/v2/team/app/blobs/{digest}"), &[answer(307, &[("location", &to)], "")]);
    storage.put("/bucket", &[answer(200, &[], config)]);
    registry.guard("Basic bWU6c2VjcmV0", "Basic realm=\"x\"");
    user.file(
        "config.json",
        &json!({ "auths": { &registry.authority: { "username": "me", "password": "secret" } } }).to_string(),
    );
    assert_eq!(user.inject(&image(&registry), "", &[]).command().unwrap(), ["/stored"]);
    assert_eq!(storage.asked()[0].headers.get("authorization"), None);
}

#[test]
fn a_redirect_in_circles_or_without_tls_is_not_followed() {
    let (registry, user) = ready();
    registry.put(PATH, &[answer(302, &[("location", PATH)], "")]);
    user.inject(&image(&registry), "", &[]).refused("302");
    assert_eq!(registry.lines().len(), 6);
    for to in [
        "http://203.0.113.1/x",
        "http://localhost.example/",
        "file:///etc/passwd",
        "//127.0.0.1/x",
        "https://me@127.0.0.1/",
    ] {
        registry.put(PATH, &[answer(302, &[("location", to)], "")]);
        user.inject(&image(&registry), "", &[]).refused(to);
    }
}

#[test]
fn a_token_server_without_tls_gets_no_password() {
    let (registry, user) = ready();
    registry.guard("Bearer x", "Bearer realm=\"http://203.0.113.1/token\"");
    user.file(
        "config.json",
        &json!({ "auths": { &registry.authority: { "username": "me", "password": "secret" } } }).to_string(),
    );
    user.inject(&image(&registry), "", &[]).refused("only https is");
}

#[test]
fn what_is_not_what_was_asked_for_is_refused() {
    let (registry, user) = ready();
    let wrong = format!("sha256:{}", "0".repeat(64));
    registry.put(&format!("/v2/team/app/manifests/{wrong}"), &[answer(200, &[], "{}")]);
    user.inject(&format!("{}@{wrong}", image(&registry)), "", &[])
        .refused(&format!("asked for {wrong}, it answers sha256:"));
    let config = sha256(b"other");
    registry.put(&format!("/v2/team/app/blobs/{config}"), &[answer(200, &[], "{}")]);
    let manifest = json!({ "mediaType": MANIFEST, "config": { "mediaType": CONFIG, "digest": config } });
    registry.manifest("team/app", Some("1"), &manifest);
    user.inject(&image(&registry), "", &[]).refused(&format!("asked for {config}, it answers"));
}

#[test]
fn a_digest_that_is_a_path_is_not_asked_for() {
    let (registry, user) = ready();
    let manifest =
        json!({ "mediaType": MANIFEST, "config": { "mediaType": CONFIG, "digest": "../../secret" } });
    registry.manifest("team/app", Some("1"), &manifest);
    user.inject(&image(&registry), "", &[]).refused("no sha256 or sha512 digest");
    assert_eq!(registry.lines().len(), 1);
}
