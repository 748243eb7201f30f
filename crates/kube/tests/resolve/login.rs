//! Who asks: docker's configuration, its helpers, passwords and tokens.

use super::fake::{Registry, answer};
use super::{User, image};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn guarded(authorization: &str) -> (Registry, User) {
    let (registry, user) = (Registry::start(), User::new());
    registry.image("team/app", Some("1"), &json!({ "Entrypoint": ["/app"] }));
    let challenge = if authorization.starts_with("Basic") {
        "Basic realm=\"x\"".to_owned()
    } else {
        format!(
            "Bearer realm=\"http://{0}/token\",service=\"{0}\",scope=\"repository:team/app:pull\"",
            registry.authority
        )
    };
    registry.guard(authorization, &challenge);
    registry.put("/token", &[answer(200, &[], r#"{"access_token":"abc"}"#)]);
    (registry, user)
}

fn helper(user: &User, script: &str) {
    let path = user.file("docker-credential-vault", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_token_is_fetched_without_credentials_where_that_is_enough() {
    let (registry, user) = guarded("Bearer abc");
    let injected = user.inject(&image(&registry), "", &[]);
    assert_eq!(injected.command().unwrap(), ["/app"], "{}", injected.said);
    let asked = registry.asked();
    let token = asked.iter().find(|asked| asked.line.starts_with("GET /token?")).unwrap();
    assert!(token.line.contains("scope=repository%3Ateam%2Fapp%3Apull"), "{}", token.line);
    assert!(token.line.contains("service=127.0.0.1%3A"), "{}", token.line);
    assert_eq!(token.headers.get("authorization"), None);
    assert_eq!(asked.len(), 4, "{asked:?}");
}

#[test]
fn a_password_goes_to_the_token_server() {
    let (registry, user) = guarded("Bearer abc");
    let auths = json!({ "auths": { &registry.authority: { "auth": "bWU6cGFzczp3b3Jk" } } });
    user.file("config.json", &auths.to_string());
    assert_eq!(user.inject(&image(&registry), "", &[]).command().unwrap(), ["/app"]);
    let asked = registry.asked();
    let token = asked.iter().find(|asked| asked.line.starts_with("GET /token?")).unwrap();
    assert_eq!(token.headers["authorization"], "Basic bWU6cGFzczp3b3Jk");
}

#[test]
fn an_identity_token_goes_there_by_oauth() {
    let (registry, user) = guarded("Bearer abc");
    let auths = json!({ "auths": { &registry.authority: { "identitytoken": "me&myself" } } });
    user.file("config.json", &auths.to_string());
    assert_eq!(user.inject(&image(&registry), "", &[]).command().unwrap(), ["/app"]);
    let asked = registry.asked();
    let token = asked.iter().find(|asked| asked.line == "POST /token").unwrap();
    assert!(token.body.contains("grant_type=refresh_token"), "{}", token.body);
    assert!(token.body.contains("refresh_token=me%26myself"), "{}", token.body);
}

#[test]
fn a_helper_is_asked_for_its_registry() {
    let (registry, user) = guarded("Basic bWU6c2VjcmV0");
    helper(
        &user,
        r#"[ "$1" = get ] || exit 9; cat > "${0%/*}/asked"; echo '{"Username":"me","Secret":"secret"}'"#,
    );
    user.file("config.json", &json!({ "credHelpers": { &registry.authority: "vault" } }).to_string());
    let injected = user.inject(&image(&registry), "", &[]);
    assert_eq!(injected.command().unwrap(), ["/app"], "{}", injected.said);
    assert_eq!(fs::read_to_string(user.folder.path().join("asked")).unwrap(), registry.authority);
}

#[test]
fn a_helper_for_all_that_has_none_leaves_it_to_the_file() {
    let (registry, user) = guarded("Basic bWU6c2VjcmV0");
    helper(&user, "echo credentials not found in native keychain; exit 1");
    let config = json!({ "credsStore": "vault", "auths": { &registry.authority: { "username": "me", "password": "secret" } } });
    user.file("config.json", &config.to_string());
    assert_eq!(user.inject(&image(&registry), "", &[]).command().unwrap(), ["/app"]);
}

#[test]
fn a_helper_that_fails_or_hangs_is_named() {
    let (registry, user) = guarded("Basic bWU6c2VjcmV0");
    user.file("config.json", &json!({ "credsStore": "vault" }).to_string());
    helper(&user, "echo the vault is locked; exit 3");
    user.inject(&image(&registry), "", &[])
        .refused("docker-credential-vault: exit status: 3: the vault is locked");
    helper(&user, "exec sleep 60");
    let began = std::time::Instant::now();
    user.inject(&image(&registry), "", &["--resolve-timeout", "500ms"])
        .refused("docker-credential-vault: no answer in time");
    assert!(began.elapsed().as_secs() < 20);
}

#[test]
fn without_credentials_the_way_to_log_in_is_said() {
    let (registry, user) = guarded("Basic bWU6c2VjcmV0");
    user.inject(&image(&registry), "", &[]).refused(&format!("docker login {}", registry.authority));
    user.file("config.json", "{");
    user.inject(&image(&registry), "", &[]).refused("config.json: ");
}

#[test]
fn a_wrong_password_is_tried_once() {
    let (registry, user) = guarded("Basic bWU6c2VjcmV0");
    user.file(
        "config.json",
        &json!({ "auths": { &registry.authority: { "username": "me", "password": "other" } } }).to_string(),
    );
    user.inject(&image(&registry), "", &[]).refused("401");
    assert_eq!(registry.lines().len(), 2);
}

#[test]
fn no_word_of_a_credential_is_ever_said() {
    let (registry, user) = guarded("Basic bWU6c2VjcmV0");
    user.file(
        "config.json",
        &json!({ "auths": { &registry.authority: { "auth": "bWU6aHVudGVyMg" } } }).to_string(),
    );
    let injected = user.inject(&image(&registry), "", &[]);
    assert!(!injected.said.contains("hunter2") && !injected.said.contains("bWU6"), "{}", injected.said);
}
