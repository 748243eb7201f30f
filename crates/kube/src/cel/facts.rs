//! What a pod is, in CEL: what `decide::Facts` says, as variables of a policy. Each container is known by its index: lists of
//! the same length say its name, its row, its SPEC.

use super::literal::{map, rows, split, text, texts};
use super::{PARAMETER, Settings, spec};
use crate::decide::{BETWEEN_NAMES, EXCLUDE, Listed, MAIN, MODE, SIDECARS, ends_itself, is_ended};
use lastout_core::presets::{IMAGES, PRESETS};

/// A name and an expression.
pub(super) type Variable = (&'static str, String);

/// Of a pod with more, nothing is changed: an index comes from a list that is written out, for the functions that make one are
/// younger than the policies of Kubernetes 1.34.
pub(super) const MOST_CONTAINERS: usize = 64;

/// The variables; `pod`: where the pod is.
pub(super) fn variables(pod: &str, settings: &Settings) -> Vec<Variable> {
    let of_metadata = |key: &str| {
        format!(
            "has(variables.pod.metadata) && has(variables.pod.metadata.{key}) ? variables.pod.metadata.{key} : {{}}"
        )
    };
    let index = (0..MOST_CONTAINERS).map(|index| index.to_string()).collect::<Vec<_>>().join(",");
    let mut variables = vec![
        ("pod", pod.to_owned()),
        ("labels", of_metadata("labels")),
        ("annotations", of_metadata("annotations")),
        ("spec", "variables.pod.spec".to_owned()),
        ("containers", "has(variables.spec.containers) && variables.spec.containers != null ? variables.spec.containers : []".to_owned()),
        ("initContainers", "has(variables.spec.initContainers) ? variables.spec.initContainers : []".to_owned()),
        ("index", format!("[{index}].filter(i, i < size(variables.containers))")),
        ("names", "variables.containers.map(c, has(c.name) ? c.name : '')".to_owned()),
        ("mode", annotation(MODE)),
    ];
    variables.extend(presets());
    variables.extend(specs(settings));
    variables.extend(roles());
    variables
}

/// Which row of the core's table each container is: by its usual names, its image, the row's own name.
fn presets() -> Vec<Variable> {
    let by_container = PRESETS.iter().flat_map(|row| row.containers.iter().map(|name| (*name, row.name)));
    let by_image =
        IMAGES.iter().flat_map(|(name, ends)| ends.iter().map(|end| vec![("end", *end), ("row", *name)]));
    vec![
        ("rows", texts(PRESETS.iter().map(|row| row.name))),
        ("rowByContainer", map(by_container)),
        ("rowsByImage", rows(by_image)),
        ("images", "variables.containers.map(c, has(c.image) ? c.image.split('@')[0] : '')".to_owned()),
        (
            "imagePaths",
            "variables.images.map(n, (n.matches('^([^/]*[.:][^/]*|localhost)/') ? n.substring(n.indexOf('/') + 1) : n).split(':')[0])"
                .to_owned(),
        ),
        (
            "rowOf",
            "variables.index.map(i, \
             ((variables.names[i] in variables.rowByContainer ? [variables.rowByContainer[variables.names[i]]] : []) \
             + variables.rowsByImage.filter(r, variables.imagePaths[i] == r.end || variables.imagePaths[i].endsWith('/' + r.end)).map(r, r.row) \
             + (variables.names[i] in variables.rows ? [variables.names[i]] : []) \
             + [''])[0])"
                .to_owned(),
        ),
    ]
}

/// What `--sidecar` would be given for each container; '' for one that is no sidecar.
fn specs(settings: &Settings) -> Vec<Variable> {
    let parameter = format!(
        "(params != null && has(params.data) && {key} in params.data ? params.data[{key}] : '')",
        key = text(PARAMETER)
    );
    let said = match settings.parameters {
        Some(_) => format!("{} + ' ' + {parameter}", in_brackets(&annotation(SIDECARS))),
        None => annotation(SIDECARS),
    };
    let own = settings
        .sidecars
        .iter()
        .map(|listed| vec![("name", listed.spec.name.as_str()), ("spec", listed.text.as_str())]);
    let endless =
        PRESETS.iter().filter(|row| Listed::read(row.name).is_ok_and(|listed| !is_ended(&listed.spec)));
    let own_endless =
        settings.sidecars.iter().filter(|listed| !is_ended(&listed.spec)).map(|listed| listed.text.as_str());
    vec![
        ("said", spec::split(&said)),
        // Those that are about this pod: one word that nobody can read must not turn the policy off for all pods.
        (
            "unread",
            format!(
                "variables.said.filter(s, !s.matches({}) && [s.split(':')[0].split('?')[0]].exists(n, n in variables.names || n in variables.rowOf))",
                text(&spec::plain())
            ),
        ),
        (
            "listed",
            format!("variables.said.map(s, {{'name': s.split(':')[0], 'spec': s}}) + {}", rows(own)),
        ),
        ("endless", texts(endless.map(|row| row.name).chain(own_endless))),
        ("endThemselves", texts(PRESETS.iter().filter(|row| ends_itself(row)).map(|row| row.name))),
        (
            "specs",
            "variables.index.map(i, \
             (variables.listed.filter(r, r.name == variables.names[i]).map(r, r.spec) \
             + (variables.rowOf[i] == '' ? [] : variables.listed.filter(r, r.name == variables.rowOf[i]).map(r, r.spec) + [variables.rowOf[i]]) \
             + [''])[0])"
                .to_owned(),
        ),
    ]
}

/// Who is a main, and who a sidecar that runs on.
fn roles() -> Vec<Variable> {
    let names = |key| format!("{}.filter(n, n != '')", split(&in_brackets(&annotation(key)), &BETWEEN_NAMES));
    vec![
        // One that no container has does not count: the pod would have no main.
        ("mainNames", format!("{}.filter(n, n in variables.names)", names(MAIN))),
        ("excludedNames", names(EXCLUDE)),
        (
            "mains",
            "variables.index.filter(i, variables.names[i] in variables.mainNames \
             || (size(variables.mainNames) == 0 && variables.specs[i] == '' && !(variables.names[i] in variables.excludedNames)))"
                .to_owned(),
        ),
        (
            "sidecars",
            "variables.index.filter(i, variables.specs[i] != '' && !(variables.names[i] in variables.mainNames + variables.excludedNames) \
             && !(variables.specs[i] == variables.rowOf[i] && variables.rowOf[i] in variables.endThemselves))"
                .to_owned(),
        ),
    ]
}

/// An annotation; '' where it is not there.
pub(super) fn annotation(key: &str) -> String {
    let key = text(key);
    format!("{key} in variables.annotations ? variables.annotations[{key}] : ''")
}

pub(super) fn in_brackets(expression: &str) -> String {
    format!("({expression})")
}
