//! Files of the repository that a test writes when `LASTOUT_BLESS=1`, and holds otherwise.

use std::{env, fs, path::Path};

/// Whether files become what they should be.
pub fn is_blessing() -> bool {
    env::var_os("LASTOUT_BLESS").is_some()
}

/// Whether the file is this text; it becomes it while blessing.
pub fn is(path: &Path, text: &str) -> bool {
    let same = fs::read_to_string(path).is_ok_and(|found| found == text);
    // One that is right is not written: whoever reads it meanwhile must not find half of it.
    if !same && is_blessing() {
        fs::write(path, text).unwrap();
        return true;
    }
    same
}

/// The file is this text, or becomes it.
#[track_caller]
pub fn held(path: &Path, text: &str) {
    if !is(path, text) {
        let found = fs::read_to_string(path).unwrap_or_default();
        assert_eq!(found, text, "{}: LASTOUT_BLESS=1 writes it", path.display());
    }
}
