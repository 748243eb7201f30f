//! Our own chart (`charts/lastout`, made by `chart`): what Helm makes of it is what the program prints.

use super::{BIN, Objects, Tool, objects, repository, succeeded};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn both() -> impl Iterator<Item = Tool> {
    ["helm3", "helm4"].into_iter().filter_map(Tool::installed)
}

pub fn helm(tool: &Tool, words: &[&str]) -> Output {
    helm_with(tool, &repository().join("charts/lastout"), words)
}

fn helm_with(tool: &Tool, chart: &Path, words: &[&str]) -> Output {
    let (verb, more) = words.split_first().unwrap();
    // Without a cluster, what Helm takes for its version is a matter of how it was built.
    let version: &[&str] = if *verb == "template" { &["--kube-version", "1.33.0"] } else { &[] };
    let release: &[&str] = if *verb == "lint" { &[] } else { &["lastout"] };
    tool.run(
        &[&[*verb], release, &[chart.to_str().unwrap(), "--namespace", "lastout"], version, more].concat(),
    )
}

fn set(values: &[&str]) -> Vec<String> {
    values.iter().flat_map(|value| ["--set".to_owned(), (*value).to_owned()]).collect()
}

/// The objects of a release with these values, without what Helm adds.
pub fn release(tool: &Tool, values: &[&str]) -> Objects {
    let values = set(values);
    let words: Vec<&str> = ["template"].into_iter().chain(values.iter().map(String::as_str)).collect();
    let mut found = objects(&succeeded(&helm(tool, &words)));
    assert_eq!(
        found.remove("Pod lastout-webhook-test").is_some(),
        found.contains_key("Deployment lastout-webhook")
    );
    for (title, object) in &mut found {
        let labels = object["metadata"]["labels"].as_object_mut().unwrap();
        assert_eq!(labels.remove("app.kubernetes.io/managed-by"), Some("Helm".into()), "{title}");
        let chart = format!("lastout-{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(labels.remove("helm.sh/chart"), Some(chart.into()), "{title}");
    }
    found
}

fn printed(words: &[&str]) -> Objects {
    let mut found = objects(&succeeded(&Command::new(BIN).args(words).output().unwrap()));
    found.remove("Namespace lastout");
    found
}

#[test]
fn the_chart_has_nothing_that_lint_complains_of() {
    for tool in both() {
        for values in
            [&["mode=webhook"][..], &["mode=policy"], &["mode=auto"], &["certificates.from=cert-manager"]]
        {
            let values = set(values);
            let words: Vec<&str> =
                ["lint", "--strict"].into_iter().chain(values.iter().map(String::as_str)).collect();
            succeeded(&helm(&tool, &words));
        }
    }
}

#[test]
fn a_release_with_default_values_is_what_manifests_prints() {
    for tool in both() {
        assert_eq!(release(&tool, &[]), printed(&["manifests"]));
    }
}

/// Where `scripts/chart` has put the chart of a release.
fn packed(folder: &Path) -> PathBuf {
    let made = succeeded(&Command::new(repository().join("scripts/chart")).arg(folder).output().unwrap());
    PathBuf::from(made.trim_end())
}

#[test]
fn the_chart_of_a_release_is_that_of_the_repository_and_the_same_bytes_each_time() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = folders.each_ref().map(|folder| packed(folder.path()));
    assert_eq!(
        one.file_name().unwrap().to_str().unwrap(),
        format!("lastout-chart-{}.tgz", env!("CARGO_PKG_VERSION"))
    );
    assert!(fs::read(&one).unwrap() == fs::read(other).unwrap());
    for tool in both() {
        let from_file = helm_with(&tool, &one, &["template"]);
        assert_eq!(succeeded(&from_file), succeeded(&helm(&tool, &["template"])));
    }
}

#[test]
fn values_are_options_of_manifests() {
    let rows: [(&[&str], &[&str]); 7] = [
        (
            &["certificates.from=cert-manager", "webhook.replicas=3"],
            &["--certificates", "cert-manager", "--replicas", "3"],
        ),
        (
            &["certificates.from=secret", "certificates.secret=own"],
            &["--certificates", "secret", "--tls-secret", "own"],
        ),
        (
            &["namespaces=all", "image=r/lastout:1", "helperImage=r/k:1"],
            &["--namespaces", "all", "--image", "r/lastout:1", "--helper-image", "r/k:1"],
        ),
        (
            &[
                "injection.mode=wrap",
                "injection.delivery=image-volume",
                "injection.resources=inherit",
                "injection.sidecars={a:process=a,b:quit=http://127.0.0.1/$(x)}",
            ],
            &[
                "--mode",
                "wrap",
                "--delivery",
                "image-volume",
                "--resources",
                "inherit",
                "--sidecar",
                "a:process=a",
                "--sidecar",
                "b:quit=http://127.0.0.1/$(x)",
            ],
        ),
        (
            &[
                "webhook.drainTimeoutSeconds=90",
                "certificates.lifetime=2h",
                "certificates.authorityLifetime=48h",
            ],
            &["--drain-timeout", "90s", "--certificate-lifetime", "2h", "--ca-lifetime", "48h"],
        ),
        (&["injection.kubeVersion=1.30"], &["--kube-version", "1.30"]),
        (
            &["certificates.from=cert-manager", "namespaces=all"],
            &["--certificates", "cert-manager", "--namespaces", "all"],
        ),
    ];
    for tool in both() {
        for (values, words) in rows {
            assert_eq!(release(&tool, values), printed(&[&["manifests"], words].concat()), "{values:?}");
        }
    }
}

