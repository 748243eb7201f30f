//! A folder that goes away with the test.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// A fresh folder, removed when dropped.
pub struct TempDir(tempfile::TempDir);

impl TempDir {
    pub fn new() -> Self {
        // Other users may come in: some tests start the program as one.
        let open = fs::Permissions::from_mode(0o755);
        let base = env::temp_dir().canonicalize().unwrap();
        Self(tempfile::Builder::new().prefix("lastout-test-").permissions(open).tempdir_in(base).unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a name in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A file in it.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// A FIFO in it.
    pub fn fifo(&self, name: &str) -> PathBuf {
        use std::os::unix::ffi::OsStrExt as _;
        let path = self.at(name);
        let c_path = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
        // SAFETY: a C string.
        assert_eq!(unsafe { libc::mkfifo(c_path.as_ptr(), 0o644) }, 0);
        path
    }

    /// A folder in it.
    pub fn dir(&self, name: &str, mode: u32) -> PathBuf {
        let path = self.at(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}
