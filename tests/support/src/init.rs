//! Which program is under test.

use std::{
    env,
    ffi::OsString,
    io::Write as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The inits that the same behaviour tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::enum_variant_names, reason = "that program is called so")]
pub enum Init {
    Ours,
    Tini,
    DumbInit,
    Catatonit,
}

impl Init {
    /// As `INIT_UNDER_TEST` says.
    pub fn under_test() -> Self {
        match env::var("INIT_UNDER_TEST").as_deref() {
            Err(_) | Ok("" | "ours") => Self::Ours,
            Ok("tini") => Self::Tini,
            Ok("dumb-init") => Self::DumbInit,
            Ok("catatonit") => Self::Catatonit,
            Ok(other) => panic!("INIT_UNDER_TEST={other}: expected ours, tini, dumb-init or catatonit"),
        }
    }

    /// Its executable, if there is one.
    pub fn program(self) -> Option<PathBuf> {
        match self {
            Self::Ours => Some(binary()),
            Self::Tini => which("tini"),
            Self::DumbInit => which("dumb-init"),
            Self::Catatonit => which("catatonit"),
        }
    }

    /// The option that forwards signals to main's process group; none where that is the default.
    pub fn signal_group(self) -> &'static [&'static str] {
        match self {
            Self::Ours => &["--signal-group"],
            Self::Tini | Self::Catatonit => &["-g"],
            Self::DumbInit => &[],
        }
    }

    /// The option that forwards signals to main alone; none where that is the default.
    pub fn signal_main(self) -> &'static [&'static str] {
        match self {
            Self::DumbInit => &["--single-child"],
            Self::Ours | Self::Tini | Self::Catatonit => &[],
        }
    }
}

/// The wrapper under test: `LASTOUT_BIN`, else what cargo built.
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY
        .get_or_init(|| {
            let path = given_binary().unwrap_or_else(built);
            path.canonicalize().unwrap_or_else(|e| panic!("the binary under test, {}: {e}", path.display()))
        })
        .clone()
}

fn built() -> PathBuf {
    super::reexec::BUILT.get().expect("the test program says `support::test_program!()`").into()
}

/// `LASTOUT_BIN`, if it is set.
pub fn given_binary() -> Option<PathBuf> {
    env::var_os("LASTOUT_BIN").filter(|v| !v.is_empty()).map(Into::into)
}

/// A command from `jobs`: this test program run again as that job.
pub fn job<S: AsRef<str>>(args: &[S]) -> Vec<OsString> {
    let mut words = vec![env::current_exe().unwrap().into_os_string(), super::reexec::JOB.into()];
    words.extend(args.iter().map(|a| a.as_ref().into()));
    words
}

/// `LASTOUT_TEST_ALL=1`: tests take their time, and the sidecars that are slow to build are wanted.
pub fn thorough() -> bool {
    env::var("LASTOUT_TEST_ALL").is_ok_and(|all| all == "1")
}

/// Says that a test, or a part of it, does not run here. Written past the test runner's capture: a skip
/// is never silent.
pub fn skip(why: &str) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("test").to_owned();
    let _ = writeln!(std::io::stderr(), "skipped: {why} ({name})");
}

/// As [`skip`], of a test that shows this program what we made. A failure where `LASTOUT_REQUIRE_TOOLS` is 1, or has the
/// program's name among its words: continuous integration names those that it could install.
pub fn skip_without(name: &str, how: &str) {
    let why = format!("{name} is not installed ({how})");
    let required = env::var("LASTOUT_REQUIRE_TOOLS").unwrap_or_default();
    assert!(required != "1" && !required.split_whitespace().any(|one| one == name), "{why}");
    skip(&why);
}

/// The path of a program of this machine.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|p: &PathBuf| is_executable(p))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}
