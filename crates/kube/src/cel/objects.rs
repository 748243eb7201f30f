//! The policies and their bindings, as objects of the API.

use super::facts::Variable;
use super::literal::text;
use super::refusals::Why;
use super::{Namespaces, Settings, Way, changes, facts, late, refusals, stop};
use crate::decide::{INJECT, Reason};
use crate::pod::JOB_LABELS;
use serde_json::{Value, json};

/// Namespaces of the system itself: a policy of ours has no business there.
pub(crate) const OF_SYSTEM: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];
/// The label by which the API server itself says a namespace's name.
pub(crate) const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// The value of a namespace's label.
pub(crate) const ENABLED: &str = "enabled";
/// What all objects of ours are part of.
pub(crate) const APP: &str = "lastout";

/// The policy that changes pods, and its bindings.
pub(super) fn mutating(settings: &Settings) -> Vec<Value> {
    let name = match settings.way {
        Way::Native => "native.lastout.dev",
        Way::InitContainer | Way::ImageVolume => "wrap.lastout.dev",
    };
    let mut variables = common("object", settings);
    let none =
        refusals::all(settings).map(|row| format!("!({})", row.holds)).collect::<Vec<_>>().join("\n&& ");
    variables.push(("isToBeChanged", none));
    variables.extend(changes::words());
    variables.extend(late::variables(settings));
    let policy = json!({
        "apiVersion": settings.api_version.group_version(),
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(name),
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {
                "matchPolicy": "Equivalent",
                "namespaceSelector": outside_of_system(),
                "objectSelector": { "matchExpressions": [expression(INJECT, "NotIn", &["false"])] },
                "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"], "scope": "Namespaced",
                }],
            },
            // Only what no other injector changes: a pod that does not match at first is not looked at again.
            "matchConditions": [{ "name": "pod-of-a-job", "expression": of_a_job() }],
            "variables": listed(&variables),
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression": changes::expression(settings) } }],
        },
    });
    std::iter::once(with_parameters(policy, settings)).chain(bindings(name, settings)).collect()
}

/// A pod is a Job's.
pub(crate) fn of_a_job() -> String {
    let labels = "has(object.metadata.labels)";
    let by_label = JOB_LABELS
        .map(|label| format!("({labels} && {} in object.metadata.labels)", text(label)))
        .join(" || ");
    let by_owner = "(has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(o, o.kind == 'Job'))";
    format!("{by_label} || {by_owner}")
}

/// Which pods are looked at. Two bindings, for selectors can only be joined by "and": a pod that asks for it, and any pod of a
/// namespace that does.
fn bindings(policy: &str, settings: &Settings) -> Vec<Value> {
    let binding = |name: String, resources: Value| {
        let binding = json!({
            "apiVersion": settings.api_version.group_version(),
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": metadata(&name),
            "spec": { "policyName": policy, "matchResources": resources },
        });
        with_reference(binding, settings)
    };
    match settings.namespaces {
        Namespaces::All => vec![binding(
            policy.to_owned(),
            json!({ "matchPolicy": "Equivalent", "namespaceSelector": outside_of_system() }),
        )],
        Namespaces::Labelled => vec![
            binding(
                format!("pods.{policy}"),
                json!({ "objectSelector": { "matchLabels": { INJECT: "true" } } }),
            ),
            binding(
                format!("namespaces.{policy}"),
                json!({
                    "namespaceSelector": { "matchLabels": { INJECT: ENABLED } },
                    "objectSelector": { "matchExpressions": [expression(INJECT, "NotIn", &["true", "false"])] },
                }),
            ),
        ],
    }
}

