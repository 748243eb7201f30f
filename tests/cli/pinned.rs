//! scripts/pinned, with a Go that only pretends: what is known of a build, and what is told when it fails.

use std::{fs, process::Command, process::Output};
use support::TempDir;

/// The folder of the module in $MODULE; a build is the file that `prepare_…` wrote.
const GO: &str = r#"#!/bin/sh
case "$1 $2" in
  'env GOVERSION') echo go1.99 ;;
  'mod download')
    if [ -z "$MODULE" ]; then
      if [ "$3" = -json ]; then echo '{ "Error": "no such host" }'; else echo 'go: no such host' >&2; fi
      exit 1
    fi
    printf '{\n\t"Dir": "%s"\n}\n' "$MODULE"
    ;;
  build*)
    while [ "$1" != -o ]; do shift; done
    cp made "$2"
    ;;
esac
"#;

struct Ground(TempDir);

impl Ground {
    fn new() -> Self {
        let dir = TempDir::new();
        dir.file("pinned", include_str!("../../scripts/pinned"), 0o644);
        fs::create_dir(dir.at("path")).unwrap();
        dir.file("path/go", GO, 0o755);
        fs::create_dir(dir.at("module")).unwrap();
        Self(dir)
    }

    /// Installs a module that is changed by this before it builds.
    fn install(&self, change: &str, module: &str) -> Output {
        let script = format!(
            "PINS='\nx-agent v1 module example.com/x:\n'\nprepare_x_agent() {{ {change}; }}\n. \"$(dirname \"$0\")/pinned\"\n"
        );
        let script = self.0.file("agents", &script, 0o755);
        let path = format!("{}:{}", self.0.at("path").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.arg(script).arg("x-agent").env("PATH", path).env("LASTOUT_CACHE", self.0.at("cache"));
        command.env("MODULE", module).output().unwrap()
    }
}

#[test]
fn what_is_changed_before_a_build_is_part_of_what_is_in_the_cache() {
    only_ours!();
    let ground = Ground::new();
    let module = ground.0.at("module");
    let module = module.to_str().unwrap();
    let built = || fs::read_to_string(ground.0.at("cache/agents/x-agent")).unwrap();
    for (change, builds) in
        [("echo first >made", true), ("echo first >made", false), ("echo second >made", true)]
    {
        let output = ground.install(change, module);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        assert_eq!(told.contains("building x-agent v1"), builds, "{told}");
        assert!(change.contains(built().trim()), "{}", built());
    }
}

#[test]
fn a_module_that_cannot_be_had_is_told_in_the_words_of_go() {
    only_ours!();
    let output = Ground::new().install("true", "");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("go: no such host\n") && told.contains("building failed"), "{told}");
}
