//! `--compat`: the variables of another program, turned into values of ours by their documented meaning.

use super::error::{SettingsErrorKind as Kind, Wrong};
use super::{Opt, RawValue, SettingsError, value};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::time::Duration;

/// A program whose variables are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compat {
    /// redboxllc/scuttle and its fork kvij/scuttle.
    Scuttle,
    /// linkerd/linkerd-await.
    LinkerdAwait,
}

/// The values that this program's variables stand for, and those variables that cannot be read. A value's
/// origin is the variable. They belong before the user's own, which win.
#[must_use]
pub fn values(compat: Compat, env: &dyn Fn(&str) -> Option<String>) -> (Vec<RawValue>, Vec<SettingsError>) {
    let mut reader = Reader { env, values: Vec::new(), errors: Vec::new() };
    match compat {
        Compat::Scuttle => reader.scuttle(),
        Compat::LinkerdAwait => reader.linkerd_await(),
    }
    (reader.values, reader.errors)
}

struct Reader<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    values: Vec<RawValue>,
    errors: Vec<SettingsError>,
}

impl Reader<'_> {
    fn push(&mut self, option: Opt, origin: &str, value: &str) {
        self.values.push(RawValue { option, origin: origin.to_owned(), value: value.as_bytes().to_vec() });
    }

    /// A variable; an empty one counts as unset.
    fn get(&self, variable: &str) -> Option<String> {
        (self.env)(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn is_true(&mut self, variable: &str) -> bool {
        match self.get(variable).as_deref() {
            Some("true") => true,
            Some("false") | None => false,
            Some(other) => {
                self.wrong(variable, other, *Wrong::text(Kind::NoSwitch, other));
                false
            }
        }
    }

    fn wrong(&mut self, variable: &str, text: &str, wrong: Wrong<'_>) {
        self.errors.push(SettingsError::new(Opt::Compat, variable, text.as_bytes(), None, wrong));
    }

    /// A duration; 0 counts as unset.
    fn duration(&mut self, variable: &str) -> Option<String> {
        let text = self.get(variable)?;
        match value::duration(&text) {
            Ok(Duration::ZERO) => None,
            Ok(_) => Some(text),
            Err(wrong) => {
                self.wrong(variable, &text, *wrong);
                None
            }
        }
    }

    /// scuttle's README. Unlike the program, a value that cannot be read is an error, a `[::1]` is local, and
    /// "for ever" is for ever.
    fn scuttle(&mut self) {
        let timeout = self.duration("QUIT_REQUEST_TIMEOUT").map(|text| format!(",timeout={text}"));
        let timeout = timeout.unwrap_or_default();
        if !self.is_true("GENERIC_QUIT_ONLY") {
            self.envoy(&timeout);
        }
        let endpoints = self.get("GENERIC_QUIT_ENDPOINTS").unwrap_or_default();
        let endpoints = endpoints.split(',').map(str::trim).filter(|endpoint| !endpoint.is_empty());
        for (number, endpoint) in (1u32..).zip(endpoints) {
            // "A 200 is treated the same as a 404 or 500."
            let spec = format!("generic-{number}:quit={endpoint},ok=200-599{timeout}");
            self.push(Opt::Sidecar, "GENERIC_QUIT_ENDPOINTS", &spec);
        }
    }

    fn envoy(&mut self, timeout: &str) {
        if self.is_true("START_WITHOUT_ENVOY") {
            self.push(Opt::NoWait, "START_WITHOUT_ENVOY", "true");
        }
        // QUIT_WITHOUT… takes precedence; with neither, Envoy is polled for ever.
        let (run, fail) =
            (self.duration("WAIT_FOR_ENVOY_TIMEOUT"), self.duration("QUIT_WITHOUT_ENVOY_TIMEOUT"));
        let (origin, bound, then) = match (fail, run) {
            (Some(bound), _) => ("QUIT_WITHOUT_ENVOY_TIMEOUT", bound, "fail"),
            (None, Some(bound)) => ("WAIT_FOR_ENVOY_TIMEOUT", bound, "run"),
            (None, None) => ("WAIT_FOR_ENVOY_TIMEOUT", "0".to_owned(), "fail"),
        };
        self.push(Opt::WaitTimeout, origin, &bound);
        self.push(Opt::OnWaitTimeout, origin, then);

        let spared = self.is_true("NEVER_KILL_ISTIO");
        if self.is_true("NEVER_KILL_ISTIO_ON_FAILURE") {
            // It spares the generic endpoints as well, as in the program.
            self.push(Opt::StopOn, "NEVER_KILL_ISTIO_ON_FAILURE", "success");
        }
        // It is the master switch: without it Istio is neither waited for nor stopped.
        let Some(admin) = self.get("ENVOY_ADMIN_API") else { return };
        let admin = base(&admin);
        // The fork's default: an admin port of 15000 is Istio's, whose agent is on 15020.
        let quit = self
            .get("ISTIO_QUIT_API")
            .map(|api| base(&api))
            .or_else(|| admin.strip_suffix(":15000").map(|host| format!("{host}:15020")));
        let (name, quit) = match quit {
            Some(api) if !spared => ("istio", format!("{api}/quitquitquit")),
            Some(_) => ("istio", "none".to_owned()),
            None => ("envoy", "none".to_owned()),
        };
        let spec = format!("{name}:ready={admin}/ready,quit={quit}{timeout}");
        self.push(Opt::Sidecar, "ENVOY_ADMIN_API, ISTIO_QUIT_API", &spec);
    }

    /// linkerd-await's README: either variable, whatever its value, switches it off.
    fn linkerd_await(&mut self) {
        if self.get("LINKERD_AWAIT_DISABLED").or_else(|| self.get("LINKERD_DISABLED")).is_none() {
            self.push(Opt::Sidecar, "--compat linkerd-await", "linkerd");
        }
    }
}

/// The URL that a path can be put behind. A comma in it would begin a key of ours.
fn base(url: &str) -> String {
    url.trim_end_matches('/').replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::StopOn;
    use crate::settings::{Resolved, Verb, resolve};
    use alloc::string::ToString;
    use proptest::prelude::*;

    const ADMIN: (&str, &str) = ("ENVOY_ADMIN_API", "http://127.0.0.1:15000");
    const QUIT: (&str, &str) = ("ISTIO_QUIT_API", "http://127.0.0.1:15020");

    fn resolved(compat: &str, env: &[(&str, &str)], own: &[(Opt, &str)]) -> Resolved {
        let value = |(option, value): &(Opt, &str)| RawValue {
            option: *option,
            origin: "--own".to_owned(),
            value: value.as_bytes().to_vec(),
        };
        let values = [(Opt::Compat, compat)].iter().chain(own).map(value).collect::<Vec<_>>();
        let env =
            |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        resolve(Verb::Run, values, &env)
    }

    fn scuttle(env: &[(&str, &str)]) -> Resolved {
        let resolved = resolved("scuttle", env, &[]);
        assert_eq!(resolved.errors, [], "{env:?}");
        resolved
    }

    fn shown(resolved: &Resolved) -> Vec<String> {
        let sidecars = resolved.settings.sidecars.iter();
        sidecars.map(|spec| format!("{} {} {}", spec.name, spec.ready, spec.quit)).collect()
    }

    #[test]
    fn scuttle_waits_for_envoy_for_ever_and_quits_istio() {
        let both = ["istio GET 127.0.0.1:15000/ready POST 127.0.0.1:15020/quitquitquit"];
        for env in [&[ADMIN, QUIT][..], &[ADMIN], &[("ENVOY_ADMIN_API", "http://127.0.0.1:15000/")]] {
            let resolved = scuttle(env);
            assert_eq!(shown(&resolved), both, "{env:?}");
            assert_eq!((resolved.settings.wait_timeout, resolved.settings.run_unready), (None, false));
            assert_eq!(resolved.settings.stop_on, StopOn::Always);
        }
        let other = scuttle(&[("ENVOY_ADMIN_API", "http://localhost:9901")]);
        assert_eq!(shown(&other), ["envoy GET 127.0.0.1:9901/ready none"]);
        assert_eq!(shown(&scuttle(&[QUIT])), [""; 0]);
    }

    #[test]
    fn scuttle_timeouts() {
        let minute = Some(Duration::from_secs(60));
        let wait = ("WAIT_FOR_ENVOY_TIMEOUT", "1m");
        let quit = ("QUIT_WITHOUT_ENVOY_TIMEOUT", "1m0s");
        for (env, bound, run) in [
            (&[ADMIN, wait][..], minute, true),
            (&[ADMIN, quit], minute, false),
            (&[ADMIN, ("WAIT_FOR_ENVOY_TIMEOUT", "5s"), quit], minute, false),
            (&[ADMIN, ("QUIT_WITHOUT_ENVOY_TIMEOUT", "0s"), wait], minute, true),
        ] {
            let settings = scuttle(env).settings;
            assert_eq!((settings.wait_timeout, settings.run_unready), (bound, run), "{env:?}");
        }
        let slow = scuttle(&[ADMIN, ("QUIT_REQUEST_TIMEOUT", "1m30s")]);
        assert_eq!(slow.settings.sidecars[0].timeout, Duration::from_secs(90));
        assert!(!scuttle(&[ADMIN, ("START_WITHOUT_ENVOY", "true")]).settings.gate);
        assert!(scuttle(&[ADMIN, ("START_WITHOUT_ENVOY", "false")]).settings.gate);
    }

    #[test]
    fn scuttle_never_kills() {
        let spared = scuttle(&[ADMIN, QUIT, ("NEVER_KILL_ISTIO", "true")]);
        assert_eq!(shown(&spared), ["istio GET 127.0.0.1:15000/ready none"]);
        let spared = scuttle(&[ADMIN, QUIT, ("NEVER_KILL_ISTIO_ON_FAILURE", "true")]);
        assert_eq!(spared.settings.stop_on, StopOn::Success);
    }

    #[test]
    fn scuttle_generic_endpoints_take_any_answer_and_come_before_istio() {
        let generic = ("GENERIC_QUIT_ENDPOINTS", "http://localhost:1/a, http://127.0.0.1:2");
        let resolved = scuttle(&[ADMIN, generic]);
        let shown_generic = ["generic-1 none POST 127.0.0.1:1/a", "generic-2 none POST 127.0.0.1:2/"];
        assert_eq!(shown(&resolved)[1..], shown_generic);
        let [istio, one, _] = resolved.settings.sidecars.as_slice() else { panic!() };
        assert!(one.order < istio.order);
        let crate::spec::Quit::Http(request) = &one.quit else { panic!() };
        assert_eq!(request.ok.to_string(), "200-599");
        assert_eq!(shown(&scuttle(&[ADMIN, generic, ("GENERIC_QUIT_ONLY", "true")])), shown_generic);
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_an_error_that_names_it() {
        for (name, value, expected) in [
            ("START_WITHOUT_ENVOY", "yes", "START_WITHOUT_ENVOY: `yes` is neither true nor false"),
            ("WAIT_FOR_ENVOY_TIMEOUT", "30", "WAIT_FOR_ENVOY_TIMEOUT: `30` has no unit: write 30s"),
            ("QUIT_REQUEST_TIMEOUT", "x", "QUIT_REQUEST_TIMEOUT: `x` is no duration"),
            (
                "ISTIO_QUIT_API",
                "http://istio:1",
                "ENVOY_ADMIN_API, ISTIO_QUIT_API: istio: quit: `istio` is no loopback",
            ),
            (
                "GENERIC_QUIT_ENDPOINTS",
                "https://x",
                "GENERIC_QUIT_ENDPOINTS: generic-1: quit: https is not spoken",
            ),
        ] {
            let errors = resolved("scuttle", &[ADMIN, (name, value)], &[]).errors;
            let [error] = errors.as_slice() else { panic!("{name}: {errors:?}") };
            assert!(error.to_string().starts_with(expected), "{error}");
            assert_eq!(error.given, None, "{error}");
        }
    }

    #[test]
    fn linkerd_await_can_be_switched_off() {
        let linkerd = ["linkerd GET 127.0.0.1:4191/ready POST 127.0.0.1:4191/shutdown"];
        assert_eq!(shown(&resolved("linkerd-await", &[], &[])), linkerd);
        assert_eq!(shown(&resolved("linkerd-await", &[("LINKERD_DISABLED", "")], &[])), linkerd);
        for variable in ["LINKERD_DISABLED", "LINKERD_AWAIT_DISABLED"] {
            assert_eq!(shown(&resolved("linkerd-await", &[(variable, "false")], &[])), [""; 0]);
        }
    }

    #[test]
    fn the_users_own_values_win() {
        let own = [
            (Opt::WaitTimeout, "7s"),
            (Opt::StopOn, "never"),
            (Opt::Sidecar, "istio:port=1"),
            (Opt::Sidecar, "dapr"),
        ];
        let env = [ADMIN, ("WAIT_FOR_ENVOY_TIMEOUT", "5s"), ("NEVER_KILL_ISTIO_ON_FAILURE", "true")];
        let Resolved { settings, errors, .. } = resolved("scuttle", &env, &own);
        assert_eq!(errors, []);
        assert_eq!((settings.wait_timeout, settings.stop_on), (Some(Duration::from_secs(7)), StopOn::Never));
        let names: Vec<_> = settings.sidecars.iter().map(|spec| spec.name.to_string()).collect();
        assert_eq!(names, ["istio", "dapr"]);
        assert_eq!(settings.sidecars[0].quit.to_string(), "POST 127.0.0.1:1/quitquitquit");
    }

    proptest! {
        #[test]
        fn any_environment_is_answered(value: String) {
            for compat in [Compat::Scuttle, Compat::LinkerdAwait] {
                let _ = values(compat, &|_| Some(value.clone()));
            }
        }
    }
}
