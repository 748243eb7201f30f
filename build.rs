//! Hands `src/layout.ld` to the linker of the program that ships. Here and not in `.cargo/config.toml`, as that is not
//! read by `cargo install`, and twice where a copy of the project lies inside another one.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/layout.ld");
    if env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") {
        let layout = format!("{}/src/layout.ld", env!("CARGO_MANIFEST_DIR"));
        // A compiler passes it on, a linker takes it as it is.
        let is_linker = env::var("RUSTC_LINKER").is_ok_and(|linker| linker.ends_with("lld"));
        let option = if is_linker { "-T" } else { "-Wl,-T," };
        println!("cargo::rustc-link-arg-bin=lastout={option}{layout}");
    }
}
