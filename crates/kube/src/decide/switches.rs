//! What a known sidecar needs switched on before it answers a request. The core's table says what each needs.

use crate::pod::{Container, Pod, list};
use lastout_core::presets::{Need, Preset, ReadyRow, Switch};
use lastout_core::spec::{Quit, Ready, Spec};

/// What a sidecar is asked, by its row's own requests: others are their author's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Whether it is ready.
    pub(crate) ready: bool,
    /// To quit.
    pub(crate) quit: bool,
}

impl Asked {
    /// All that its row has.
    pub(crate) const ALL: Self = Self { ready: true, quit: true };

    /// What lastout asks it by this SPEC.
    pub(crate) fn by(spec: &Spec) -> Self {
        Self { ready: is_ready_asked(spec), quit: is_quit_asked(spec) }
    }
}

fn is_ready_asked(spec: &Spec) -> bool {
    match (&spec.ready, spec.preset.map(|row| row.ready)) {
        (Ready::Http(request), Some(ReadyRow::Http { path, .. })) => request.path == path,
        (Ready::Accepts(_), Some(ReadyRow::Accepts(_))) => true,
        (Ready::Http(_) | Ready::Accepts(_) | Ready::File(_) | Ready::Unchecked, _) => false,
    }
}

fn is_quit_asked(spec: &Spec) -> bool {
    match (&spec.quit, spec.preset.and_then(|row| row.quit)) {
        (Quit::Http(request), Some(row)) => request.path == row.path,
        (Quit::Http(_) | Quit::CreateFile(_) | Quit::WithAnother | Quit::Nothing, _) => false,
    }
}

/// The switches that are off: for each request the ways to switch it on, none of which is taken. `container`: the sidecar's,
/// where it is there.
pub(crate) fn off(
    pod: Pod<'_>,
    preset: &'static Preset,
    asked: Asked,
    container: Option<Container<'_>>,
) -> Vec<Vec<&'static Need>> {
    let mut off: Vec<Vec<&'static Need>> = Vec::new();
    let mut look = |is_asked: bool, is_for: fn(&Need) -> bool| {
        let ways: Vec<&Need> = preset.needs.iter().filter(|need| is_for(need)).collect();
        // What only its configuration shows cannot be judged here.
        let is_shown = ways.iter().any(|need| !matches!(need.switch, Switch::Config(_)));
        let is_on = || ways.iter().any(|need| is_on(pod, need.switch, container));
        if is_asked && is_shown && !is_on() && !off.contains(&ways) {
            off.push(ways);
        }
    };
    look(asked.quit, |need| need.asked.quit());
    look(asked.ready, |need| need.asked.ready());
    off
}

fn is_on(pod: Pod<'_>, switch: Switch, container: Option<Container<'_>>) -> bool {
    match switch {
        Switch::Flag(flag) => container.is_some_and(|container| has_flag(container, flag)),
        Switch::Env { name, value } => container.is_some_and(|container| {
            let elsewhere = list(container.value(), "envFrom").next().is_some();
            let mut own = list(container.value(), "env")
                .filter(|entry| entry.get("name").is_some_and(|own| own == name));
            elsewhere || own.any(|entry| entry.get("value").is_none_or(|own| own == value))
        }),
        Switch::Annotation { key, value } => pod.annotation(key) == Some(value),
        Switch::NotAnnotation { key, value } => pod.annotation(key) != Some(value),
        Switch::Config(_) => false,
    }
}

/// Also as a word of a shell's script.
fn has_flag(container: Container<'_>, flag: &str) -> bool {
    let words = ["command", "args"].into_iter().filter_map(|key| container.words(key)).flatten();
    words.flat_map(str::split_ascii_whitespace).any(|word| {
        word.strip_prefix(flag).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix('=').is_some_and(|value| value != "false")
        })
    })
}
