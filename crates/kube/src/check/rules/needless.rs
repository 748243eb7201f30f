//! The kubelet ends a native sidecar after the mains by itself. One that has quit before is started again.

use crate::check::subject::{Found, Subject};
use crate::decide::{is_meant, is_stopped, preset_of};
use crate::pod::Container;
use lastout_core::outcome::StopOn;
use lastout_core::settings::Opt;
use lastout_core::spec::Spec;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    for invocation in
        subject.wrapped_mains().filter(|invocation| invocation.settings.stop_on != StopOn::Never)
    {
        for spec in
            invocation.settings.sidecars.iter().filter(|spec| is_stopped(spec) && is_native(subject, spec))
        {
            let given = invocation.values.iter().find(|given| {
                let text = String::from_utf8_lossy(&given.raw.value);
                given.raw.option == Opt::Sidecar && text.split([':', '?']).next() == Some(&spec.name)
            });
            let (name, main) = (&spec.name, invocation.container.name());
            let message = format!(
                "{name} is a native sidecar: the kubelet ends it after `{main}`, and starts it again when it is asked to quit before"
            );
            let text = given.map(|given| String::from_utf8_lossy(&given.raw.value).into_owned());
            let mend = match text {
                Some(text) if !text.contains(':') => format!("\"{text}:quit=none\""),
                Some(text) if !text.contains("quit=") && spec.process.is_none() => {
                    format!("\"{text},quit=none\"")
                }
                Some(_) | None => String::new(),
            };
            let spot = given.map_or_else(|| invocation.program(), |given| given.spot.clone());
            all.push(Found::warning(spot, message, mend).of(invocation.container, invocation.path.clone()));
        }
    }
    all
}

/// It is among the native ones, there or to come, and among no others.
fn is_native(subject: &Subject<'_>, spec: &Spec) -> bool {
    let is_it = |container: &Container<'_>| is_meant(spec, *container, preset_of(*container));
    let plain = subject.pod.containers().iter().any(is_it);
    let native = subject.facts.native.iter().any(is_it);
    let to_come = subject.facts.promised.iter().any(|promised| {
        promised.native == Some(true) && spec.preset.is_some_and(|own| own.name == promised.injector.preset)
    });
    (native || to_come) && !plain
}
