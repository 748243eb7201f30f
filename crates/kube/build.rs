//! Has the linker (GNU ld or lld) place together what a webhook runs (`layout.txt`).
//!
//! The kernel maps 64 KiB around a place that is touched, and all of it counts as resident. What a webhook touches is an eighth
//! of the program, a function here and there: as the linker would place them, more than half of the program was resident. A
//! name that matches nothing, since a function is inlined or has another name by now, does no harm. What was placed where is
//! in the linker's map, which `scripts/plugin` looks into. The last lines are those of the wrapper's build script, which is of
//! another package: a crate for both would be one more dependency of the wrapper.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

const LISTED: &str = "layout.txt";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={LISTED}");
    let is = |variable, value| env::var(variable).is_ok_and(|found| found == value);
    // Only what ships: static, and optimised.
    if !is("CARGO_CFG_TARGET_ENV", "musl") || !is("PROFILE", "release") {
        return Ok(());
    }
    let mut script = String::from("SECTIONS\n{\n  .hot :\n  {\n");
    for name in fs::read_to_string(LISTED)?.lines().filter(|line| !line.starts_with('#')) {
        let _ = writeln!(script, "    *(.text.{name} .text.unlikely.{name})");
    }
    script.push_str("  }\n}\nINSERT AFTER .init;\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let (layout, map) = (Path::new(&out).join("layout.ld"), Path::new(&out).join("kubectl-lastout.map"));
    fs::write(&layout, script)?;
    // A compiler passes them on, a linker takes them as they are.
    let is_linker = env::var("RUSTC_LINKER").is_ok_and(|linker| linker.ends_with("lld"));
    let to_linker = if is_linker { "" } else { "-Wl," };
    println!("cargo::rustc-link-arg-bin=kubectl-lastout={to_linker}-T{}", layout.display());
    println!("cargo::rustc-link-arg-bin=kubectl-lastout={to_linker}-Map={}", map.display());
    Ok(())
}
