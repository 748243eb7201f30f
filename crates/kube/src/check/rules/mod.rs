//! The rules, one a file. `docs/check.md` has a section for each, under its slug.

mod grace;
mod group;
mod hangs;
mod liveness;
mod needless;
mod no_command;
mod no_deadline;
mod not_installed;
mod not_switched_on;
mod pod_failure_policy;
mod shell_wrap;
mod sidecar_exit_code;
mod spec_error;
mod stop_policy;
mod will_be_injected;

use super::Severity;
use super::subject::{Found, Subject};

/// A rule.
pub struct Rule {
    /// Its name, for good: in reports, in `ignore` comments, as a heading of the docs.
    pub slug: &'static str,
    /// How bad what it finds can be; a finding may be less.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: &'static str,
    pub(super) look: fn(&Subject<'_>) -> Vec<Found>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.slug)
    }
}

const fn error(slug: &'static str, summary: &'static str, look: fn(&Subject<'_>) -> Vec<Found>) -> Rule {
    Rule { slug, severity: Severity::Error, summary, look }
}

const fn warning(slug: &'static str, summary: &'static str, look: fn(&Subject<'_>) -> Vec<Found>) -> Rule {
    Rule { slug, severity: Severity::Warning, summary, look }
}

/// The names of those that `hang` asks for.
pub(crate) const HANGS: &str = "hangs";
pub(crate) const NOT_SWITCHED_ON: &str = "not-switched-on";
pub(crate) const STOP_POLICY: &str = "stop-policy";
pub(crate) const NO_COMMAND: &str = "no-command";
pub(crate) const SPEC_ERROR: &str = "spec-error";
pub(crate) const GROUP: &str = "group";
pub(crate) const SHELL_WRAP: &str = "shell-wrap";

/// All of them.
pub static RULES: &[Rule] = &[
    error(HANGS, "a sidecar runs on when the mains are over, so the Job never ends", hangs::look),
    error(
        "will-be-injected",
        "another injector adds a sidecar that runs on when the mains are over",
        will_be_injected::look,
    ),
    error(
        NOT_SWITCHED_ON,
        "a sidecar is asked to quit, or whether it is ready, but does not answer because that is switched off",
        not_switched_on::look,
    ),
    error(
        STOP_POLICY,
        "`--stop-on` does not fit the restart policy: a restarted main has no sidecars, or the pod hangs",
        stop_policy::look,
    ),
    error(NO_COMMAND, "a main that needs lastout has no command to put it in front of", no_command::look),
    error(SPEC_ERROR, "lastout would refuse its command line or its variables", spec_error::look),
    error(
        "not-installed",
        "a command begins with lastout, and nothing brings lastout into the pod",
        not_installed::look,
    ),
    warning("grace", "the kubelet kills the pod before lastout has stopped its sidecars", grace::look),
    error(GROUP, "several mains do not wait for each other", group::look),
    warning("needless", "a native sidecar is asked to quit, and the kubelet starts it again", needless::look),
    error(
        "sidecar-exit-code",
        "a sidecar's own exit code fails the pod although its mains succeeded",
        sidecar_exit_code::look,
    ),
    warning(SHELL_WRAP, "a shell asks a sidecar to quit: signals and exit codes are lost", shell_wrap::look),
    warning("liveness", "a sidecar that drains fails its liveness probe and is killed", liveness::look),
    warning(
        "pod-failure-policy",
        "a rule of podFailurePolicy applies to the exit code of a sidecar",
        pod_failure_policy::look,
    ),
    warning("no-deadline", "a native sidecar that never starts up holds its Job for ever", no_deadline::look),
];
