#!/usr/bin/env bash
# Finding: `defaultMode: 0755` in a Kubernetes manifest is another file mode, or none, to common YAML libraries.
#
# Good expectation: a program that reads manifests sees what kubectl sends. kubectl reads YAML 1.1 (go.yaml.in/yaml/v2 below
# sigs.k8s.io/yaml): 0755 is octal, 493, the mode rwxr-xr-x. What is seen: PyYAML agrees; serde_yaml_ng gives the text
# "0755", yaml-rust2 the decimal 755 (a mode is at most 511, says the Kubernetes API), and serde-saphyr, by its defaults, the
# float 755.0. None of them says a word; a program that writes the object out again has changed the mode.
#
# Installs the libraries as pinned below, from the Python and Rust registries that pip and cargo are set up for, into a
# temporary folder. Exit 0: as described; 1: it has changed; 2: it cannot be tried here.
set -euo pipefail

pyyaml=6.0.2
crates=(serde_yaml_ng=0.10.0 yaml-rust2=0.13.1 serde-saphyr=2.2.0)

cannot() { printf 'cannot be tried here: %s\n' "$*" >&2; exit 2; }

for tool in python3 cargo; do command -v "$tool" >/dev/null || cannot "no $tool"; done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv py >/dev/null && py/bin/pip install --quiet "pyyaml==$pyyaml" >/dev/null 2>&1 || cannot "pip has no pyyaml $pyyaml"

mkdir -p rs/src
{
  printf '[package]\nname = "modes"\nversion = "0.0.0"\nedition = "2021"\n\n[dependencies]\nserde_json = "1"\n'
  for crate in "${crates[@]}"; do printf '%s = "=%s"\n' "${crate%%=*}" "${crate#*=}"; done
} >rs/Cargo.toml
cat >rs/src/main.rs <<'RUST'
fn main() {
    let text = "defaultMode: 0755\n";
    let ng: serde_json::Value = serde_yaml_ng::from_str(text).unwrap();
    println!("serde_yaml_ng {}", ng["defaultMode"]);
    let rust2 = yaml_rust2::YamlLoader::load_from_str(text).unwrap();
    println!("yaml-rust2 {:?}", rust2[0]["defaultMode"]);
    let saphyr: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    println!("serde-saphyr {}", saphyr["defaultMode"]);
}
RUST
CARGO_TARGET_DIR=$folder/target cargo build --quiet --manifest-path rs/Cargo.toml 2>errors || cannot "$(tail -n 1 errors)"
seen=$(
  py/bin/python -c 'import yaml; print("pyyaml", yaml.safe_load("defaultMode: 0755\n")["defaultMode"])'
  target/debug/modes
)
printf '%s\n' "$seen"
[ "$seen" = 'pyyaml 493
serde_yaml_ng "0755"
yaml-rust2 Integer(755)
serde-saphyr 755.0' ]
