//! The policies that `policy` prints do what `inject` does: their CEL is run on pods, and compared with what is decided in
//! admission. `LASTOUT_BLESS=1` writes what is printed now.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod agree;
mod cel;
#[path = "../generated/mod.rs"]
mod generated;
mod objects;

use cel::Policy;
use kube_cel::cel::IdedExpr;
use kubectl_lastout::cel::{Limit, Why, left_alone};
use kubectl_lastout::decide::{Context, Decision, Options, Reason, Stage, applied, decide};
use kubectl_lastout::manifest::Manifest;
use kubectl_lastout::pod::Pod;
use kubectl_lastout::{cli, verbs};
use serde_json::{Value, json};
use std::process::Command;

/// The ways to change a pod, each with what it is called.
const WAYS: [(&str, &[&str]); 4] = [
    ("native", &["--mode", "native"]),
    ("init-container", &[]),
    ("image-volume", &["--delivery", "image-volume", "--api-version", "v1beta1", "--namespaces", "all"]),
    (
        "own-sidecars",
        &[
            "--sidecar",
            "proxy:quit=http://127.0.0.1:9000/$(x)",
            "--sidecar",
            "pgbouncer:process=pgbouncer",
            "--params",
            "lastout/own",
        ],
    ),
];

/// A policy as it is printed and read again, and what it is made of.
struct Way {
    name: &'static str,
    options: Options,
    policy: Policy,
    /// Why it leaves a pod alone, and when.
    why: Vec<Why>,
    conditions: Vec<IdedExpr>,
}

impl Way {
    fn all() -> Vec<Self> {
        WAYS.iter().map(|(name, words)| Self::of(name, words)).collect()
    }

    fn of(name: &'static str, words: &[&str]) -> Self {
        let matches =
            cli::definition().try_get_matches_from([&["kubectl-lastout", "policy"], words].concat()).unwrap();
        let settings = verbs::policy::settings(matches.subcommand().unwrap().1);
        let objects = objects_of(&printed(words));
        let policy = objects.iter().find(|object| object["kind"] == "MutatingAdmissionPolicy").unwrap();
        let (why, conditions) =
            left_alone(&settings).into_iter().map(|(why, holds)| (why, cel::compiled(&holds))).unzip();
        Self { name, policy: Policy::of(policy), why, conditions, options: settings.options() }
    }

    /// Holds the policy against the decision, and against itself. -> what was decided, and why the policy leaves the pod alone
    fn compare(&self, pod: &Value) -> (Decision, Vec<Why>) {
        let pod = &as_in_admission(pod);
        let context = Context { stage: Stage::Admission, ..Context::default() };
        let decision = decide(Pod(pod), context, &self.options);
        let (found, holding) = self.policy.mutated(pod, &Value::Null, &self.conditions);
        let why = self.why.iter().zip(holding).filter(|(_, holds)| *holds);
        let why: Vec<Why> = why.map(|(why, _)| *why).collect();
        let is_limit = why.iter().any(|why| matches!(why, Why::Limit(_)));
        let intended = if is_limit { pod.clone() } else { applied(pod, &decision).unwrap() };
        assert_eq!(found, intended, "{}: {:?}, {why:?}, of {pod:#}", self.name, decision.reason);
        if !decision.is_change() && !is_limit {
            assert!(
                why.contains(&Why::Decided(decision.reason)),
                "{}: {:?}, {why:?}, of {pod:#}",
                self.name,
                decision.reason
            );
        }
        // What is as it was will be so the next time.
        if found != *pod {
            let (again, _) = self.policy.mutated(&found, &Value::Null, &[]);
            assert_eq!(again, found, "{}: the second time, of {pod:#}", self.name);
        }
        (decision, why)
    }
}

/// What the program prints.
fn printed(words: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_kubectl-lastout")).arg("policy").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn objects_of(text: &str) -> Vec<Value> {
    let manifest = Manifest::read(text).unwrap();
    manifest.documents().iter().map(|document| document.value.clone()).collect()
}

/// A pod of a Job, as the API server hands it to policies: nothing of it is null or empty, and it has metadata.
fn as_in_admission(pod: &Value) -> Value {
    fn is_nothing(value: &Value) -> bool {
        value.is_null() || value.as_array().is_some_and(Vec::is_empty) || *value == json!({})
    }
    fn cleaned(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(cleaned).collect(),
            Value::Object(entries) => {
                let entries = entries.iter().filter(|(_, value)| !is_nothing(value));
                entries.map(|(key, value)| (key.clone(), cleaned(value))).collect()
            }
            other => other.clone(),
        }
    }
    let mut pod = cleaned(pod);
    let metadata = pod.as_object_mut().unwrap().entry("metadata").or_insert_with(|| json!({}));
    let labels = metadata.as_object_mut().unwrap().entry("labels").or_insert_with(|| json!({}));
    labels["batch.kubernetes.io/job-name"] = "report".into();
    pod
}
