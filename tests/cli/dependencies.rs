//! The wrapper stays small: what belongs to the plugin never gets into it.

use std::process::Command;

#[test]
fn the_wrapper_depends_on_nothing_that_is_for_the_plugin() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args(["tree", "--offline", "--package", "lastout", "--edges", "normal", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{told}");
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"lastout-core") && crates.contains(&"ureq"), "{tree}");
    for heavy in ["tokio", "hyper", "rustls", "ring", "kube", "serde", "kubectl-lastout"] {
        assert!(!crates.contains(&heavy), "{heavy}:\n{tree}");
    }
}