#[test]
fn an_authority_of_ones_own_is_in_the_configuration() {
    let mut params = rcgen::CertificateParams::new([]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let pem = pem::encode(&pem::Pem::new("CERTIFICATE", ca.der().to_vec()));
    for tool in both() {
        let path = tool.home.path().join("ca.pem");
        fs::write(&path, &pem).unwrap();
        let file = path.to_str().unwrap();
        let expected = printed(&["manifests", "--certificates", "secret", "--ca-bundle", file]);
        let given = format!("certificates.caBundle={file}");
        let found = objects(&succeeded(&helm(
            &tool,
            &["template", "--set", "certificates.from=secret", "--set-file", &given],
        )));
        let title = "MutatingWebhookConfiguration zz-lastout";
        assert_eq!(found[title]["webhooks"], expected[title]["webhooks"]);
        assert!(found[title]["webhooks"][1]["clientConfig"]["caBundle"].is_string());
    }
}

#[test]
fn policies_are_what_policy_prints() {
    let ways: [(&[&str], &[&str]); 4] = [
        (&[], &[]),
        (
            &["injection.mode=native", "policy.apiVersion=v1beta1"],
            &["--mode", "native", "--api-version", "v1beta1"],
        ),
        (
            &[
                "injection.delivery=image-volume",
                "image=r/l@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
            &[
                "--delivery",
                "image-volume",
                "--image",
                "r/l@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ],
        ),
        (
            &["namespaces=all", "injection.resources=10m\\,8Mi"],
            &["--namespaces", "all", "--resources", "10m,8Mi"],
        ),
    ];
    for tool in both() {
        for (values, words) in ways {
            let found = release(&tool, &[&["mode=policy"], values].concat());
            let words = [&["policy", "--params", "lastout/lastout-sidecars"], words].concat();
            assert_eq!(found, printed(&words), "{values:?}");
        }
        let found = release(&tool, &["mode=policy", "injection.sidecars={a:process=a,b:port=1}"]);
        assert_eq!(
            found["ConfigMap lastout-sidecars"]["data"],
            json!({ "sidecars": "a:process=a\nb:port=1" })
        );
    }
}

#[test]
fn auto_is_policies_where_the_cluster_has_them() {
    for tool in both() {
        let has = |more: &[&str]| {
            let found =
                objects(&succeeded(&helm(&tool, &[&["template", "--set", "mode=auto"], more].concat())));
            found.keys().any(|title| title.starts_with("MutatingAdmissionPolicy "))
        };
        assert!(has(&["--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"]));
        assert!(!has(&[]));
    }
}

#[test]
fn a_release_is_the_same_each_time() {
    for tool in both() {
        for mode in ["mode=webhook", "mode=policy"] {
            let once = || succeeded(&helm(&tool, &["template", "--set", mode]));
            assert_eq!(once(), once());
        }
    }
}

#[test]
fn notes_say_what_runs_and_how_a_pod_asks_for_it() {
    let server = super::api::start();
    for tool in both() {
        for (values, words) in [
            ("mode=webhook", "the admission webhook, 2 replicas in lastout, its certificate from itself."),
            ("mode=policy", "admission policies, made of init-container; no server runs."),
            ("namespaces=all", "the pods of all Jobs"),
            (
                "certificates.from=secret",
                "the API server must trust the signer of lastout-webhook-tls already",
            ),
        ] {
            let shown = helm(
                &tool,
                &[
                    "install",
                    "--dry-run=client",
                    "--disable-openapi-validation",
                    "--kube-apiserver",
                    &server,
                    "--set",
                    values,
                ],
            );
            let shown = succeeded(&shown);
            let (_, notes) = shown.split_once("\nNOTES:\n").unwrap();
            assert!(notes.contains(words), "{values}: {notes}");
        }
    }
}

#[test]
fn the_pod_that_tests_a_release_is_one_that_the_webhook_is_asked_about() {
    for tool in both() {
        let found = objects(&succeeded(&helm(&tool, &["template"])));
        let pod = &found["Pod lastout-webhook-test"];
        assert_eq!(pod["metadata"]["annotations"]["helm.sh/hook"], "test");
        let asked = &found["MutatingWebhookConfiguration zz-lastout"]["webhooks"][0];
        for (key, value) in asked["objectSelector"]["matchLabels"].as_object().unwrap() {
            assert_eq!(&pod["metadata"]["labels"][key], value);
        }
        let excluded = asked["namespaceSelector"]["matchExpressions"][0]["values"].as_array().unwrap();
        assert!(!excluded.contains(&pod["metadata"]["namespace"]), "{excluded:?}");
        assert!(pod["metadata"]["labels"]["batch.kubernetes.io/job-name"].is_string());
    }
}
