//! Hands `src/layout.ld` to the linker (GNU ld or lld) of the program that ships. Here and not in `.cargo/config.toml`,
//! as that is not read by `cargo install`, and twice where a copy of the project lies inside another one.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/layout.ld");
    // `fuzzed` in src/lib.rs: set by scripts/fuzz, as cargo-fuzz does.
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    let is = |variable, value| env::var(variable).is_ok_and(|found| found == value);
    // A debug build unwinds, and needs the tables for it.
    if is("CARGO_CFG_TARGET_ENV", "musl") && is("PROFILE", "release") {
        let layout = format!("{}/src/layout.ld", env!("CARGO_MANIFEST_DIR"));
        // What was placed where: scripts/binaries checks by it that the layout still fits the program's names.
        let map = format!("{}/lastout.map", env::var("OUT_DIR").unwrap_or_default());
        // A compiler passes them on, a linker takes them as they are.
        let is_linker = env::var("RUSTC_LINKER").is_ok_and(|linker| linker.ends_with("lld"));
        let to_linker = if is_linker { "" } else { "-Wl," };
        println!("cargo::rustc-link-arg-bin=lastout={to_linker}-T{layout}");
        println!("cargo::rustc-link-arg-bin=lastout={to_linker}-Map={map}");
    }
}
