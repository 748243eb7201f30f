//! Post-renderers: a program for Helm 3, a plugin for Helm 4 (`examples/helm`).

use super::{
    CRON_JOB, JOB, Objects, Tool, comes_back, command, objects, ours, plugin, repository, succeeded, text,
};
use std::process::Output;

/// How Helm 3 is told.
pub const PROGRAM: [&str; 6] =
    ["--post-renderer", "kubectl-lastout", "--post-renderer-args", "inject", "--post-renderer-args", "-"];
/// How Helm 4 is told, once the plugin is installed.
pub const PLUGIN: [&str; 2] = ["--post-renderer", "lastout"];

/// A Helm, and the words that make our plugin its post-renderer.
struct Helm {
    tool: Tool,
    renderer: &'static [&'static str],
    /// Whether hooks pass through post-renderers: since Helm 4.
    hooks: bool,
}

impl Helm {
    fn three() -> Option<Self> {
        Tool::installed("helm3").map(|tool| Self { tool, renderer: &PROGRAM, hooks: false })
    }

    fn four() -> Option<Self> {
        let tool = Tool::installed("helm4")?;
        succeeded(&tool.run(&["plugin", "install", repository().join("examples/helm").to_str().unwrap()]));
        Some(Self { tool, renderer: &PLUGIN, hooks: true })
    }

    fn both() -> impl Iterator<Item = Self> {
        [Self::three(), Self::four()].into_iter().flatten()
    }

    fn chart(&self, verb: &str, more: &[&str]) -> Output {
        let chart = ours("chart");
        self.tool.run(&[&[verb, "acme", chart.to_str().unwrap()], more].concat())
    }

    fn plain(&self, more: &[&str]) -> String {
        succeeded(&self.chart("template", more))
    }

    fn rendered(&self, more: &[&str]) -> String {
        succeeded(&self.chart("template", &[self.renderer, more].concat()))
    }
}

/// The hook, which Helm 3 keeps from post-renderers.
const HOOK: &str = "Job acme-migrate";
const NO_JOBS: [&str; 2] = ["--set", "job=false,cronJob=false"];

#[test]
fn a_release_is_what_inject_makes_of_it_and_all_that_needs_nothing_is_as_it_was() {
    for helm in Helm::both() {
        let plain = helm.plain(&[]);
        let (before, after) = (objects(&plain), objects(&helm.rendered(&[])));
        let mut intended = objects(&plugin(&["inject"], &plain));
        if !helm.hooks {
            intended.insert(HOOK.to_owned(), before[HOOK].clone());
        }
        assert_eq!(after, intended);
        let wrapped = ["/.lastout/lastout", "--sidecar", "istio", "--", "/app/import", "--at=acme"];
        assert_eq!(command(&after["Job acme-import"], JOB, "main"), wrapped);
        let words = ["--sidecar", "istio", "--stop-on", "success", "--", "/bin/sh", "-c"];
        assert_eq!(command(&after["CronJob acme-report"], CRON_JOB, "report")[1..], words);
        for rest in ["ConfigMap acme-settings", "Service acme", "Deployment acme-web"] {
            assert_eq!(after[rest], before[rest], "{rest}");
        }
    }
}

#[test]
fn hooks_stay_hooks_and_helm_4_has_them_injected() {
    for helm in Helm::both() {
        let (before, after) = (objects(&helm.plain(&[])), objects(&helm.rendered(&[])));
        let annotations = |objects: &Objects| objects[HOOK].pointer("/metadata/annotations").cloned();
        assert_eq!(annotations(&after), annotations(&before));
        assert_eq!(command(&after[HOOK], JOB, "migrate").len() > 1, helm.hooks);
    }
}

#[test]
fn helm_3_changes_no_byte_of_what_the_plugin_has_written() {
    let Some(helm) = Helm::three() else { return };
    let plain = helm.plain(&["--no-hooks"]);
    assert_eq!(helm.rendered(&["--no-hooks"]).trim_end(), plugin(&["inject"], &plain).trim_end());
}

#[test]
fn an_install_shows_its_notes_and_the_job_that_will_run() {
    let server = super::api::start();
    let words = ["--dry-run=client", "--disable-openapi-validation", "--kube-apiserver", &server];
    for helm in Helm::both() {
        let values = ["--set", "rest=false,cronJob=false"];
        let shown = succeeded(&helm.chart("install", &[helm.renderer, &words, &values].concat()));
        let (_, shown) = shown.split_once("\nMANIFEST:\n").unwrap();
        let (manifest, notes) = shown.split_once("\nNOTES:\n").unwrap();
        assert_eq!(command(&objects(manifest)["Job acme-import"], JOB, "main")[0], "/.lastout/lastout");
        assert_eq!(notes.trim_end(), "acme reports at night.");
    }
}

#[test]
fn values_that_leave_no_job_change_nothing() {
    for helm in Helm::both() {
        for values in [&NO_JOBS[..], &["--set", "job=false,cronJob=false,rest=false"]] {
            let words = [values, &["--no-hooks"]].concat();
            assert_eq!(objects(&helm.rendered(&words)), objects(&helm.plain(&words)), "{values:?}");
        }
    }
}

#[test]
fn an_error_of_the_plugin_fails_helm_and_helm_3_shows_its_line() {
    for helm in Helm::both() {
        let words = ["--post-renderer-args", "--strict", "--set", "alias=true"];
        let output = helm.chart("template", &[helm.renderer, &words].concat());
        let said = text(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
        let ours =
            "kubectl-lastout: -:57: cannot be edited in place: what is written here is used elsewhere, too";
        let expected = if helm.hooks { r#"plugin "lastout" exited with error"# } else { ours };
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn inject_by_hand_takes_what_helm_writes_hooks_and_all_and_uninject_gives_it_back() {
    for helm in Helm::both() {
        let plain = helm.plain(&[]);
        comes_back(&plain);
        assert_eq!(
            command(&objects(&plugin(&["inject"], &plain))[HOOK], JOB, "migrate")[0],
            "/.lastout/lastout"
        );
    }
}
