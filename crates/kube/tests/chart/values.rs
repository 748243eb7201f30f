//! The chart's values: one table for `values.yaml` and `values.schema.json`.

use kubectl_lastout::decide::{Delivery, Mode};
use kubectl_lastout::webhook::defaults;
use kubectl_lastout::yaml::render;
use serde_json::{Map, Value, json};

/// A value: where it is, what it is when nobody says, what it may be, and what it is for.
pub struct Row {
    pub path: &'static str,
    default: Value,
    schema: Value,
    about: &'static str,
}

/// No quotes and no backslashes: it comes into expressions of policies.
const IMAGE: &str = r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$";
const AMOUNTS: &str = r"^(inherit|[0-9.]+(m|[kMGT]i?)?,[0-9.]+(m|[kMGT]i?)?)$";

fn one_of(values: &[&str]) -> Value {
    json!({ "enum": values })
}

/// What goes below `resources`, `imagePullSecrets`, `tolerations`: enough to refuse what an API server would refuse.
fn list_of(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}

fn lifetime() -> Value {
    json!({ "type": "string", "pattern": "^[1-9][0-9]*(s|m|h)$" })
}

fn label() -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": 63 })
}

fn pull_secrets() -> Value {
    list_of(json!({
        "type": "object",
        "required": ["name"],
        "additionalProperties": false,
        "properties": { "name": { "type": "string", "minLength": 1 } },
    }))
}

fn amounts() -> Value {
    let amount = json!({ "type": ["string", "number"] });
    let amounts = json!({ "type": "object", "additionalProperties": amount });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": { "requests": amounts, "limits": amounts },
    })
}

pub fn rows() -> Vec<Row> {
    let row = |path, default: Value, schema: Value, about| Row { path, default, schema, about };
    let image = || json!({ "type": "string", "pattern": IMAGE });
    let version = env!("CARGO_PKG_VERSION");
    vec![
        row(
            "mode",
            json!("webhook"),
            one_of(&["auto", "policy", "webhook"]),
            "The admission webhook (any cluster from 1.28), admission policies (from 1.36: no server, no certificate), or auto: policies where the cluster has them.",
        ),
        row(
            "namespaces",
            json!("labelled"),
            one_of(&["labelled", "all"]),
            "Which pods of Jobs: those with the label lastout.dev/inject: \"true\" and those of namespaces with lastout.dev/inject: enabled; or all outside of the system's namespaces.",
        ),
        row(
            "image",
            json!(format!("lastout:{version}")),
            image(),
            "lastout's own image, which is added to pods.",
        ),
        row(
            "helperImage",
            json!(format!("kubectl-lastout:{version}")),
            image(),
            "kubectl-lastout's image: the webhook's own, and that of helper containers.",
        ),
        row(
            "injection.mode",
            json!("auto"),
            one_of(&Mode::ALL.map(Mode::word)),
            "How: the first that is possible, native sidecars, lastout as the init of the mains, or a helper container. With policies, auto means wrap, and helper is not possible.",
        ),
        row(
            "injection.delivery",
            json!("auto"),
            one_of(&Delivery::ALL.map(Delivery::word)),
            "How lastout is brought into a pod. With policies, auto means init-container.",
        ),
        row(
            "injection.kubeVersion",
            json!(""),
            json!({ "type": "string", "pattern": r"^(1\.[0-9]+)?$" }),
            "The version of the oldest node, such as \"1.33\": native sidecars need 1.29, image volumes 1.35. Only the webhook reads it.",
        ),
        row(
            "injection.sidecars",
            json!([]),
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 } }),
            "SPECs of sidecars that are not known: the container's name, and how it is asked. Policies read only some keys of a SPEC: docs/policy.md.",
        ),
        row(
            "injection.resources",
            json!("20m,16Mi"),
            json!({ "type": "string", "pattern": AMOUNTS }),
            "Requests and limits of the init container: CPU,MEMORY; or inherit: those of the first main, which is not possible with policies.",
        ),
        row(
            "policy.apiVersion",
            json!("v1"),
            one_of(&["v1", "v1beta1"]),
            "The API of mutating policies: v1beta1 on 1.34 and 1.35, behind a feature gate.",
        ),
        row(
            "webhook.replicas",
            json!(2),
            json!({ "type": "integer", "minimum": 1, "maximum": 100 }),
            "The number of replicas.",
        ),
        row(
            "webhook.resources",
            json!({ "requests": { "cpu": "50m", "memory": "32Mi" }, "limits": { "memory": "128Mi" } }),
            amounts(),
            "The webhook's resources. With a CPU limit it answers late.",
        ),
        row(
            "webhook.failurePolicy.pods",
            json!("Fail"),
            one_of(&["Fail", "Ignore"]),
            "If the webhook does not answer: what happens to pods with the label.",
        ),
        row(
            "webhook.failurePolicy.namespaces",
            json!("Ignore"),
            one_of(&["Fail", "Ignore"]),
            "The same, for the other pods of labelled namespaces.",
        ),
        row(
            "webhook.timeoutSeconds",
            json!(5),
            json!({ "type": "integer", "minimum": 1, "maximum": 30 }),
            "How long the API server waits for an answer.",
        ),
        row(
            "webhook.networkPolicy",
            json!(true),
            json!({ "type": "boolean" }),
            "Whether a NetworkPolicy limits the webhook's connections.",
        ),
        row(
            "webhook.apiServers",
            json!([]),
            list_of(json!({ "type": "string", "pattern": "^[0-9a-fA-F.:]+/[0-9]{1,3}$" })),
            "CIDRs of the API servers: the only addresses to which the NetworkPolicy then allows connections. If empty, all addresses by TCP. Only with certificates from itself; with others, no connection is allowed.",
        ),
        row(
            "webhook.drainTimeoutSeconds",
            json!(defaults::DRAIN_TIMEOUT.trim_end_matches('s').parse::<u64>().unwrap()),
            json!({ "type": "integer", "minimum": 1, "maximum": 3600 }),
            "The most time from TERM to the end, in seconds.",
        ),
        row("webhook.imagePullSecrets", json!([]), pull_secrets(), "As a pod has it."),
        row("webhook.priorityClassName", json!(""), json!({ "type": "string" }), "As a pod has it."),
        row("webhook.tolerations", json!([]), list_of(json!({ "type": "object" })), "As a pod has it."),
        row(
            "certificates.from",
            json!("itself"),
            one_of(&["itself", "cert-manager", "secret"]),
            "Who makes the webhook's certificate: itself, cert-manager, or you, in a Secret.",
        ),
        row(
            "certificates.secret",
            json!("lastout-webhook-tls"),
            json!({
                "type": "string",
                "pattern": r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
                "maxLength": 253,
            }),
            "With secret: the name of the Secret, which has tls.crt and tls.key.",
        ),
        row(
            "certificates.caBundle",
            json!(""),
            json!({
                "type": "string",
                "pattern": r"^$|-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----",
                "not": { "pattern": "PRIVATE KEY-----" },
            }),
            "With secret: the authority that has signed it, in PEM (--set-file). If empty, the API server trusts what its machine trusts.",
        ),
        row(
            "certificates.lifetime",
            json!(defaults::CERTIFICATE_LIFETIME),
            lifetime(),
            "With itself: how long each replica's certificate is valid.",
        ),
        row(
            "certificates.authorityLifetime",
            json!(defaults::AUTHORITY_LIFETIME),
            lifetime(),
            "With itself: how long the authority's certificate is valid; at least as long as the replicas' certificates.",
        ),
        row(
            "test.namespace",
            json!("default"),
            label(),
            "The namespace in which helm test creates its pod; not that of the release, about whose pods the webhook is not asked.",
        ),
        row("test.imagePullSecrets", json!([]), pull_secrets(), "Secrets of that namespace."),
    ]
}

