//! What stands in an image's config, and what becomes of it in a manifest.

use super::fake::{MANIFEST, Registry, answer};
use super::{User, image};
use serde_json::json;

#[test]
fn each_combination_of_entrypoint_cmd_and_args_runs_as_without_us() {
    let entry = json!(["/entry", "-x"]);
    let cmd = json!(["serve", "$HOME", "$(X)"]);
    let args = "        args: [own, $(Y)]\n";
    for (config, lines, wanted) in [
        (
            json!({ "Entrypoint": entry, "Cmd": cmd }),
            "",
            Some(vec!["/entry", "-x", "serve", "$$HOME", "$$(X)"]),
        ),
        (json!({ "Entrypoint": entry, "Cmd": cmd }), args, Some(vec!["/entry", "-x"])),
        (json!({ "Entrypoint": entry }), "", Some(vec!["/entry", "-x"])),
        (json!({ "Entrypoint": entry, "Cmd": null }), args, Some(vec!["/entry", "-x"])),
        (json!({ "Cmd": cmd }), "", Some(vec!["serve", "$$HOME", "$$(X)"])),
        (json!({ "Entrypoint": [], "Cmd": cmd }), args, Some(vec![])),
        (json!({}), args, Some(vec![])),
        (json!(null), args, Some(vec![])),
        (json!({ "Entrypoint": null, "Cmd": [] }), "", None),
        (json!(null), "", None),
    ] {
        let (registry, user) = (Registry::start(), User::new());
        registry.image("team/app", Some("1"), &config);
        let injected = user.inject(&image(&registry), lines, &[]);
        match wanted {
            Some(wanted) => {
                assert_eq!(injected.command().unwrap(), wanted, "{config} {lines}");
                let args = (!lines.is_empty()).then(|| json!(["own", "$(Y)"]));
                assert_eq!(injected.main().get("args").cloned(), args);
            }
            None => injected.refused("neither ENTRYPOINT nor CMD"),
        }
    }
}

#[test]
fn an_image_that_runs_lastout_already_is_left_alone() {
    let (registry, user) = (Registry::start(), User::new());
    registry.image("team/app", Some("1"), &json!({ "Entrypoint": ["/bin/lastout", "--"], "Cmd": ["/app"] }));
    let injected = user.inject(&image(&registry), "", &[]);
    assert!(injected.command().is_none() && injected.said.contains("already"), "{}", injected.said);
}

#[test]
fn each_image_is_asked_for_once_and_only_where_it_matters() {
    let (registry, user) = (Registry::start(), User::new());
    registry.image("team/app", Some("1"), &json!({ "Entrypoint": ["/app"] }));
    for name in ["one", "two", "three"] {
        user.job(name, &image(&registry), "");
    }
    let other = format!("{}/team/other", registry.authority);
    user.job("said", &other, "        command: [/own]\n");
    user.file(
        "none.yaml",
        &format!("kind: Pod\nmetadata: {{name: x}}\nspec: {{containers: [{{name: a, image: {other}}}]}}\n"),
    );
    let output = user.run(&["explain", "--resolve-images", &user.folder.path().display().to_string()]);
    let tree = String::from_utf8(output.stdout).unwrap();
    assert_eq!(tree.matches("injected-wrap").count(), 4, "{tree}");
    let lines = registry.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0] == "GET /v2/team/app/manifests/1" && lines[1].starts_with("GET /v2/team/app/blobs/sha256:")
    );
}

#[test]
fn without_the_option_nobody_is_asked() {
    let (registry, user) = (Registry::start(), User::new());
    let file = user.job("report", &image(&registry), "");
    let output = user.run(&["inject", &file]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-command"));
    assert!(registry.lines().is_empty());
}

#[test]
fn pinned_it_has_its_digest_until_it_is_taken_out_again() {
    let (registry, user) = (Registry::start(), User::new());
    let digest = registry.image("team/app", Some("1"), &json!({ "Entrypoint": ["/app"] }));
    for written in [image(&registry), format!("'{}'", image(&registry)), format!("\"{}\"", image(&registry))]
    {
        let injected = user.inject(&written, "", &["--pin"]);
        assert_eq!(injected.main()["image"], format!("{}@{digest}", image(&registry)));
        assert!(injected.text.contains(" # the app"), "{}", injected.text);
        let before = std::fs::read_to_string(user.job("report", &written, "")).unwrap();
        let file = user.file("injected.yaml", &injected.text).display().to_string();
        assert_eq!(String::from_utf8(user.run(&["uninject", &file]).stdout).unwrap(), before);
    }
    // One that has a digest already is asked for by it, and stays.
    let pinned = format!("{}@{digest}", image(&registry));
    assert_eq!(user.inject(&pinned, "", &["--pin"]).main()["image"], pinned);
    assert!(registry.lines().contains(&format!("GET /v2/team/app/manifests/{digest}")));
}

#[test]
fn what_is_no_image_is_refused() {
    let (registry, user) = (Registry::start(), User::new());
    let config = registry.blob("team/app", b"{}");
    let artifact =
        json!({ "mediaType": MANIFEST, "config": { "mediaType": "application/x.chart", "digest": config } });
    registry.manifest("team/app", Some("1"), &artifact);
    user.inject(&image(&registry), "", &[]).refused("an artifact: \"application/x.chart\"");
    let old = json!({ "schemaVersion": 1, "mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws", "fsLayers": [] });
    registry.manifest("team/app", Some("1"), &old);
    user.inject(&image(&registry), "", &[]).refused("v1+prettyjws");
    let page = answer(200, &[("content-type", "text/html")], "<html>Log in to the hotel's network</html>");
    registry.put("/v2/team/app/manifests/1", &[page]);
    user.inject(&image(&registry), "", &[]).refused("\"text/html\"");
}

#[test]
fn what_is_not_there_is_said_with_image_registry_and_way_out() {
    let (registry, user) = (Registry::start(), User::new());
    let injected = user.inject(&image(&registry), "", &[]);
    injected.refused(&format!("main: {0}/team/app:1: registry {0}: 404", registry.authority));
    injected.refused("lastout.dev/command.main");
    user.inject("Perl", "", &[]).refused("no name of an image");
    user.inject("127.0.0.1:9/app", "", &[]).refused("refused");
}

#[test]
fn strict_fails_without_an_answer() {
    let (registry, user) = (Registry::start(), User::new());
    let file = user.job("report", &image(&registry), "");
    let output = user.run(&["inject", "--resolve-images", "--strict", "-i", &file]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("{}: registry {}: 404", image(&registry), registry.authority)), "{said}");
}
