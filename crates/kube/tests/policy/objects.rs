//! What is printed, for people; and who is looked at.

use super::cel::{Policy, compiled};
use super::{Value, WAYS, json, objects_of, printed};
use std::path::Path;

#[test]
fn what_is_printed_is_what_it_was_when_it_was_read_by_a_person() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy");
    for (name, words) in WAYS {
        let found = printed(words);
        support::golden::held(&folder.join(format!("{name}.yaml")), &found);
    }
}

#[test]
fn no_policy_can_refuse_a_pod_or_a_job() {
    for (name, words) in WAYS {
        let objects = objects_of(&printed(words));
        for object in &objects {
            let spec = &object["spec"];
            match object["kind"].as_str().unwrap() {
                "MutatingAdmissionPolicy" => {
                    assert_eq!(spec["failurePolicy"], "Ignore", "{name}");
                    assert_eq!(spec["reinvocationPolicy"], "IfNeeded", "{name}");
                }
                "ValidatingAdmissionPolicy" => assert_eq!(spec["failurePolicy"], "Ignore", "{name}"),
                "ValidatingAdmissionPolicyBinding" => {
                    assert_eq!(spec["validationActions"], json!(["Warn"]), "{name}")
                }
                "MutatingAdmissionPolicyBinding" | "ConfigMap" => {}
                other => panic!("{name}: {other}"),
            }
        }
    }
}

/// Where its ConfigMap is missing, a policy is skipped.
#[test]
fn every_policy_that_has_parameters_comes_with_them() {
    for words in [&["--params", "lastout/own"][..], &["--params", "lastout/own", "--warn-only"]] {
        let objects = objects_of(&printed(words));
        assert_eq!(objects[0]["kind"], "ConfigMap", "{words:?}");
        assert_eq!(objects[0]["metadata"]["name"], "own");
        assert!(objects[0].get("data").is_none(), "applied again, it would take away what people wrote");
        assert_eq!(objects.iter().filter(|object| object["kind"] == "ConfigMap").count(), 1);
    }
    assert!(objects_of(&printed(&["--warn-only"])).iter().all(|object| object["kind"] != "ConfigMap"));
}

#[test]
fn a_message_is_an_expression_only_where_there_is_something_to_name() {
    let objects = objects_of(&printed(&["--warn-only"]));
    let validations = objects[0]["spec"]["validations"].as_array().unwrap();
    let expressions: Vec<&Value> =
        validations.iter().filter_map(|validation| validation.get("messageExpression")).collect();
    assert!(!expressions.is_empty() && expressions.len() < validations.len());
    assert!(expressions.iter().all(|expression| expression.as_str().unwrap().contains("variables.")));
}

#[test]
fn only_pods_of_jobs_are_looked_at() {
    let objects = objects_of(&printed(&[]));
    let policy =
        Policy::of(objects.iter().find(|object| object["kind"] == "MutatingAdmissionPolicy").unwrap());
    let pod = |metadata: Value| json!({ "metadata": metadata, "spec": {} });
    for (metadata, expected) in [
        (json!({}), false),
        (json!({ "labels": { "app": "x" } }), false),
        (json!({ "labels": { "job-name": "x" } }), true),
        (json!({ "labels": { "batch.kubernetes.io/job-name": "x" } }), true),
        (json!({ "ownerReferences": [{ "kind": "ReplicaSet" }] }), false),
        (json!({ "ownerReferences": [{ "kind": "ReplicaSet" }, { "kind": "Job" }] }), true),
    ] {
        assert_eq!(policy.matches(&pod(metadata.clone())), expected, "{metadata}");
    }
}

/// The warnings about a Job with these labels of its template and these containers.
fn warnings(words: &[&str], kind: &str, labels: Value, containers: Value) -> Vec<String> {
    let objects = objects_of(&printed(&[words, &["--warn-only"]].concat()));
    let object = objects.iter().find(|object| object["kind"] == "ValidatingAdmissionPolicy").unwrap();
    let policy = Policy::of(object);
    let template = json!({ "metadata": { "labels": labels }, "spec": { "restartPolicy": "Never", "containers": containers } });
    let job = match kind {
        "Job" => json!({ "spec": { "template": template } }),
        _ => json!({ "spec": { "jobTemplate": { "spec": { "template": template } } } }),
    };
    let validations = object["spec"]["validations"].as_array().unwrap();
    let value = |expression: &Value| policy.value(&job, &compiled(expression.as_str().unwrap()));
    let failed =
        validations.iter().filter(|validation| value(&validation["expression"]) != Value::Bool(true));
    let said = |validation: &Value| match &validation["messageExpression"] {
        Value::Null => validation["message"].clone(),
        expression => value(expression),
    };
    failed.map(|validation| said(validation).as_str().unwrap().to_owned()).collect()
}

#[test]
fn jobs_that_will_hang_are_warned_about_in_words() {
    let asked = json!({ "lastout.dev/inject": "true" });
    let proxy = json!({ "name": "istio-proxy" });
    let main = json!({ "name": "main" });
    let second = json!({ "name": "second" });
    let wrapped = json!({ "name": "main", "command": ["/app"] });
    for kind in ["Job", "CronJob"] {
        assert_eq!(
            warnings(&[], kind, asked.clone(), json!([main, second, proxy])),
            ["container main, second has no command: it cannot be wrapped, and this Job will hang"]
        );
        assert_eq!(
            warnings(&[], kind, asked.clone(), json!([wrapped, { "name": "pgbouncer" }])),
            ["this Job will hang: a sidecar cannot be asked to end: it has no such endpoint (pgbouncer)"]
        );
        let nothing: [&str; 0] = [];
        assert_eq!(warnings(&[], kind, asked.clone(), json!([wrapped, proxy])), nothing);
        assert_eq!(warnings(&[], kind, asked.clone(), json!([main])), nothing, "it has no sidecar");
        assert_eq!(warnings(&[], kind, json!({}), json!([main, proxy])), nothing, "nobody asked");
        assert_eq!(warnings(&["--namespaces", "all"], kind, json!({}), json!([main, proxy])).len(), 1);
        let out = json!({ "lastout.dev/inject": "false" });
        assert_eq!(warnings(&["--namespaces", "all"], kind, out, json!([main, proxy])), nothing, "opted out");
        assert_eq!(warnings(&["--mode", "native"], kind, asked.clone(), json!([main, proxy])), nothing);
    }
}
