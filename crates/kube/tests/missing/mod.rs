//! Programs of others that a test runs, and that are not installed here.

use std::env;
use std::io::Write as _;

/// Says that a test, or a part of it, does not run without this program. A failure where `LASTOUT_REQUIRE_TOOLS` is 1, or has
/// the program's name among its words: continuous integration names those that it could install.
pub fn skip_without(name: &str, how: &str) {
    let why = format!("{name} is not installed ({how})");
    let required = env::var("LASTOUT_REQUIRE_TOOLS").unwrap_or_default();
    assert!(required != "1" && !required.split_whitespace().any(|one| one == name), "{why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}"); // eprintln would be kept for a failure
}
