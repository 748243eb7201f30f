//! What an API server asks about, and what it makes of the answer.

use serde_json::{Value, json};

/// A review of a pod that is to be created.
pub fn review(pod: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "namespace": "jobs",
            "operation": "CREATE",
            "userInfo": { "username": "system:serviceaccount:kube-system:job-controller" },
            "object": pod,
            "oldObject": null,
            "dryRun": false,
            "options": { "apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions" },
        },
    })
}

/// A pod with a main and a mesh, as the Job controller creates it.
pub fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": "report-",
            "labels": { "batch.kubernetes.io/job-name": "report" },
            "ownerReferences": [
                { "apiVersion": "x/v1", "kind": "Queue", "name": "q", "uid": "1" },
                { "apiVersion": "batch/v1", "kind": "Job", "name": "report", "uid": "2", "controller": true },
            ],
        },
        "spec": { "restartPolicy": "Never", "containers": [
            { "name": "main", "image": "app", "command": ["/app"] },
            { "name": "istio-proxy", "image": "istio/proxyv2" },
        ] },
    })
}

/// The pod as an API server has it after this answer.
pub fn patched(pod: &Value, response: &Value) -> Value {
    use base64::Engine as _;
    let mut pod = pod.clone();
    let Some(patch) = response["patch"].as_str() else {
        assert_eq!(response.get("patchType"), None);
        return pod;
    };
    assert_eq!(response["patchType"], "JSONPatch");
    let patch = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
    let patch: json_patch::Patch = serde_json::from_slice(&patch).unwrap();
    json_patch::patch(&mut pod, &patch).unwrap();
    pod
}
