//! What is answered: the pod that `inject` makes, and what people read about it.

#[path = "../program/mod.rs"]
mod program;

use super::pods::{patched, pod, review};
use super::server::Server;
use kubectl_lastout::manifest::Manifest;
use kubectl_lastout::pod::Pod;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// All pods of the manifests in a folder, as pods of their own; the file's name, and how it is to be injected.
fn pods(folder: &str) -> Vec<(String, Vec<String>, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let words = text.lines().next().and_then(|line| line.strip_prefix("# inject:")).unwrap_or_default();
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let manifest = Manifest::read(&text).unwrap();
        for (document, workload) in manifest.workloads(&[]) {
            let template = workload.pod.of(&manifest.documents()[document].value).unwrap();
            let mut pod = json!({ "apiVersion": "v1", "kind": "Pod" });
            for key in ["metadata", "spec"] {
                if let Some(value) = template.get(key) {
                    pod[key] = value.clone();
                }
            }
            found.push((name.clone(), words.clone(), pod));
        }
    }
    found
}

#[test]
fn the_patch_makes_the_pod_that_inject_makes() {
    let mut servers: BTreeMap<Vec<String>, Server> = BTreeMap::new();
    let (mut changed, mut unchanged) = (0, 0);
    for (name, words, pod) in ["cases", "manifests"].into_iter().flat_map(pods) {
        // A name of a main, and a place in a file, are no options of a webhook.
        if words.iter().any(|word| ["--main", "--pod-path"].contains(&word.as_str())) {
            continue;
        }
        let options: Vec<&str> = words.iter().map(String::as_str).collect();
        let server = servers.entry(words.clone()).or_insert_with(|| Server::start(&options));
        let response = server.ask(&review(&pod));
        let found = patched(&pod, &response);
        // In admission only what is there counts, and we are asked again after the others.
        if name.starts_with("will-be-injected") {
            assert_eq!(response["auditAnnotations"]["reason"], "no-sidecar", "{name}");
            assert_eq!(found, pod, "{name}");
            continue;
        }
        let output =
            program::run(&[&["inject", "--strict"], &options[..], &["-"]].concat(), &pod.to_string());
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let injected: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found, injected, "{name}");
        *if found == pod { &mut unchanged } else { &mut changed } += 1;
    }
    assert!(changed > 20 && unchanged > 20, "{changed} changed, {unchanged} unchanged");
}

#[test]
fn the_answer_the_audit_log_and_the_log_say_what_was_done_and_to_whose_pod() {
    let server = Server::start(&["--kube-version", "1.28"]);
    let response = server.ask(&review(&pod()));
    assert_eq!(response["auditAnnotations"], json!({ "decision": "wrap", "reason": "injected-wrap" }));
    assert_eq!(response.get("warnings"), None);
    assert_eq!(patched(&pod(), &response)["spec"]["containers"][0]["command"][0], "/.lastout/lastout");
    let line = server.line(|line| line["message"] == "admission");
    for (key, value) in [
        ("level", "info"),
        ("uid", "705ab4f5-6393-11e8-b7cc-42010a800002"),
        ("namespace", "jobs"),
        ("pod", "report-*"),
        ("owner", "Job/report"),
        ("decision", "wrap"),
        ("reason", "injected-wrap"),
    ] {
        assert_eq!(line[key], value, "{line}");
    }
    assert_eq!(line["dryRun"], false);
    assert_eq!(server.metric("admissions_total{reason=\"injected-wrap\"}"), 1);
    assert_eq!(server.metric("admission_duration_seconds_count"), 1);
}

/// It has no other effect than the answer, so there is nothing to leave out.
#[test]
fn a_dry_run_is_answered_like_any_other() {
    let server = Server::start(&[]);
    let mut dry = review(&pod());
    dry["request"]["dryRun"] = true.into();
    assert_eq!(server.ask(&dry), server.ask(&review(&pod())));
    server.line(|line| line["dryRun"] == true);
}

