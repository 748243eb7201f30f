//! What runs the webhook: Service, Deployment, disruption budget, network policy.

use super::{Certificates, NAME, Settings, metadata};
use crate::cel::{APP, labels};
use crate::webhook::defaults::{ADMIN_LISTEN, LISTEN};
use crate::webhook::server::Address;
use serde_json::{Map, Value, json};

/// Seconds from the end of a drain to KILL: what a busy node takes.
pub const AFTER_DRAIN: u64 = 15;
const COMPONENT: &str = "app.kubernetes.io/component";

/// The labels that selectors see: those of [`labels`] but the version, which changes.
fn selected() -> Value {
    json!({ "app.kubernetes.io/name": APP, COMPONENT: "webhook" })
}

pub(super) fn objects(settings: &Settings) -> [Value; 4] {
    [service(settings), deployment(settings), budget(settings), network(settings)]
}

fn service(settings: &Settings) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(settings, &settings.names().service),
        "spec": {
            "type": "ClusterIP",
            "selector": selected(),
            "ports": [{ "name": "https", "port": 443, "protocol": "TCP", "targetPort": "https" }],
        },
    })
}

fn deployment(settings: &Settings) -> Value {
    let Value::Object(mut of_pods) = labels() else { return Value::Null };
    of_pods.insert(COMPONENT.to_owned(), "webhook".into());
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(settings, NAME),
        "spec": {
            "replicas": settings.replicas,
            "selector": { "matchLabels": selected() },
            // A new one is ready before an old one goes.
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } },
            "template": { "metadata": { "labels": of_pods }, "spec": pod(settings) },
        },
    })
}

fn pod(settings: &Settings) -> Value {
    let spread = |topology: &str| {
        json!({
            "topologyKey": topology,
            "maxSkew": 1,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": { "matchLabels": selected() },
            // Only those of the same revision: after a rollout, where the old ones were says nothing.
            "matchLabelKeys": ["pod-template-hash"],
        })
    };
    let mut pod = Map::new();
    let mut set = |key: &str, value: Value| pod.insert(key.to_owned(), value);
    set("serviceAccountName", NAME.into());
    set("automountServiceAccountToken", (settings.certificates == Certificates::Itself).into());
    // Ports of other services, as variables: it reads none of them.
    set("enableServiceLinks", false.into());
    let drain = settings.drain.as_secs() + u64::from(settings.drain.subsec_nanos() > 0);
    set("terminationGracePeriodSeconds", drain.saturating_add(AFTER_DRAIN).into());
    set("nodeSelector", json!({ "kubernetes.io/os": "linux" }));
    // The user is the image's: clusters that give each namespace a range of its own refuse another.
    set("securityContext", json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } }));
    set(
        "topologySpreadConstraints",
        json!([spread("kubernetes.io/hostname"), spread("topology.kubernetes.io/zone")]),
    );
    let volumes = settings.certificates.volumes();
    set("containers", json!([container(settings, volumes.as_ref().map(|(_, mounts)| mounts))]));
    if let Some((volumes, _)) = volumes {
        set("volumes", volumes);
    }
    Value::Object(pod)
}

/// The port of an address.
fn port(address: &str) -> Option<u16> {
    Address::read(address).map(|address| match address {
        Address::All(port) => port,
        Address::One(address) => address.port(),
    })
}

fn container(settings: &Settings, mounts: Option<&Value>) -> Value {
    let probe = |path: &str, period: u32, failures: u32| {
        json!({
            "httpGet": { "path": path, "port": "admin" },
            "periodSeconds": period,
            "timeoutSeconds": 5,
            "failureThreshold": failures,
        })
    };
    // The kubelet expands $(NAME) in arguments, and makes one dollar of two.
    let given = settings.arguments.iter().map(|word| word.replace('$', "$$"));
    let arguments =
        std::iter::once("webhook".to_owned()).chain(settings.certificates.arguments()).chain(given);
    let mut container = Map::new();
    let mut set = |key: &str, value: Value| container.insert(key.to_owned(), value);
    set("name", "webhook".into());
    set("image", settings.image.as_str().into());
    set("args", arguments.collect());
    set(
        "ports",
        json!([
            { "name": "https", "containerPort": port(LISTEN), "protocol": "TCP" },
            { "name": "admin", "containerPort": port(ADMIN_LISTEN), "protocol": "TCP" },
        ]),
    );
    // No limit of CPU: who is throttled answers late, and pods wait for it.
    set(
        "resources",
        json!({ "requests": { "cpu": "50m", "memory": "32Mi" }, "limits": { "memory": "128Mi" } }),
    );
    set("livenessProbe", probe("/livez", 10, 6));
    set("readinessProbe", probe("/readyz", 2, 2));
    set(
        "securityContext",
        json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
        }),
    );
    if let Some(mounts) = mounts {
        set("volumeMounts", mounts.clone());
    }
    Value::Object(container)
}

/// A node may be drained, one of us at a time; with a single replica a `minAvailable` would forbid it for ever.
fn budget(settings: &Settings) -> Value {
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(settings, NAME),
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": selected() } },
    })
}

/// API servers and kubelets are no pods, so no selector tells them from others: both ports are open to all. Out of it only TCP,
/// and only where it asks the API server, whose address and port are each cluster's own.
fn network(settings: &Settings) -> Value {
    let port = |name: &str| json!({ "port": name, "protocol": "TCP" });
    let out = match settings.certificates {
        Certificates::Itself => json!([{ "ports": [{ "protocol": "TCP" }] }]),
        Certificates::CertManager | Certificates::Secret { .. } => json!([]),
    };
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(settings, NAME),
        "spec": {
            "podSelector": { "matchLabels": selected() },
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{ "ports": [port("https"), port("admin")] }],
            "egress": out,
        },
    })
}
