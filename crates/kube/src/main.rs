//! `kubectl lastout`: puts lastout into manifests and clusters.

use clap::Command;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let version = Command::new("version").about("Print the version, and how many known sidecars it has");
    let plugin = Command::new("kubectl-lastout")
        .bin_name("kubectl lastout")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Puts lastout into manifests and clusters")
        .subcommand_required(true)
        .subcommand(version);
    let text = match plugin.try_get_matches() {
        Ok(_) => {
            let known = lastout_core::presets::PRESETS.len();
            format!("kubectl-lastout {}, {known} known sidecars\n", env!("CARGO_PKG_VERSION"))
        }
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(1);
            // Whoever closed it does not want to read it.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