#[test]
fn an_annotation_of_ours_that_is_very_long_is_told_and_not_read() {
    let server = Server::start(&[]);
    for (bytes, is_changed) in [(16_384, true), (16_385, false), (260_000, false)] {
        let mut long = pod();
        long["metadata"]["annotations"]["lastout.dev/exclude-containers"] = " ".repeat(bytes).into();
        let response = server.ask(&review(&long));
        assert_eq!(response.get("patch").is_some(), is_changed, "{bytes}");
        let told = response["warnings"].to_string();
        assert_eq!(told.contains("exclude-containers has more than 16384 bytes"), !is_changed, "{told}");
        long["metadata"]["annotations"] = json!({ "example.com/other": " ".repeat(bytes) });
        assert!(server.ask(&review(&long)).get("patch").is_some(), "it is not ours");
    }
}

#[test]
fn what_is_no_pod_that_is_created_is_allowed_as_it_is() {
    let server = Server::start(&[]);
    let changed = |pointer: &str, value: Value| {
        let mut review = review(&pod());
        *review.pointer_mut(pointer).unwrap() = value;
        server.ask(&review)
    };
    for (pointer, value, about) in [
        ("/request/operation", json!("UPDATE"), "UPDATE of Pod, and no pod that is created"),
        ("/request/kind/kind", json!("Deployment"), "CREATE of Deployment, and no pod that is created"),
        ("/request/kind/version", json!("v2"), "CREATE of Pod, and no pod that is created"),
        ("/request/object", Value::Null, "the review has no object"),
        ("/request/object", json!([1]), "the review has no object"),
    ] {
        let response = changed(pointer, value);
        let audit = json!({ "decision": "unchanged", "reason": "not-selected", "about": about });
        assert_eq!(response["auditAnnotations"], audit);
        assert_eq!(response.get("patch"), None);
    }
    let mut binding = review(&pod());
    binding["request"]["subResource"] = "ephemeralcontainers".into();
    let about = server.ask(&binding)["auditAnnotations"]["about"].clone();
    assert_eq!(about, "CREATE of Pod/ephemeralcontainers, and no pod that is created");
    let mut none = review(&pod());
    none["request"].as_object_mut().unwrap().remove("object");
    assert_eq!(server.ask(&none)["auditAnnotations"]["about"], "the review has no object");
}

#[test]
fn the_pods_own_word_counts() {
    let server = Server::start(&[]);
    let mut out = pod();
    out["metadata"]["labels"]["lastout.dev/inject"] = "false".into();
    let response = server.ask(&review(&out));
    assert_eq!(response["auditAnnotations"], json!({ "decision": "unchanged", "reason": "opted-out" }));
    let mut native = pod();
    native["metadata"]["annotations"] = json!({ "lastout.dev/mode": "native" });
    let response = server.ask(&review(&native));
    assert_eq!(response["auditAnnotations"], json!({ "decision": "native", "reason": "injected-native" }));
}

/// `inject` says the same on stderr; an API server passes on 256 bytes of each.
#[test]
fn what_is_odd_about_a_pod_is_a_warning() {
    let server = Server::start(&[]);
    let long = format!("lastout.dev/{}", "x".repeat(300));
    let mut odd = pod();
    odd["metadata"]["annotations"] = json!({ "lastout.dev/mian": "x", &long: "\n" });
    let response = server.ask(&review(&odd));
    let warnings = response["warnings"].as_array().unwrap();
    assert_eq!(warnings[0], "lastout.dev/mian is no annotation of lastout's, and counts as not set");
    assert!(warnings[1].as_str().unwrap().len() == 256 && warnings[1].as_str().unwrap().ends_with("x…"));
    assert_eq!(warnings.len(), 2);
}

/// managedFields is left out when a review is read, and must be there in the pod.
#[test]
fn the_patch_fits_a_pod_with_everything_that_an_api_server_adds() {
    let server = Server::start(&[]);
    let mut full = pod();
    full["metadata"]["managedFields"] = json!([{ "manager": "x", "fieldsV1": { "f:spec": {} } }]);
    full["metadata"]["creationTimestamp"] = Value::Null;
    full["spec"]["tolerations"] = json!([{ "tolerationSeconds": 300 }]);
    full["status"] = json!({});
    let found = patched(&full, &server.ask(&review(&full)));
    assert_eq!(found["metadata"]["managedFields"], full["metadata"]["managedFields"]);
    assert_eq!(Pod(&found).init_containers().len(), 1);
}