/// `values.yaml`.
pub fn values() -> String {
    let mut text = String::from("# Written by crates/kube/tests/chart (LASTOUT_BLESS=1): do not edit.\n");
    let mut open: Vec<&str> = Vec::new();
    for row in rows() {
        let keys: Vec<&str> = row.path.split('.').collect();
        let (key, parents) = keys.split_last().unwrap();
        let same = open.iter().zip(parents).take_while(|(one, other)| one == other).count();
        for (depth, parent) in parents.iter().enumerate().skip(same) {
            text.push_str(&format!("\n{}{parent}:\n", "  ".repeat(depth)));
        }
        open = parents.to_vec();
        let indent = "  ".repeat(parents.len());
        if parents.is_empty() {
            text.push('\n');
        }
        let line = format!("{indent}# {}\n", row.about);
        text.push_str(&line);
        let value = render(&json!({ *key: row.default }));
        text.extend(value.lines().map(|line| format!("{indent}{line}\n")));
    }
    text
}

/// `values.schema.json`. What is not in the table is refused: a typo is not a default. So is what is missing: that is how Helm
/// hands on a `null`.
pub fn schema() -> String {
    let mut root = section();
    for row in rows() {
        let mut at = &mut root;
        let keys: Vec<&str> = row.path.split('.').collect();
        let (key, parents) = keys.split_last().unwrap();
        for parent in parents {
            require(at, parent);
            at = properties(at).entry(*parent).or_insert_with(section);
        }
        require(at, key);
        let mut schema = row.schema.clone();
        schema["description"] = row.about.into();
        properties(at).insert((*key).to_owned(), schema);
    }
    // Helm hands on what parent charts share.
    properties(&mut root).insert("global".to_owned(), json!({ "type": ["object", "null"] }));
    let mut document = json!({ "$schema": "http://json-schema.org/draft-07/schema#", "title": "lastout" });
    document.as_object_mut().unwrap().extend(root.as_object().unwrap().clone());
    serde_json::to_string_pretty(&document).unwrap() + "\n"
}

fn section() -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": {}, "required": [] })
}

fn require(section: &mut Value, key: &str) {
    let required = section["required"].as_array_mut().unwrap();
    if !required.contains(&json!(key)) {
        required.push(json!(key));
    }
}

fn properties(schema: &mut Value) -> &mut Map<String, Value> {
    schema["properties"].as_object_mut().unwrap()
}
