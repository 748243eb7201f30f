//! `kubectl lastout`: puts lastout into manifests and clusters.

use kubectl_lastout::{cli, exit::Exit};
use std::io::Write as _;
use std::process::ExitCode;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: kubectl_lastout::allocator::Keeping = kubectl_lastout::allocator::Keeping;

fn main() -> ExitCode {
    let matches = match cli::definition().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(1);
            // Whoever closed it does not want to read it.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match cli::run(&matches) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "kubectl-lastout: {error}");
            ExitCode::from(Exit::Unreadable.code())
        }
    }
}
