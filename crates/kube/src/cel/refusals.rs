//! What a pod is left alone for, in CEL: the reasons of `decide`, and what CEL itself cannot do.

use super::Settings;
use super::facts::MOST_CONTAINERS;
use super::literal::{text, texts};
use super::spec::plain;
use crate::decide::{
    COMMAND, FOLDER, FOREIGN, GROUP_FOLDER, GROUP_VOLUME, INJECT, Mode, OWN_VARIABLES, PROGRAM, Reason,
    VOLUME,
};

/// Why a pod is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// `decide` would leave it alone as well.
    Decided(Reason),
    /// `decide` may change it; a policy cannot.
    Limit(Limit),
}

/// What a policy cannot do: a pod that needs it is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// An annotation asks for another mode than this policy's.
    OtherMode,
    /// What a main runs is said by an annotation: CEL cannot read its JSON.
    CommandAnnotation,
    /// A SPEC that is not of the plain kind: CEL cannot read it.
    Spec,
    /// More containers than there are indices.
    ManyContainers,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OtherMode, Self::CommandAnnotation, Self::Spec, Self::ManyContainers];

    /// In words, as the warning and docs/policy.md have them.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OtherMode => "its annotation lastout.dev/mode asks for another mode than the policy's",
            Self::CommandAnnotation => {
                "what a main runs is said by an annotation, whose JSON a policy cannot read"
            }
            Self::Spec => "a SPEC is more than a policy can read",
            Self::ManyContainers => "it has more than 64 containers",
        }
    }
}

/// A reason, and when it holds.
pub(super) struct Row {
    pub(super) why: Why,
    /// True of a pod that is to be left alone.
    pub(super) holds: String,
    /// What of the pod it is about, where that has a name: an expression for a string.
    pub(super) about: Option<String>,
}

fn decided(reason: Reason, holds: impl Into<String>) -> Row {
    Row { why: Why::Decided(reason), holds: holds.into(), about: None }
}

fn limit(limit: Limit, holds: impl Into<String>) -> Row {
    Row { why: Why::Limit(limit), holds: holds.into(), about: None }
}

/// Of a row about containers: the names of those of this list for which the condition holds.
fn of_containers(reason: Reason, list: &str, condition: &str) -> Row {
    Row {
        about: Some(format!("variables.{list}.filter(i, {condition}).map(i, variables.names[i]).join(', ')")),
        ..decided(reason, format!("variables.{list}.exists(i, {condition})"))
    }
}

/// A pod that no policy has anything to do with: `decide::LEFT_ALONE`.
pub(super) fn left_alone() -> Vec<Row> {
    let has_command = "has(variables.containers[i].command) && size(variables.containers[i].command) > 0";
    let program = text(PROGRAM);
    let own_image = text(&format!("(^|/){PROGRAM}(:[^/]*)?$"));
    let is_wrapped = format!(
        "{has_command} \
         ? variables.containers[i].command[0] == {program} || variables.containers[i].command[0].endsWith('/' + {program}) \
         : variables.images[i].matches({own_image}) \
         || (has(variables.containers[i].env) && variables.containers[i].env.exists(e, has(e.name) && e.name in {}))",
        texts(OWN_VARIABLES)
    );
    let os = "has(variables.spec.os) && has(variables.spec.os.name) && variables.spec.os.name == 'windows'";
    let selected = "has(variables.spec.nodeSelector) && 'kubernetes.io/os' in variables.spec.nodeSelector && variables.spec.nodeSelector['kubernetes.io/os'] == 'windows'";
    vec![
        decided(
            Reason::OptedOut,
            format!("{0} in variables.labels && variables.labels[{0}] == 'false'", text(INJECT)),
        ),
        decided(Reason::Windows, format!("({os}) || ({selected})")),
        decided(Reason::Already, format!("variables.mains.exists(i, {is_wrapped})")),
        decided(
            Reason::AlreadyNative,
            "size(variables.sidecars) == 0 && variables.initContainers.exists(c, has(c.restartPolicy) && c.restartPolicy == 'Always')",
        ),
        decided(Reason::NoSidecar, "size(variables.sidecars) == 0"),
        decided(Reason::OnlySidecars, "size(variables.mains) == 0"),
        decided(
            Reason::RestartAlways,
            "(has(variables.spec.restartPolicy) ? variables.spec.restartPolicy : 'Always') == 'Always' && variables.mains.exists(i, variables.stopOn[i] == 'never')",
        ),
    ]
}

/// A pod that would hang, and cannot be changed.
pub(super) fn refused(settings: &Settings) -> Vec<Row> {
    let mut rows = vec![
        limit(Limit::ManyContainers, format!("size(variables.containers) > {MOST_CONTAINERS}")),
        limit(Limit::Spec, format!("variables.said.exists(s, !s.matches({}))", text(&plain()))),
        limit(Limit::OtherMode, other_mode(settings.options.mode)),
    ];
    rows.extend(match settings.options.mode {
        Mode::Native => {
            vec![of_containers(Reason::NotNative, "sidecars", "has(variables.containers[i].restartPolicy)")]
        }
        Mode::Auto | Mode::Wrap | Mode::Helper => refused_wrap(),
    });
    rows
}

/// The annotation's word wins over the policy's. `auto` cannot know the nodes, and so it is `wrap`.
fn other_mode(mode: Mode) -> String {
    let others = match mode {
        Mode::Native => ["auto", "wrap", "helper"].as_slice(),
        Mode::Auto | Mode::Wrap | Mode::Helper => &["native", "helper"],
    };
    format!("variables.mode in {}", texts(others.iter().copied()))
}

/// `decide::wrap::REFUSED`, and what the mains run.
fn refused_wrap() -> Vec<Row> {
    let has_command = "(has(variables.containers[i].command) && size(variables.containers[i].command) > 0)";
    let is_said = format!("({} + variables.names[i]) in variables.annotations", text(COMMAND));
    let volumes = texts([VOLUME, GROUP_VOLUME]);
    let name = text(VOLUME);
    let folders = [FOLDER, GROUP_FOLDER].map(|folder| folder.replace('.', "[.]")).join("|");
    let folder = text(&format!("^({folders})/*$"));
    let foreign =
        FOREIGN.map(|folder| format!("variables.containers[i].command[0].startsWith({})", text(folder)));
    vec![
        decided(Reason::HostPid, "has(variables.spec.hostPID) && variables.spec.hostPID"),
        of_containers(Reason::NoEndpoint, "sidecars", "variables.specs[i] in variables.endless"),
        decided(
            Reason::NameConflict,
            format!(
                "(has(variables.spec.volumes) && variables.spec.volumes.exists(v, has(v.name) && v.name in {volumes})) \
                 || {name} in variables.names || variables.initContainers.exists(c, has(c.name) && c.name == {name})"
            ),
        ),
        of_containers(
            Reason::MountConflict,
            "mains",
            &format!(
                "has(variables.containers[i].volumeMounts) && variables.containers[i].volumeMounts.exists(m, has(m.mountPath) && m.mountPath.matches({folder}))"
            ),
        ),
        of_containers(
            Reason::ForeignEntrypoint,
            "mains",
            &format!("{has_command} && ({})", foreign.join(" || ")),
        ),
        Row {
            why: Why::Limit(Limit::CommandAnnotation),
            ..of_containers(Reason::NoCommand, "mains", &format!("!{has_command} && {is_said}"))
        },
        of_containers(Reason::NoCommand, "mains", &format!("!{has_command} && !({is_said})")),
    ]
}