/// The policy that warns about Jobs and CronJobs, and its binding.
pub(super) fn warning(settings: &Settings) -> Vec<Value> {
    const NAME: &str = "warnings.lastout.dev";
    let template =
        "has(object.spec.jobTemplate) ? object.spec.jobTemplate.spec.template : object.spec.template";
    let mut variables = common(template, settings);
    let none = refusals::left_alone().into_iter().map(|row| format!("!({})", row.holds)).collect::<Vec<_>>();
    let selected = match settings.namespaces {
        Namespaces::All => Vec::new(),
        Namespaces::Labelled => vec![selected()],
    };
    variables.push(("wouldHang", selected.into_iter().chain(none).collect::<Vec<_>>().join("\n&& ")));
    let validations = refusals::refused(settings).into_iter().map(|row| {
        let mut validation = json!({
            "expression": format!("!variables.wouldHang || !({})", row.holds),
            "message": message(row.why),
        });
        if let (Some(about), Some(fields)) = (&row.about, validation.as_object_mut()) {
            fields.insert("messageExpression".to_owned(), about_containers(row.why, about).into());
        }
        validation
    });
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata(NAME),
        "spec": {
            "failurePolicy": "Ignore",
            "matchConstraints": {
                "matchPolicy": "Equivalent",
                "namespaceSelector": outside_of_system(),
                "resourceRules": [{
                    "apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["jobs", "cronjobs"], "scope": "Namespaced",
                }],
            },
            "variables": listed(&variables),
            "validations": validations.collect::<Vec<_>>(),
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": metadata(NAME),
        "spec": { "policyName": NAME, "validationActions": ["Warn"] },
    });
    vec![with_parameters(policy, settings), with_reference(binding, settings)]
}

/// The template asks for it, or its namespace does: `object` is the Job, so that no selector can tell.
fn selected() -> String {
    let (key, enabled) = (text(INJECT), text(ENABLED));
    format!(
        "(({key} in variables.labels && variables.labels[{key}] == 'true') \
         || (namespaceObject != null && has(namespaceObject.metadata.labels) && {key} in namespaceObject.metadata.labels \
         && namespaceObject.metadata.labels[{key}] == {enabled}))"
    )
}

fn message(why: Why) -> String {
    let words = match why {
        Why::Decided(reason) => reason.words(),
        Why::Limit(limit) => limit.words(),
    };
    format!("this Job will hang: {words}")
}

fn about_containers(why: Why, about: &str) -> String {
    match why {
        Why::Decided(Reason::NoCommand) => {
            format!(
                "'container ' + {about} + ' has no command: it cannot be wrapped, and this Job will hang'"
            )
        }
        Why::Decided(_) | Why::Limit(_) => {
            format!("{} + {about} + ')'", text(&format!("{} (", message(why))))
        }
    }
}

fn common(pod: &str, settings: &Settings) -> Vec<Variable> {
    let mut variables = facts::variables(pod, settings);
    variables.extend(stop::variables());
    variables
}

fn metadata(name: &str) -> Value {
    json!({ "name": name, "labels": labels() })
}

pub(crate) fn labels() -> Value {
    json!({ "app.kubernetes.io/name": APP, "app.kubernetes.io/version": env!("CARGO_PKG_VERSION") })
}

fn listed(variables: &[Variable]) -> Value {
    variables.iter().map(|(name, expression)| json!({ "name": name, "expression": expression })).collect()
}

pub(crate) fn expression(key: &str, operator: &str, values: &[&str]) -> Value {
    json!({ "key": key, "operator": operator, "values": values })
}

fn outside_of_system() -> Value {
    json!({ "matchExpressions": [expression(NAMESPACE_NAME, "NotIn", &OF_SYSTEM)] })
}

fn with_parameters(mut policy: Value, settings: &Settings) -> Value {
    if settings.parameters.is_some()
        && let Some(spec) = policy.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.insert("paramKind".to_owned(), json!({ "apiVersion": "v1", "kind": "ConfigMap" }));
    }
    policy
}

fn with_reference(mut binding: Value, settings: &Settings) -> Value {
    if let Some((namespace, name)) = &settings.parameters
        && let Some(spec) = binding.get_mut("spec").and_then(Value::as_object_mut)
    {
        // Where the ConfigMap is not there, the policy is skipped: it could not know a sidecar that it is to end.
        let reference = json!({ "name": name, "namespace": namespace, "parameterNotFoundAction": "Allow" });
        spec.insert("paramRef".to_owned(), reference);
    }
    binding
}

/// The parameters, without data: what people write there stays when this is applied again.
pub(super) fn parameters(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "namespace": namespace, "name": name, "labels": labels() },
    })
}
