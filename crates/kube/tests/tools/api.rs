//! As much of an API server as `helm install --dry-run=client` asks for: that it is there, and which kinds it has.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// What there is: kinds by group and version, each namespaced but those of the second list.
const KINDS: [(&str, &[&str], &[&str]); 7] = [
    ("v1", &["ServiceAccount", "Service", "Pod", "ConfigMap"], &[]),
    ("apps/v1", &["Deployment"], &[]),
    ("batch/v1", &["Job"], &[]),
    ("policy/v1", &["PodDisruptionBudget"], &[]),
    ("networking.k8s.io/v1", &["NetworkPolicy"], &[]),
    ("rbac.authorization.k8s.io/v1", &["Role", "RoleBinding"], &["ClusterRole", "ClusterRoleBinding"]),
    (
        "admissionregistration.k8s.io/v1",
        &[],
        &[
            "MutatingWebhookConfiguration",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
        ],
    ),
];

/// The answer to a path, where there is one.
fn known(path: &str) -> Option<Value> {
    match path {
        "/version" => return Some(json!({ "major": "1", "minor": "36", "gitVersion": "v1.36.0" })),
        "/api" => return Some(json!({ "kind": "APIVersions", "versions": ["v1"] })),
        "/apis" => {
            let groups = KINDS.iter().filter_map(|(name, ..)| {
                let (group, version) = name.split_once('/')?;
                Some(json!({ "name": group, "versions": [{ "groupVersion": name, "version": version }] }))
            });
            let groups: Vec<Value> = groups.collect();
            return Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }));
        }
        _ => {}
    }
    let name = path.strip_prefix("/apis/").or_else(|| path.strip_prefix("/api/"))?;
    let (_, inside, global) = KINDS.iter().find(|(found, ..)| *found == name)?;
    let resource = |kind: &str, namespaced: bool| {
        let plural = kind.to_lowercase().replace("policy", "policie") + "s";
        json!({ "name": plural, "kind": kind, "namespaced": namespaced, "verbs": ["get"] })
    };
    let resources: Vec<Value> = inside
        .iter()
        .map(|kind| resource(kind, true))
        .chain(global.iter().map(|kind| resource(kind, false)))
        .collect();
    Some(json!({ "kind": "APIResourceList", "groupVersion": name, "resources": resources }))
}

/// Starts it, for as long as the test runs; its URL.
pub fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(&stream.unwrap()));
        }
    });
    url
}

/// One request; what else may come on the connection is another's business.
fn answer(mut stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(request)) = lines.next() else { return };
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    if lines.map_while(Result::ok).all(|line| !line.is_empty()) {
        return;
    }
    let (status, body) = match known(path) {
        Some(body) => ("200 OK", body),
        None => (
            "404 Not Found",
            json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404 }),
        ),
    };
    let body = body.to_string();
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}
