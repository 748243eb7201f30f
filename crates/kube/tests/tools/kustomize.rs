//! The KRM function (`examples/kustomize`) in an overlay with a prefix, labels, an image's tag, a patch that adds the sidecar,
//! and a generated ConfigMap.

use super::{CRON_JOB, JOB, Tool, comes_back, command, objects, ours, plugin, repository, succeeded, text};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

/// As the example has it.
const IMAGE: &str = concat!("registry.example/lastout:", env!("CARGO_PKG_VERSION"));

/// What kustomize asks for before it runs a program.
pub const FLAGS: [&str; 2] = ["--enable-alpha-plugins", "--enable-exec"];

/// A copy of our kustomization, to change.
struct Kustomization {
    tool: Tool,
}

impl Kustomization {
    fn copied() -> Option<Self> {
        let tool = Tool::installed("kustomize")?;
        for layer in ["base", "overlay"] {
            let copy = tool.home.path().join(layer);
            fs::create_dir(&copy).unwrap();
            for file in fs::read_dir(ours("kustomize").join(layer)).unwrap().map(Result::unwrap) {
                fs::copy(file.path(), copy.join(file.file_name())).unwrap();
            }
        }
        Some(Self { tool })
    }

    fn folder(&self, layer: &str) -> PathBuf {
        self.tool.home.path().join(layer)
    }

    /// The example's function becomes a transformer of this layer, with `new` in the place of `old`.
    fn with_function(self, layer: &str, old: &str, new: &str) -> Self {
        let function = fs::read_to_string(repository().join("examples/kustomize/lastout.yaml")).unwrap();
        assert!(function.contains(old), "{function}");
        fs::write(self.folder(layer).join("lastout.yaml"), function.replace(old, new)).unwrap();
        let path = self.folder(layer).join("kustomization.yaml");
        let kustomization = fs::read_to_string(&path).unwrap();
        fs::write(&path, kustomization + "transformers: [lastout.yaml]\n").unwrap();
        self
    }

    fn build(&self) -> Output {
        self.tool.run(&[&["build", "overlay"], &FLAGS[..]].concat())
    }

    fn built(&self) -> String {
        succeeded(&self.build())
    }

    fn plain(&self) -> String {
        succeeded(&self.tool.run(&["build", ours("kustomize/overlay").to_str().unwrap()]))
    }
}

#[test]
fn an_overlay_with_the_function_is_what_inject_makes_of_the_overlay() {
    let Some(kustomization) = Kustomization::copied() else { return };
    let kustomization = kustomization.with_function("overlay", "", "");
    let plain = kustomization.plain();
    let (before, after) = (objects(&plain), objects(&kustomization.built()));
    assert_eq!(after, objects(&plugin(&["inject", "--image", IMAGE], &plain)));
    let main = ["/.lastout/lastout", "--sidecar", "cloud-sql-proxy", "--", "/app/import"];
    assert_eq!(command(&after["Job prod-import"], JOB, "main"), main);
    let words = ["--sidecar", "istio", "--stop-on", "success", "--", "/bin/sh", "-c"];
    assert_eq!(command(&after["CronJob prod-report"], CRON_JOB, "report")[1..], words);
    for rest in ["Service prod-web", "Deployment prod-web"] {
        assert_eq!(after[rest], before[rest], "{rest}");
    }
}

#[test]
fn a_base_and_an_overlay_may_both_have_the_function() {
    let Some(kustomization) = Kustomization::copied() else { return };
    let once = kustomization.with_function("overlay", "", "");
    let built = once.built();
    assert!(built.contains("/.lastout/lastout"), "{built}");
    assert_eq!(objects(&once.with_function("base", "", "").built()), objects(&built));
}

#[test]
fn the_list_that_a_function_is_given_keeps_its_annotations_and_comes_back() {
    let Some(kustomization) = Kustomization::copied() else { return };
    let (program, words) = ("kubectl-lastout", format!("[inject, \"-\", --image, \"{IMAGE}\"]"));
    let command = |program: &str, words: &str| format!("path: {program}\n        args: {words}\n");
    let kept =
        kustomization.with_function("overlay", &command(program, &words), &command("tee", "[list.yaml]"));
    let plain = kept.plain();
    assert_eq!(objects(&kept.built()), objects(&plain));
    let list = fs::read_to_string(kept.folder("overlay").join("list.yaml")).unwrap();
    comes_back(&list);
    let of = |text: &str| objects(text).remove("ResourceList ").unwrap();
    let (before, after) = (of(&list), of(&plugin(&["inject"], &list)));
    assert_eq!(after["functionConfig"], before["functionConfig"]);
    let metadata = |list: &Value| -> Vec<Value> {
        list["items"].as_array().unwrap().iter().map(|item| item["metadata"].clone()).collect()
    };
    assert_eq!(metadata(&after), metadata(&before));
    assert!(metadata(&after)[0]["annotations"].get("config.kubernetes.io/index").is_some(), "{list}");
}

#[test]
fn an_error_of_the_plugin_fails_kustomize_which_shows_it() {
    let Some(kustomization) = Kustomization::copied() else { return };
    let kustomization = kustomization.with_function("overlay", "\"-\"", "\"-\", --mode, odd");
    let output = kustomization.build();
    let said = text(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{}", text(&output.stdout));
    assert!(said.contains("invalid value 'odd' for '--mode <MODE>'"), "{said}");
}

#[test]
fn inject_by_hand_takes_what_kustomize_writes_and_uninject_gives_it_back() {
    let Some(kustomization) = Kustomization::copied() else { return };
    comes_back(&kustomization.plain());
}
