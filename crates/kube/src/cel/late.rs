//! A sidecar that comes when the pod has been wrapped for another one. Policies run before all webhooks: of a pod with a Cloud
//! SQL proxy in its manifest, into which Istio's webhook puts its own, the first turn sees one sidecar, and the second turn both.
//! `decide` says `already` then, and the Job would hang; so lastout is told of what has come, in the words of the first turn.

use super::facts::Variable;
use super::literal::text;
use super::refusals::Why;
use super::{Settings, Way, facts, refusals};
use crate::decide::{BINARY, Reason, STATUS};

/// One operation is written out for each.
const MOST: usize = 8;

/// `late`: the sidecars that no main's lastout is told of; `isLate`: whether that is to be mended.
pub(super) fn variables(settings: &Settings) -> Vec<Variable> {
    if settings.way == Way::Native {
        return Vec::new();
    }
    // The SPECs stand behind `--sidecar`, in front of the first `--`: what main itself is told is no matter of ours.
    let told = "variables.containers[m].command.join('\\n').split('\\n--\\n')[0].split('\\n--sidecar\\n')";
    let is_told = "[s.split('\\n')[0].split(':')[0].replace('?', '')].exists(n, n == variables.names[i] || n == variables.rowOf[i])";
    let is_ours = format!(
        "has(variables.containers[m].command) && size(variables.containers[m].command) > 1 && variables.containers[m].command[0] == {}",
        text(BINARY)
    );
    // What our own first turn has left does not keep the second one from it.
    let ours = [Reason::Already, Reason::NameConflict, Reason::MountConflict].map(Why::Decided);
    let rows = refusals::all(settings).filter(|row| !ours.contains(&row.why));
    let allowed = rows.map(|row| format!("!({})", row.holds)).collect::<Vec<_>>().join("\n&& ");
    vec![
        (
            "late",
            format!(
                "variables.sidecars.filter(i, variables.mains.all(m, {is_ours} && !{told}.exists(s, {is_told})))"
            ),
        ),
        (
            "isLate",
            format!(
                "size(variables.late) > 0 && size(variables.late) <= {MOST} && ({}).startsWith('wrap ')\n&& {allowed}",
                facts::annotation(STATUS)
            ),
        ),
    ]
}

/// The operations that tell lastout of them, in front of what it is told already.
pub(super) fn operations() -> String {
    let add = |value: String| {
        format!(
            "variables.mains.map(m, JSONPatch{{op: 'add', path: '/spec/containers/' + string(m) + '/command/1', value: {value}}})"
        )
    };
    let one = |at: usize| {
        let spec = add(format!("variables.specs[variables.late[{at}]].replace('$', '$$')"));
        format!("(size(variables.late) > {at} ? {spec} + {} : [])", add(text("--sidecar")))
    };
    (0..MOST).map(one).collect::<Vec<_>>().join("\n+ ")
}
