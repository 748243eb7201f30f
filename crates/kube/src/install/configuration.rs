//! Which pods the API server asks about, and what becomes of them when nobody answers.

use super::{Certificates, Settings};
use crate::cel::{ENABLED, NAMESPACE_NAME, Namespaces, OF_SYSTEM, expression, labels, of_a_job};
use crate::decide::INJECT;
use crate::webhook::server::PATH;
use serde_json::{Map, Value, json};

/// Less than the ten seconds that are usual: whoever creates a pod waits for it.
const TIMEOUT: u32 = 5;

/// The configuration. Webhooks are called in the order of their configurations' names, and all injectors that we know come before
/// its own: an entry for pods that ask for it, and one for those whose namespace does.
///
/// A pod that asks is not created when nobody answers (`Fail`): its Job's controller tries again, and nothing is lost; without us
/// it would hang for ever. A namespace's label says less: there a pod goes on without us.
pub(super) fn object(settings: &Settings) -> Value {
    let outside = || {
        let own = settings.namespace.as_str();
        json!([expression(NAMESPACE_NAME, "NotIn", &[&OF_SYSTEM[..], &[own]].concat())])
    };
    let in_namespaces = {
        let mut selector = json!({ "matchExpressions": outside() });
        if let (Namespaces::Labelled, Some(selector)) = (settings.namespaces, selector.as_object_mut()) {
            selector.insert("matchLabels".to_owned(), json!({ INJECT: ENABLED }));
        }
        selector
    };
    let entries = [
        entry(
            settings,
            "pods",
            "Fail",
            &json!({ "matchExpressions": outside() }),
            &json!({ "matchLabels": { INJECT: "true" } }),
        ),
        entry(
            settings,
            "namespaces",
            "Ignore",
            &in_namespaces,
            &json!({ "matchExpressions": [expression(INJECT, "NotIn", &["true", "false"])] }),
        ),
    ];
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), settings.names().configuration.into());
    metadata.insert("labels".to_owned(), labels());
    if let Some(annotations) = settings.certificates.annotations(&settings.namespace) {
        metadata.insert("annotations".to_owned(), annotations);
    }
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": metadata,
        "webhooks": entries,
    })
}

fn entry(settings: &Settings, which: &str, failure: &str, namespaces: &Value, pods: &Value) -> Value {
    let mut client = json!({
        "service": { "namespace": settings.namespace, "name": settings.names().service, "path": PATH, "port": 443 },
    });
    if let (Certificates::Secret { ca_bundle: Some(bundle), .. }, Some(client)) =
        (&settings.certificates, client.as_object_mut())
    {
        client.insert("caBundle".to_owned(), bundle.as_str().into());
    }
    json!({
        "name": format!("{which}.webhook.lastout.dev"),
        "admissionReviewVersions": ["v1"],
        "clientConfig": client,
        "failurePolicy": failure,
        "matchPolicy": "Equivalent",
        "namespaceSelector": namespaces,
        "objectSelector": pods,
        // Only what no other injector changes: a pod that does not match at first is not asked about again.
        "matchConditions": [{ "name": "pod-of-a-job", "expression": of_a_job() }],
        "reinvocationPolicy": "IfNeeded",
        "rules": [{
            "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"], "scope": "Namespaced",
        }],
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT,
    })
}
