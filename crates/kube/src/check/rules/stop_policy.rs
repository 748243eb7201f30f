//! `--stop-on` and the restart policy: sidecars are to be stopped after those exit codes after which nobody starts the main
//! again, and after no other.

use crate::check::subject::{Found, Subject};
use crate::decide::final_codes;
use lastout_core::settings::Opt;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    for invocation in subject.wrapped_mains() {
        let has_sidecars = !invocation.settings.sidecars.is_empty();
        let is_known = invocation.last(Opt::StopOn).is_some() || !invocation.has_unknown_env;
        if !has_sidecars || !is_known || !invocation.errors.is_empty() {
            continue;
        }
        // Of a native sidecar nothing depends on it.
        let plain = !subject.facts.sidecars.is_empty() || subject.facts.to_come().next().is_some();
        if !plain && !subject.facts.native.is_empty() {
            continue;
        }
        let name = invocation.container.name();
        let last = final_codes(subject.pod, invocation.container);
        let stop_on = &invocation.settings.stop_on;
        let codes = || 0..=u8::MAX;
        let early = codes().find(|code| stop_on.covers_code(*code) && !last.has(*code));
        // What is not in the manifest may be no sidecar that runs on.
        let never = codes().filter(|_| plain).find(|code| !stop_on.covers_code(*code) && last.has(*code));
        let message = match (early, never) {
            (Some(code), _) => format!(
                "after exit code {code} `{name}` is started again, and its sidecars are stopped by then"
            ),
            (None, Some(code)) => {
                format!("after exit code {code} `{name}` is not restarted, and its sidecars run on")
            }
            (None, None) => continue,
        };
        let policy = last.to_string();
        let mend = match invocation.last(Opt::StopOn) {
            Some(_) => format!("{policy:?}"),
            None => format!("\"--stop-on\", {policy:?},"),
        };
        all.push(
            Found::error(invocation.spot_of(Opt::StopOn), message, mend)
                .of(invocation.container, invocation.path.clone()),
        );
    }
    all
}
