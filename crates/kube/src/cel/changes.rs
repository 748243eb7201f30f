//! The JSON patch of a policy, as an expression of CEL: the changes that `decide` makes. A list that is missing comes in
//! empty, and then its items one by one: a list of objects as a value makes API servers up to 1.36 crash.

use super::facts::Variable;
use super::late;
use super::literal::{object, text};
use super::{Settings, Way};
use crate::change::Path;
use crate::decide::Context;
use crate::decide::{
    BINARY, Facts, GROUP_FOLDER, Options, STATUS, STOP_ON, Status, init_container, mounts, volumes,
};
use crate::patch::pointer;
use crate::pod::Pod;
use serde_json::{Value, json};

/// The operations, where the pod is to be changed.
pub(super) fn expression(settings: &Settings) -> String {
    let (status, mut operations) = match settings.way {
        Way::Native => native(),
        Way::InitContainer | Way::ImageVolume => wrap(settings),
    };
    let key = text(&pointer(&Path::keys(&["metadata", "annotations", STATUS])));
    operations.push(format!(
        "(has(variables.pod.metadata.annotations) \
         ? [JSONPatch{{op: 'add', path: {key}, value: {status}}}] \
         : [JSONPatch{{op: 'add', path: '/metadata/annotations', value: {{{}: {status}}}}}])",
        text(STATUS)
    ));
    let late = match settings.way {
        Way::Native => String::new(),
        Way::InitContainer | Way::ImageVolume => format!("variables.isLate ?\n{} :\n", late::operations()),
    };
    format!("{late}!variables.isToBeChanged ? [] :\n{}", operations.join("\n+ "))
}

/// The sidecars go to the end of `initContainers`; each that has gone makes the indices of the later ones smaller.
fn native() -> (String, Vec<String>) {
    let status = text(&Status::Native { moved: Vec::new() }.text());
    let moved = "variables.sidecars.map(i, ' ' + variables.names[i] + '=' + string(i)).join('')";
    let operations = vec![
        missing_list("variables.spec", "initContainers", "/spec/initContainers"),
        "variables.sidecars.map(i, JSONPatch{op: 'add', path: '/spec/containers/' + string(i) + '/restartPolicy', value: 'Always'})"
            .to_owned(),
        "variables.sidecars.map(i, JSONPatch{op: 'move', from: '/spec/containers/' + string(i - size(variables.sidecars.filter(j, j < i))), path: '/spec/initContainers/-'})"
            .to_owned(),
    ];
    (format!("{status} + {moved}"), operations)
}

/// Volumes, the init container, and in each main the mounts and the words in front of its command.
fn wrap(settings: &Settings) -> (String, Vec<String>) {
    let options = &settings.options();
    let with_group = volumes(options.delivery, &options.image, true);
    let mut operations = vec![missing_list("variables.spec", "volumes", "/spec/volumes")];
    operations.extend(items(&with_group, "Object.spec.volumes", |value| {
        format!("JSONPatch{{op: 'add', path: '/spec/volumes/-', value: {value}}}")
    }));
    if settings.way == Way::InitContainer {
        let [plain, root] = [json!({}), json!({ "spec": { "securityContext": { "runAsUser": 0 } } })]
            .map(|pod| init_container_of(&pod, options));
        let way = "Object.spec.initContainers";
        operations.push(missing_list("variables.spec", "initContainers", "/spec/initContainers"));
        operations.push(format!(
            "[JSONPatch{{op: 'add', path: '/spec/initContainers/0', value: variables.isOfRoot ? {} : {}}}]",
            object(way, &root),
            object(way, &plain)
        ));
        operations.push(
            "(has(variables.spec.resources) ? [JSONPatch{op: 'remove', path: '/spec/initContainers/0/resources'}] : [])"
                .to_owned(),
        );
    }
    operations.push(
        "variables.mains.filter(i, !has(variables.containers[i].volumeMounts)).map(i, JSONPatch{op: 'add', path: '/spec/containers/' + string(i) + '/volumeMounts', value: []})"
            .to_owned(),
    );
    for (at, mount) in mounts(true).iter().enumerate() {
        let value = object("Object.spec.containers.volumeMounts", mount);
        let mains = if at == 0 { "variables.mains" } else { "(variables.isGrouped ? variables.mains : [])" };
        operations.push(format!(
            "{mains}.map(i, JSONPatch{{op: 'add', path: '/spec/containers/' + string(i) + '/volumeMounts/-', value: {value}}})"
        ));
    }
    operations.push(
        "variables.mains.map(i, JSONPatch{op: 'replace', path: '/spec/containers/' + string(i) + '/command', value: variables.told + variables.toldEach[i] + ['--'] + variables.containers[i].command})"
            .to_owned(),
    );
    (text(&Status::Wrap { given: Vec::new() }.text()), operations)
}

/// What lastout is told, which stands in front of a command: `told` for all mains, `toldEach` by index. A list of lists cannot
/// be made flat on all servers, so that words are joined, and split again.
pub(super) fn words() -> Vec<Variable> {
    const DOLLARS: &str = ".replace('$', '$$')";
    let stop_on = format!(
        "(({}) + (variables.stopOn[i] == '' ? [] : [variables.stopOn[i]])).map(s, ['--stop-on', s{DOLLARS}])",
        format_args!("{0} in variables.annotations ? [variables.annotations[{0}]] : []", text(STOP_ON))
    );
    let group = format!(
        "variables.isGrouped ? ['--group', {}, '--group-size', string(size(variables.mains)), '--group-name', variables.names[i]{DOLLARS}] : []",
        text(GROUP_FOLDER)
    );
    vec![
        ("isGrouped", "size(variables.mains) > 1".to_owned()),
        (
            "isOfRoot",
            "has(variables.spec.securityContext) && has(variables.spec.securityContext.runAsUser) && variables.spec.securityContext.runAsUser == 0"
                .to_owned(),
        ),
        (
            "told",
            format!(
                "({} + variables.sidecars.map(i, '\\n--sidecar\\n' + variables.specs[i]).join('')){DOLLARS}.split('\\n')",
                text(BINARY)
            ),
        ),
        ("toldEach", format!("variables.index.map(i, ({stop_on} + [[]])[0] + ({group}))")),
    ]
}

fn missing_list(owner: &str, key: &str, path: &str) -> String {
    format!("(has({owner}.{key}) ? [] : [JSONPatch{{op: 'add', path: {}, value: []}}])", text(path))
}

fn init_container_of(pod: &Value, options: &Options) -> Value {
    init_container(&Facts::of(Pod(pod), Context::default(), options), options)
}

/// The first is for all, the others are the group's.
fn items(values: &[Value], way: &str, operation: impl Fn(String) -> String) -> Vec<String> {
    let operations = values.iter().enumerate().map(|(at, value)| {
        let operation = format!("[{}]", operation(object(way, value)));
        if at == 0 { operation } else { format!("(variables.isGrouped ? {operation} : [])") }
    });
    operations.collect()
}
