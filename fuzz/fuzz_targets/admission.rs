//! Any bytes as the body of an admission request: a review that has a uid is answered as the documentation says, and the pod
//! that its patch makes is left alone when we are asked about that.
//!
//! The last byte says what is wished.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubectl_lastout::decide::{Delivery, KubeVersion, Mode, Options, Reason};
use kubectl_lastout::webhook::admission::{Admission, Wishes};
use kubectl_lastout::webhook::review::Review;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fn wishes(choice: u8) -> Wishes {
    let choice = usize::from(choice);
    let options = Options {
        mode: Mode::ALL[choice % Mode::ALL.len()],
        delivery: Delivery::ALL[choice / Mode::ALL.len() % Delivery::ALL.len()],
        image: "registry.example/lastout:1".to_owned(),
        helper_image: "registry.example/kubectl-lastout:1".to_owned(),
        sidecars: Vec::from_iter((choice & 16 != 0).then(|| "proxy:port=9000,quit=/quit".to_owned())),
        resources: (choice & 32 != 0).then(|| ("20m".to_owned(), "16Mi".to_owned())),
        ..Options::default()
    };
    let mut wishes = Wishes { options, ..Wishes::default() };
    wishes.known.kube_version =
        [None, Some(KubeVersion(1, 28)), Some(KubeVersion(1, 33)), Some(KubeVersion(1, 35))][choice >> 6];
    wishes
}

/// That an API server could be answered: as another reader has it, it is a review with a uid.
fn is_answerable(body: &[u8]) -> bool {
    let Ok(review) = serde_json::from_slice::<Value>(body) else { return false };
    let uid = review.pointer("/request/uid").and_then(Value::as_str).unwrap_or_default();
    review["apiVersion"] == "admission.k8s.io/v1" && review["kind"] == "AdmissionReview" && !uid.is_empty()
}

/// Each container's name, with its image.
fn containers(pod: &Value) -> Vec<(Value, Value)> {
    let lists = ["containers", "initContainers"].map(|key| pod["spec"][key].as_array());
    let containers = lists.into_iter().flatten().flatten();
    containers.map(|container| (container["name"].clone(), container["image"].clone())).collect()
}

/// The pod that the answer makes of this one, where it changes it.
fn patched(answer: &[u8], uid: &str, pod: &Value) -> Option<Value> {
    let answer: Value = serde_json::from_slice(answer).expect("JSON");
    assert_eq!(
        (&answer["apiVersion"], &answer["kind"]),
        (&json!("admission.k8s.io/v1"), &json!("AdmissionReview"))
    );
    let response = answer["response"].as_object().expect("a response");
    assert_eq!(response["uid"], uid);
    assert_eq!(response["allowed"], true);
    for (key, value) in response["auditAnnotations"].as_object().expect("annotations") {
        assert!(["decision", "reason", "about"].contains(&key.as_str()), "{key}");
        is_shown(value);
    }
    let warnings = response.get("warnings").map(|list| list.as_array().expect("a list").as_slice());
    assert!(warnings.is_none_or(|list| (1..=16).contains(&list.len())), "{warnings:?}");
    warnings.into_iter().flatten().for_each(is_shown);
    assert_eq!(response.contains_key("patch"), response.contains_key("patchType"));
    let patch = response.get("patch")?;
    assert_eq!(response["patchType"], "JSONPatch");
    let patch = STANDARD.decode(patch.as_str().expect("text")).expect("base64");
    let patch: json_patch::Patch = serde_json::from_slice(&patch).expect("a patch");
    let mut new = pod.clone();
    json_patch::patch(&mut new, &patch).unwrap_or_else(|error| panic!("{error}: {patch:?}"));
    Some(new)
}

/// It travels in a header of HTTP, or stands in the audit log.
fn is_shown(text: &Value) {
    let text = text.as_str().expect("text");
    assert!(text.len() <= 256 && !text.chars().any(char::is_control), "{text:?}");
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_last() else { return };
    let wishes = wishes(*choice);
    let mut review = match Review::read(body) {
        Ok(review) => review,
        Err(why) => {
            assert!(!is_answerable(body), "{why}");
            let line = why.to_string();
            assert!(!line.is_empty() && !line.chars().any(char::is_control), "{line:?}");
            return;
        }
    };
    let pod = review.pod().cloned().ok();
    let uid = review.uid().to_owned();
    let admission = Admission::of(&mut review, &wishes);
    assert!(!matches!(admission.reason, Reason::Internal | Reason::PatchMismatch), "{}", admission.about);
    let answer = admission.answer(&review);
    let Some(pod) = pod else {
        assert_eq!(patched(&answer, &uid, &Value::Null), None);
        return;
    };
    let Some(new) = patched(&answer, &uid, &pod) else { return };
    assert_ne!(new, pod);
    let (before, after) = (containers(&pod), containers(&new));
    assert!(before.iter().all(|one| after.contains(one)), "{before:?} became {after:?}");
    let mut again = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": { "uid": uid, "kind": { "group": "", "version": "v1", "kind": "Pod" }, "operation": "CREATE" },
    });
    again["request"]["object"] = new.clone();
    let mut again = Review::read(again.to_string().as_bytes()).expect("a review");
    let admission = Admission::of(&mut again, &wishes);
    assert_eq!(
        patched(&admission.answer(&again), &uid, &new),
        None,
        "{:?} at the second time",
        admission.reason
    );
});
