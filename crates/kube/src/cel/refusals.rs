//! What a pod is left alone for, in CEL: the reasons of `decide`, and what CEL itself cannot do.

use super::facts::MOST_CONTAINERS;
use super::literal::{text, texts};
use super::{Settings, Way};
use crate::decide::{
    COMMAND, FOLDER, FOREIGN, GROUP_FOLDER, GROUP_VOLUME, HELPER, HELPER_VERB, INJECT, Mode, OWN_VARIABLES,
    PROGRAM, Reason, STOP_ON, VOLUME, ports_of,
};
use lastout_core::presets::{self, PORTS, PortSetting};

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
    /// A known sidecar listens where its row does not say.
    Port,
    /// A `--stop-on` that is not of the plain kind: CEL cannot read it.
    StopOn,
    /// More exit codes and rules than can be gone through.
    RestartRules,
    /// More containers than there are indices.
    ManyContainers,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::OtherMode,
        Self::CommandAnnotation,
        Self::Spec,
        Self::Port,
        Self::StopOn,
        Self::RestartRules,
        Self::ManyContainers,
    ];

    /// In words, as the warning and docs/policy.md have them.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OtherMode => "its annotation lastout.dev/mode asks for another mode than the policy's",
            Self::CommandAnnotation => {
                "an annotation has the command of a main in JSON, which a policy cannot read"
            }
            Self::Spec => "a SPEC of its annotation or of the parameters is more than a policy can read",
            Self::Port => "its manifest moves the port of a sidecar: say it by a SPEC",
            Self::StopOn => "its annotation lastout.dev/stop-on is more than a policy can read",
            Self::RestartRules => "its restartPolicyRules are more than a policy can go through",
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
        decided(Reason::Already, format!("variables.mains.exists(i, {is_wrapped}) || {}", has_helper())),
        decided(
            Reason::AlreadyNative,
            "size(variables.sidecars) == 0 && variables.initContainers.exists(c, has(c.restartPolicy) && c.restartPolicy == 'Always')",
        ),
        decided(Reason::NoSidecar, "size(variables.sidecars) == 0"),
        decided(Reason::OnlySidecars, "size(variables.mains) == 0"),
        decided(Reason::RestartAlways, "variables.mains.exists(i, variables.stopOn[i] == 'never')"),
    ]
}

/// Our helper watches the pod: `ours::is_helper`.
fn has_helper() -> String {
    let (name, verb) = (text(HELPER), text(HELPER_VERB));
    let is_helper = format!(
        "has(c.name) && c.name == {name} && !(has(c.command) && size(c.command) > 0) && has(c.args) && size(c.args) > 0 && c.args[0] == {verb}"
    );
    format!("variables.containers.exists(c, {is_helper}) || variables.initContainers.exists(c, {is_helper})")
}

/// A known sidecar of which no SPEC is said, and whose manifest has one of the settings by which its ports are moved; where the
/// value is plainly the row's own port, nothing is moved.
fn moved_port() -> String {
    let conditions = PORTS.iter().map(|(row, setting, key)| {
        let preset = presets::find(row);
        let ports = preset.map_or(&[][..], |preset| ports_of(preset, key));
        let is_own = |value: &str| {
            let own = ports.iter().map(|port| format!("{value} == '{port}' || {value}.endsWith(':{port}')"));
            own.collect::<Vec<_>>().join(" || ")
        };
        let of_row = format!("variables.rowOf[i] == {}", text(row));
        match setting {
            PortSetting::Flag(flag) => {
                let (with_value, alone) = (text(&format!("{flag}=")), text(flag));
                let value = format!("w.replace({with_value}, '')");
                let moves = format!("w == {alone} || (w.startsWith({with_value}) && !({}))", is_own(&value));
                let moves_in = |key: &str| {
                    let words = format!("variables.containers[i].{key}");
                    format!("(has({words}) && {words}.exists(w, {moves}))")
                };
                format!("({of_row} && ({} || {}))", moves_in("command"), moves_in("args"))
            }
            PortSetting::Env(name) => format!(
                "({of_row} && has(variables.containers[i].env) && variables.containers[i].env.exists(e, has(e.name) && e.name == {} && has(e.value) && !({})))",
                text(name),
                is_own("e.value")
            ),
            PortSetting::Annotation(name) => {
                let value = format!("variables.annotations[{}]", text(name));
                format!("({of_row} && {} in variables.annotations && !({}))", text(name), is_own(&value))
            }
        }
    });
    let any = conditions.collect::<Vec<_>>().join(" || ");
    format!("variables.sidecars.exists(i, variables.specs[i] == variables.rowOf[i] && ({any}))")
}

