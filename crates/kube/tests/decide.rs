//! What is decided about one pod, fact by fact.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use kubectl_lastout::change::Path;
use kubectl_lastout::decide::{Context, Decision, Facts, Options, Reason, Stage, decide};
use kubectl_lastout::pod::Pod;
use serde_json::{Value, json};

/// Two containers, of which the second has this name.
fn pod(second: &str, metadata: Value) -> Value {
    json!({ "metadata": metadata, "spec": { "restartPolicy": "Never", "containers": [
        { "name": "main", "command": ["/app"] },
        { "name": second, "command": ["/side"] },
    ] } })
}

fn decided(pod: &Value, options: &Options) -> Decision {
    decide(Pod(pod), Context::default(), options)
}

/// What a manifest does not say the namespace may.
#[test]
fn a_namespaces_label_asks_for_a_sidecar_as_well() {
    let pod = json!({ "spec": { "restartPolicy": "Never", "containers": [{ "name": "main", "command": ["/app"] }] } });
    let namespace = json!({ "metadata": { "labels": { "istio-injection": "enabled" } } });
    let reason = |context| decide(Pod(&pod), context, &Options::default()).reason;
    let context = Context { namespace: Some(&namespace), ..Context::default() };
    assert_eq!(reason(Context::default()), Reason::NoSidecar);
    assert_eq!(reason(context), Reason::InjectedWrap);
    // Then it is in the pod, or will never be.
    assert_eq!(reason(Context { stage: Stage::Admission, ..context }), Reason::NoSidecar);
}

/// A wait is no end: `check` would say of the result that it hangs.
#[test]
fn a_spec_that_only_waits_for_a_sidecar_does_not_make_it_one_that_can_be_ended() {
    let of = |spec: &str| {
        let options = Options { sidecars: vec![spec.to_owned()], ..Options::default() };
        decided(&pod("fluent-bit", json!({})), &options).reason
    };
    assert_eq!(of("fluent-bit:quit=none"), Reason::NoEndpoint);
    assert_eq!(of("fluent-bit:ready=tcp:2020"), Reason::NoEndpoint);
    assert_eq!(of("fluent-bit:process=fluent-bit"), Reason::InjectedWrap);
    assert_eq!(of("fluent-bit:quit=http://127.0.0.1:2020/stop"), Reason::InjectedWrap);
}

#[test]
fn a_name_that_no_container_has_is_told_of_by_its_annotation_and_points_at_it() {
    let annotations = json!({ "annotations": { "lastout.dev/exclude-containers": "main,mian" } });
    let pod = pod("istio-proxy", annotations);
    let options = Options { mains: vec!["mani".to_owned()], ..Options::default() };
    let facts = Facts::of(Pod(&pod), Context::default(), &options);
    let warnings: Vec<String> = facts.warnings.iter().map(ToString::to_string).collect();
    let said = [
        "lastout.dev/exclude-containers: there is no container mian, and the name counts as not set",
        "--main: there is no container mani, and it counts as not set",
    ];
    assert_eq!(warnings, said);
    let at = Path::keys(&["metadata", "annotations", "lastout.dev/exclude-containers"]);
    assert_eq!(facts.warnings[0].at, Some(at));
}
