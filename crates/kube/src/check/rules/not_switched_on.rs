//! What lastout will ask a sidecar, and nobody has told the sidecar to answer. The core's table says what each needs.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::switches::{self, Asked};
use crate::decide::{Class, Moved, Sidecar, moved, spec_with, too_old};
use crate::pod::{Container, list};
use lastout_core::presets::{Need, Preset, Switch};
use lastout_core::settings::Opt;
use lastout_core::spec::{Address, Quit, Ready, Spec};

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
        let asked = asked(subject, preset, Some(sidecar))?;
        if let Some(old) = too_old(sidecar.container, preset).filter(|_| asked.quit) {
            return Some(without_quit(subject, sidecar.container, &old));
        }
        let off = switches::off(subject.pod, preset, asked, Some(sidecar.container));
        found(subject, preset, &off, Some(sidecar.container))
    });
    let promised = subject.facts.to_come().filter_map(|promised| {
        let preset = promised.injector.adds()?;
        let off = switches::off(subject.pod, preset, asked(subject, preset, None)?, None);
        found(subject, preset, &off, None)
    });
    there.chain(promised).chain(elsewhere(subject)).collect()
}

/// Its version does not know the request, whatever it is told.
fn without_quit(subject: &Subject<'_>, container: Container<'_>, (since, image): &(String, String)) -> Found {
    let path = subject.path(container);
    let message = format!(
        "`{}` is asked to quit, which it supports from {since} on; its image is {image}",
        container.name()
    );
    let mut mend = format!("use an image of {since} or later");
    if let Some(inject) = subject.inject_native() {
        mend.push_str(&format!(", or: {inject}"));
    }
    Found::error(Spot::value(path.key("image")), message, mend).of(container, path)
}

/// The requests of SPECs that name another port than the manifest sets.
fn elsewhere(subject: &Subject<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    for invocation in &subject.invocations {
        let gate = invocation.settings.gate;
        for spec in &invocation.settings.sidecars {
            let Some(preset) = spec.preset else { continue };
            let sidecar = subject.facts.sidecars.iter().find(|sidecar| sidecar.is_meant_by(spec));
            let moved = moved(subject.pod, sidecar.map(|sidecar| sidecar.container), preset);
            let wrong = moved.iter().find_map(|moved| Some((moved, asked_elsewhere(spec, gate, moved)?)));
            let Some((wrong, asked)) = wrong else { continue };
            let given = invocation.values.iter().find(|given| {
                given.raw.option == Opt::Sidecar && given.raw.value.starts_with(spec.name.as_bytes())
            });
            let spot = given.map_or_else(|| invocation.program(), |given| given.spot.clone());
            let message = format!(
                "`{}` is asked on port {asked}, and listens on {} ({})",
                spec.name, wrong.port, wrong.by
            );
            let mend = format!("\"--sidecar\", {:?},", spec_with(preset, &moved, spec.optional));
            all.push(Found::error(spot, message, mend).of(invocation.container, invocation.path.clone()));
        }
    }
    all
}

/// The port that the row's own request of a SPEC goes to, where it is not this one.
fn asked_elsewhere(spec: &Spec, gate: bool, moved: &Moved) -> Option<u16> {
    let asked = Asked::by(spec);
    let address = match (moved.key, &spec.quit, &spec.ready) {
        ("ready-port", _, Ready::Http(request)) if gate && asked.ready => &request.at,
        ("port", Quit::Http(request), _) if asked.quit => &request.at,
        _ => return None,
    };
    let Address::Tcp(at) = address else { return None };
    if at.iter().any(|at| at.port() == moved.port) { None } else { at.first().map(|at| at.port()) }
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
        (true, true) => "is asked whether it is ready and to quit, but answers neither",
        (true, false) => "is asked to quit, but does not accept that request",
        (false, _) => "is asked whether it is ready, but does not answer",
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