/// `--stop-on` of the pod's own, where it is not surely one: `always`, `success`, `never`, codes and ranges of them.
fn odd_stop_on() -> String {
    const CODE: &str = "(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])";
    let key = text(STOP_ON);
    let plain = text(&format!("^(always|success|never|{CODE}(-{CODE})?(,{CODE}(-{CODE})?)*)$"));
    let value = format!("variables.annotations[{key}]");
    let is_upward = "r.split('-').size() < 2 || int(r.split('-')[0]) <= int(r.split('-')[1])";
    format!(
        "{key} in variables.annotations && !({value}.matches({plain}) && {value}.split(',').all(r, {is_upward}))"
    )
}

/// All for which a pod is left alone.
pub(super) fn all(settings: &Settings) -> impl Iterator<Item = Row> {
    left_alone().into_iter().chain(refused(settings))
}

/// A pod that would hang, and cannot be changed.
pub(super) fn refused(settings: &Settings) -> Vec<Row> {
    let mut rows = vec![
        limit(Limit::ManyContainers, format!("size(variables.containers) > {MOST_CONTAINERS}")),
        Row {
            about: Some("variables.unread.join(', ')".to_owned()),
            ..limit(Limit::Spec, "size(variables.unread) > 0")
        },
        limit(Limit::OtherMode, other_mode(settings.way)),
    ];
    // Native sidecars are not asked for anything, and nobody has to be told when to do so.
    if settings.way != Way::Native {
        rows.extend([limit(Limit::Port, moved_port()), limit(Limit::StopOn, odd_stop_on())]);
    }
    rows.insert(1, limit(Limit::RestartRules, "variables.hasManyRules".to_owned()));
    rows.extend(match settings.way {
        Way::Native => {
            vec![of_containers(Reason::NotNative, "sidecars", "has(variables.containers[i].restartPolicy)")]
        }
        Way::InitContainer | Way::ImageVolume => refused_wrap(),
    });
    rows
}

/// The annotation's word wins over the policy's. `auto` cannot know the nodes, and so it is `wrap`.
fn other_mode(way: Way) -> String {
    let others = match way {
        Way::Native => [Mode::Auto, Mode::Wrap, Mode::Helper].as_slice(),
        Way::InitContainer | Way::ImageVolume => &[Mode::Native, Mode::Helper],
    };
    format!("variables.mode in {}", texts(others.iter().map(|mode| mode.word())))
}

/// `decide::wrap::REFUSED`, and what the mains run.
fn refused_wrap() -> Vec<Row> {
    let has_command = "(has(variables.containers[i].command) && size(variables.containers[i].command) > 0)";
    let is_said = format!("({} + variables.names[i]) in variables.annotations", text(COMMAND));
    let (name, group) = (text(VOLUME), text(GROUP_VOLUME));
    let is_at = |folder: &str| {
        format!("m.mountPath.matches({})", text(&format!("^{}/*$", folder.replace('.', "[.]"))))
    };
    let is_at_ours = format!("({} || (size(variables.mains) > 1 && {}))", is_at(FOLDER), is_at(GROUP_FOLDER));
    let foreign =
        FOREIGN.map(|folder| format!("variables.containers[i].command[0].startsWith({})", text(folder)));
    vec![
        decided(Reason::HostPid, "has(variables.spec.hostPID) && variables.spec.hostPID"),
        of_containers(Reason::NoEndpoint, "sidecars", "variables.specs[i] in variables.endless"),
        decided(
            Reason::NameConflict,
            format!(
                "(has(variables.spec.volumes) && variables.spec.volumes.exists(v, has(v.name) && (v.name == {name} || (v.name == {group} && size(variables.mains) > 1)))) \
                 || {name} in variables.names || variables.initContainers.exists(c, has(c.name) && c.name == {name})"
            ),
        ),
        of_containers(
            Reason::MountConflict,
            "mains",
            &format!(
                "has(variables.containers[i].volumeMounts) && variables.containers[i].volumeMounts.exists(m, has(m.mountPath) && {is_at_ours})"
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
        of_containers(
            Reason::NoCommand,
            "mains",
            &format!("{has_command} ? variables.containers[i].command[0] == '' : !({is_said})"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_as_many_containers_as_there_are_indices() {
        let words = Limit::ManyContainers.words();
        assert!(words.contains(&format!(" {MOST_CONTAINERS} ")), "{words}");
    }
}
