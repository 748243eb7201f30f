//! What lastout will ask a sidecar, and nobody has told the sidecar to answer. The core's table says what each needs.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::switches::{self, Asked};
use crate::decide::{Class, Sidecar};
use crate::pod::{Container, list};
use lastout_core::presets::{Need, Preset, Switch};
use lastout_core::spec::Spec;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let is_asked = match subject.decision.reason.class() {
        Class::Stopped | Class::There | Class::Unclear => subject.ends,
        Class::Native | Class::Needless | Class::Elsewhere | Class::Impossible => false,
    };
    if !is_asked {
        return Vec::new();
    }
    let there = subject.facts.sidecars.iter().filter_map(|sidecar| {
        let preset = sidecar.preset?;
        let off = switches::off(
            subject.pod,
            preset,
            asked(subject, preset, Some(sidecar))?,
            Some(sidecar.container),
        );
        found(subject, preset, &off, Some(sidecar.container))
    });
    let promised = subject.facts.to_come().filter_map(|promised| {
        let preset = promised.injector.adds()?;
        let off = switches::off(subject.pod, preset, asked(subject, preset, None)?, None);
        found(subject, preset, &off, None)
    });
    there.chain(promised).collect()
}

/// What it will be asked: whether it is ready, and to quit. `None`: lastout is there and not told of it.
fn asked(subject: &Subject<'_>, preset: &Preset, sidecar: Option<&Sidecar<'_>>) -> Option<Asked> {
    if subject.decision.reason.class() != Class::There {
        return Some(sidecar.map_or(Asked::ALL, |sidecar| Asked::by(&sidecar.spec.spec)));
    }
    let specs = subject.invocations.iter().flat_map(|invocation| {
        let of_it = |spec: &&Spec| spec.preset.is_some_and(|row| row.name == preset.name);
        invocation.settings.sidecars.iter().filter(of_it).map(move |spec| (invocation.settings.gate, spec))
    });
    let asked = specs.map(|(gate, spec)| {
        let asked = Asked::by(spec);
        Asked { ready: gate && asked.ready, ..asked }
    });
    asked.reduce(|a, b| Asked { ready: a.ready || b.ready, quit: a.quit || b.quit })
}

fn found(
    subject: &Subject<'_>,
    preset: &'static Preset,
    off: &[Vec<&'static Need>],
    container: Option<Container<'_>>,
) -> Option<Found> {
    let first: Vec<&Need> = off
        .iter()
        .filter_map(|ways| ways.iter().find(|need| is_possible(need.switch, container)))
        .copied()
        .collect();
    if off.is_empty() {
        return None;
    }
    let asks = |what: fn(&Need) -> bool| off.iter().flatten().any(|need| what(need));
    let request = match (asks(|need| need.asked.quit()), asks(|need| need.asked.ready())) {
        (true, true) => "is asked whether it is ready and to quit, and answers neither",
        (true, false) => "is asked to quit, and does not listen to that",
        (false, _) => "is asked whether it is ready, and does not answer",
    };
    let name = container.map_or(preset.name, |container| container.name());
    let message = format!("`{name}` {request}: it needs {}", preset.enable);
    let mut mends: Vec<String> = first.iter().map(|need| mend(need.switch)).collect();
    let (field, is_new) = match first.first().map(|need| need.switch) {
        Some(Switch::Flag(_)) => {
            ("args:", container.is_some_and(|container| container.words("args").is_none()))
        }
        Some(Switch::Env { .. }) => {
            ("env:", container.is_some_and(|container| list(container.value(), "env").next().is_none()))
        }
        Some(Switch::Annotation { .. } | Switch::NotAnnotation { .. } | Switch::Config(_)) | None => {
            ("", false)
        }
    };
    if is_new {
        mends.insert(0, field.to_owned());
    }
    let is_elsewhere =
        off.iter().all(|ways| ways.iter().any(|need| matches!(need.switch, Switch::Config(_))));
    let metadata = subject.workload.pod.key("metadata").key("annotations");
    let spot = match (first.first().map(|need| need.switch), container) {
        (Some(Switch::NotAnnotation { key, .. }), _) => Spot::value(metadata.key(key)),
        (Some(Switch::Flag(_)), Some(container)) => {
            let field = if container.words("args").is_some() { "args" } else { "name" };
            Spot::value(subject.path(container).key(field))
        }
        (_, Some(container)) => Spot::value(subject.path(container).key("name")),
        (_, None) => {
            let promised =
                subject.facts.promised.iter().find(|promised| promised.injector.preset == preset.name)?;
            subject.spot_of(promised)
        }
    };
    let found = if is_elsewhere { Found::warning } else { Found::error }(spot, message, mends.join("\n"));
    Some(match container {
        Some(container) => found.of(container, subject.path(container)),
        None => found,
    })
}

/// It can be written here.
fn is_possible(switch: Switch, container: Option<Container<'_>>) -> bool {
    match switch {
        Switch::Flag(_) | Switch::Env { .. } => container.is_some(),
        Switch::Annotation { .. } | Switch::NotAnnotation { .. } => true,
        Switch::Config(_) => false,
    }
}

fn mend(switch: Switch) -> String {
    match switch {
        Switch::Flag(flag) => format!("- {flag}"),
        Switch::Env { name, value } => format!("- {{ name: {name}, value: \"{value}\" }}"),
        Switch::Annotation { key, value } => format!("{key}: \"{value}\""),
        Switch::NotAnnotation { key, value } => format!("take the annotation {key}: \"{value}\" out"),
        Switch::Config(what) => what.to_owned(),
    }
}
