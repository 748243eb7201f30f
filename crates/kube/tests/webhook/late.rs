//! An injector whose turn is after ours, and our second turn (`reinvocationPolicy: IfNeeded`).

use super::pods::{patched, review};
use super::server::Server;
use serde_json::{Value, json};

fn pod(mains: &[&str], sides: &[&str]) -> Value {
    let main = |name: &&str| json!({ "name": name, "image": "x", "command": ["/app", "--sidecar", "istio"] });
    let side = |name: &&str| json!({ "name": name, "image": "x" });
    let containers: Vec<Value> = mains.iter().map(main).chain(sides.iter().map(side)).collect();
    json!({
        "metadata": { "annotations": { "lastout.dev/sidecars": "proxy-2:process=proxy" } },
        "spec": { "restartPolicy": "OnFailure", "containers": containers },
    })
}

/// Our turn.
fn turn(server: &Server, pod: &Value) -> Value {
    patched(pod, &server.ask(&review(pod)))
}

fn with(pod: &Value, sides: &[&str]) -> Value {
    let mut pod = pod.clone();
    let containers = pod["spec"]["containers"].as_array_mut().unwrap();
    containers.extend(sides.iter().map(|name| json!({ "name": name, "image": "x" })));
    pod
}

/// What lastout is told, by main: the options without their order, and what follows them.
fn told(pod: &Value) -> Vec<(Vec<String>, Vec<Value>)> {
    let containers = pod["spec"]["containers"].as_array().unwrap();
    let commands = containers.iter().filter_map(|container| container["command"].as_array());
    commands
        .map(|words| {
            let end = words.iter().position(|word| word == "--").unwrap();
            let pairs = words[1..end].chunks(2).map(|pair| format!("{} {}", pair[0], pair[1]));
            let mut pairs: Vec<String> = pairs.collect();
            pairs.sort();
            (pairs, words[end..].to_vec())
        })
        .collect()
}

#[test]
fn lastout_is_told_of_a_sidecar_that_comes_between_the_two_turns() {
    let server = Server::start(&["--mode", "wrap"]);
    for (mains, first, late) in [
        (&["main"][..], &["cloud-sql-proxy"][..], &["istio-proxy"][..]),
        (&["a", "b"], &["envoy"], &["proxy-2", "linkerd-proxy", "kuma"]),
    ] {
        let between = with(&turn(&server, &pod(mains, first)), late);
        let found = turn(&server, &between);
        assert_ne!(found, between);
        assert_eq!(told(&found), told(&turn(&server, &pod(mains, &[first, late].concat()))));
        assert_eq!(turn(&server, &found), found, "a third turn");
        // One that cannot be ended: a pod that would hang all the same stays as it is.
        let endless = with(&between, &["otel-collector"]);
        assert_eq!(turn(&server, &endless), endless);
    }
}

/// A command that somebody else has written is theirs.
#[test]
fn a_pod_that_was_not_wrapped_by_us_stays_as_it_is() {
    let server = Server::start(&[]);
    let mut own = pod(&["main"], &["istio-proxy"]);
    own["spec"]["containers"][0]["command"] =
        json!(["/.lastout/lastout", "--sidecar", "envoy", "--", "/app"]);
    assert_eq!(turn(&server, &own), own);
    let mut ended = with(&turn(&server, &pod(&["main"], &["envoy"])), &["istio-proxy"]);
    ended["spec"]["hostPID"] = true.into();
    assert_eq!(turn(&server, &ended), ended);
}
