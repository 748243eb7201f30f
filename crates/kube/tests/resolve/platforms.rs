//! Images for several platforms.

use super::fake::{INDEX, Registry};
use super::{User, image};
use serde_json::{Value, json};

fn index(registry: &Registry, entries: &[(&str, &str, Option<&str>, &Value)]) -> String {
    let mut manifests = Vec::new();
    for (os, architecture, variant, config) in entries {
        // Every platform has a config of its own, as the layers are other ones.
        let mut config = (*config).clone();
        config["Labels"] = json!({ "for": format!("{os}/{architecture}/{variant:?}") });
        let digest = registry.image("team/app", None, &config);
        manifests.push(json!({
            "digest": digest,
            "platform": { "os": os, "architecture": architecture, "variant": variant.unwrap_or_default() },
        }));
    }
    let attestation = registry.manifest("team/app", None, &json!({ "mediaType": "x/attestation" }));
    manifests.insert(
        0,
        json!({
            "digest": attestation,
            "platform": { "os": "unknown", "architecture": "unknown" },
            "annotations": { "vnd.docker.reference.type": "attestation-manifest" },
        }),
    );
    registry.manifest("team/app", Some("1"), &json!({ "mediaType": INDEX, "manifests": manifests }))
}

#[test]
fn where_all_run_the_same_that_is_it() {
    let (registry, user) = (Registry::start(), User::new());
    let (app, windows) = (json!({ "Entrypoint": ["/app"] }), json!({ "Entrypoint": ["app.exe"] }));
    let digest = index(
        &registry,
        &[
            ("linux", "arm64", Some("v8"), &app),
            ("windows", "amd64", None, &windows),
            ("linux", "amd64", None, &app),
        ],
    );
    let injected = user.inject(&image(&registry), "", &["--pin"]);
    assert_eq!(injected.command().unwrap(), ["/app"]);
    // The index's, which is good for all nodes.
    assert!(injected.main()["image"].as_str().unwrap().ends_with(&digest));
}

#[test]
fn where_they_differ_the_user_chooses() {
    let (registry, user) = (Registry::start(), User::new());
    let app = |name: &str| json!({ "Entrypoint": [name] });
    index(
        &registry,
        &[
            ("linux", "amd64", Some("v3"), &app("/v3")),
            ("linux", "amd64", None, &app("/v1")),
            ("linux", "arm64", Some("v8"), &app("/arm")),
        ],
    );
    let inject = |words: &[&str]| user.inject(&image(&registry), "", words);
    inject(&[])
        .refused("not run the same on linux/amd64/v3, linux/amd64, linux/arm64/v8: choose by --platform");
    assert_eq!(inject(&["--platform", "linux/arm64"]).command().unwrap(), ["/arm"]);
    assert_eq!(inject(&["--platform", "linux/amd64/v3"]).command().unwrap(), ["/v3"]);
    inject(&["--platform", "linux/amd64"]).refused("on linux/amd64/v3, linux/amd64:");
    inject(&["--platform", "linux/s390x"])
        .refused("for linux/amd64/v3, linux/amd64, linux/arm64/v8, not for linux/s390x");
}

#[test]
fn an_image_for_one_platform_is_for_that_only() {
    let (registry, user) = (Registry::start(), User::new());
    registry.image("team/app", Some("1"), &json!({ "Cmd": ["/app"] }));
    user.inject(&image(&registry), "", &["--platform", "linux/arm64"])
        .refused("for linux/amd64, not for linux/arm64");
    assert_eq!(
        user.inject(&image(&registry), "", &["--platform", "linux/amd64"]).command().unwrap(),
        ["/app"]
    );
}

#[test]
fn an_index_of_attestations_or_of_other_systems_is_for_no_platform() {
    let (registry, user) = (Registry::start(), User::new());
    index(&registry, &[("windows", "amd64", None, &json!({}))]);
    user.inject(&image(&registry), "", &[]).refused("for no platform with Linux");
}

#[test]
fn an_option_without_its_option_or_with_nonsense_is_refused() {
    let user = User::new();
    for words in [
        &["--pin"][..],
        &["--platform", "linux/amd64"],
        &["--resolve-timeout", "3s"],
        &["--resolve-images", "--platform", "amd64"],
        &["--resolve-images", "--platform", "linux//v8"],
        &["--resolve-images", "--resolve-timeout", "30"],
        &["--resolve-images", "--resolve-timeout", "0"],
    ] {
        let output = user.run(&[&["explain", "-"], words].concat());
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
}
