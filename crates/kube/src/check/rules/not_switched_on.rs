//! What lastout will ask a sidecar, and nobody has told the sidecar to answer. The core's table says what each needs.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::{Moved, Reason, Sidecar, moved, spec_with, too_old};
use crate::pod::{Container, list};
use lastout_core::presets::{Need, Preset, Switch};
use lastout_core::settings::Opt;
use lastout_core::spec::{Address, Quit, Ready, Spec};

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    match subject.decision.reason {
        _ if !subject.ends => return Vec::new(),
        Reason::InjectedWrap | Reason::InjectedHelper | Reason::Already | Reason::NoCommand => {}
        // Nobody asks.
        Reason::InjectedNative
        | Reason::AlreadyNative
        | Reason::NoSidecar
        | Reason::NotNative
        | Reason::NoEndpoint
        | Reason::OptedOut
        | Reason::NotSelected
        | Reason::RestartAlways
        | Reason::HostPid
        | Reason::Windows
        | Reason::OnlySidecars
        | Reason::NameConflict
        | Reason::MountConflict
        | Reason::UnresolvedImage
        | Reason::ForeignEntrypoint
        | Reason::PatchMismatch
        | Reason::Internal => return Vec::new(),
    }
    let there = subject.facts.sidecars.iter().filter_map(|sidecar| {
        let preset = sidecar.preset?;
        let asked = asked(subject, preset, Some(sidecar))?;
        if let Some(old) = too_old(sidecar.container, preset).filter(|_| asked.1) {
            return Some(without_quit(subject, sidecar.container, &old));
        }
        let off = off(subject, preset, asked, Some(sidecar.container));
        found(subject, preset, &off, Some(sidecar.container))
    });
    let promised = subject.facts.to_come().filter_map(|promised| {
        let preset = promised.injector.adds()?;
        let off = off(subject, preset, asked(subject, preset, None)?, None);
        found(subject, preset, &off, None)
    });
    there.chain(promised).chain(elsewhere(subject)).collect()
}

/// Its version does not know the request, whatever it is told.
fn without_quit(subject: &Subject<'_>, container: Container<'_>, (since, image): &(String, String)) -> Found {
    let path = subject.path(container);
    let message = format!(
        "`{}` is asked to quit, which it knows from {since} on; its image is {image}",
        container.name()
    );
    let mut mend = format!("take an image of {since} or later");
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
    let address = match (moved.key, &spec.quit, &spec.ready) {
        ("ready-port", _, Ready::Http(request)) if gate && is_ready_asked(spec) => &request.at,
        ("port", Quit::Http(request), _) if is_quit_asked(spec) => &request.at,
        _ => return None,
    };
    let Address::Tcp(at) = address else { return None };
    if at.iter().any(|at| at.port() == moved.port) { None } else { at.first().map(|at| at.port()) }
}

/// What it will be asked: whether it is ready, and to quit. `None`: lastout is there and not told of it.
fn asked(subject: &Subject<'_>, preset: &Preset, sidecar: Option<&Sidecar<'_>>) -> Option<(bool, bool)> {
    if subject.decision.reason != Reason::Already {
        let spec = sidecar.map(|sidecar| &sidecar.spec.spec);
        return Some(spec.map_or((true, true), |spec| (is_ready_asked(spec), is_quit_asked(spec))));
    }
    let specs = subject.invocations.iter().flat_map(|invocation| {
        let of_it = |spec: &&Spec| spec.preset.is_some_and(|row| row.name == preset.name);
        invocation.settings.sidecars.iter().filter(of_it).map(move |spec| (invocation.settings.gate, spec))
    });
    let asked = specs.map(|(gate, spec)| (gate && is_ready_asked(spec), is_quit_asked(spec)));
    asked.reduce(|a, b| (a.0 || b.0, a.1 || b.1))
}

/// By the row's own request: another one is its author's business.
fn is_ready_asked(spec: &Spec) -> bool {
    match (&spec.ready, spec.preset.map(|row| row.ready)) {
        (Ready::Http(request), Some(lastout_core::presets::ReadyRow::Http { path, .. })) => {
            request.path == path
        }
        (Ready::Accepts(_), Some(lastout_core::presets::ReadyRow::Accepts(_))) => true,
        (Ready::Http(_) | Ready::Accepts(_) | Ready::File(_) | Ready::Unchecked, _) => false,
    }
}

fn is_quit_asked(spec: &Spec) -> bool {
    match (&spec.quit, spec.preset.and_then(|row| row.quit)) {
        (Quit::Http(request), Some(row)) => request.path == row.path,
        (Quit::Http(_) | Quit::CreateFile(_) | Quit::WithAnother | Quit::Nothing, _) => false,
    }
}

/// The switches that are off: for each request the ways to switch it on, none of which is taken.
fn off(
    subject: &Subject<'_>,
    preset: &'static Preset,
    (ready, quit): (bool, bool),
    container: Option<Container<'_>>,
) -> Vec<Vec<&'static Need>> {
    let mut off: Vec<Vec<&'static Need>> = Vec::new();
    for (is_asked, is_for) in [(quit, Asks::quit as fn(&Need) -> bool), (ready, Asks::ready)] {
        let ways: Vec<&Need> = preset.needs.iter().filter(|need| is_for(need)).collect();
        // What only its configuration shows cannot be judged here.
        let is_shown = ways.iter().any(|need| !matches!(need.switch, Switch::Config(_)));
        if is_asked
            && is_shown
            && !ways.iter().any(|need| is_on(subject, need.switch, container))
            && !off.contains(&ways)
        {
            off.push(ways);
        }
    }
    off
}

struct Asks;

impl Asks {
    fn quit(need: &Need) -> bool {
        need.asked.quit()
    }

    fn ready(need: &Need) -> bool {
        need.asked.ready()
    }
}

fn is_on(subject: &Subject<'_>, switch: Switch, container: Option<Container<'_>>) -> bool {
    match switch {
        Switch::Flag(flag) => container.is_some_and(|container| has_flag(container, flag)),
        Switch::Env { name, value } => container.is_some_and(|container| {
            let elsewhere = list(container.value(), "envFrom").next().is_some();
            let mut own = list(container.value(), "env")
                .filter(|entry| entry.get("name").is_some_and(|own| own == name));
            elsewhere || own.any(|entry| entry.get("value").is_none_or(|own| own == value))
        }),
        Switch::Annotation { key, value } => subject.pod.annotation(key) == Some(value),
        Switch::NotAnnotation { key, value } => subject.pod.annotation(key) != Some(value),
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
    let request = match (asks(Asks::quit), asks(Asks::ready)) {
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
            super::will_be_injected::spot(subject, promised)
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
