//! `lastout install DEST`: the program copies itself, so that an init container without a shell can deliver it.

use crate::process::diagnose::is_noexec;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::linkat;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everybody may execute it, nobody may write it: the main container often runs as another user.
const MODE: u32 = 0o555;
/// Name of the copy in a folder.
const NAME: &str = "lastout";

/// Copies our own executable to `dest`, a folder or a file name, and returns where it is now. Atomic: a
/// temporary file in the same folder, fsync, rename; a copy that is just running stays as it is.
///
/// # Errors
/// One line that names the place and the way out. Nothing is left behind.
pub fn install(dest: &Path) -> Result<PathBuf, String> {
    let target = if dest.is_dir() { dest.join(NAME) } else { dest.to_path_buf() };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let fail = |what: &str, error: &dyn std::fmt::Display| {
        format!("install {}: {what} {}: {error}", dest.display(), folder.display())
    };
    if dest.as_os_str().as_encoded_bytes().ends_with(b"/") && !dest.is_dir() {
        return Err(format!("install {}: there is no such folder; is the volume mounted?", dest.display()));
    }
    if !folder.is_dir() {
        return Err(format!(
            "install {}: there is no folder {}; is the volume mounted?",
            dest.display(),
            folder.display()
        ));
    }
    if target.symlink_metadata().is_ok_and(|there| !there.is_file() && !there.is_symlink()) {
        return Err(format!("install {}: {} is there and is no file", dest.display(), target.display()));
    }
    if is_noexec(&folder) {
        return Err(format!(
            "install {}: {} is mounted noexec, so nothing in it can be executed; use another volume",
            dest.display(),
            folder.display()
        ));
    }
    let mut source =
        File::open("/proc/self/exe").map_err(|error| fail("cannot read our own executable for", &error))?;
    let temporary = temporary_name(&folder);
    let copied = copy(&mut source, &folder, &temporary).and_then(|()| fs::rename(&temporary, &target));
    if let Err(error) = copied {
        let _ = fs::remove_file(&temporary);
        let hint = match error.raw_os_error() {
            Some(libc::EROFS) => "; mount the volume without readOnly here",
            Some(libc::EACCES | libc::EPERM) => "; this user may not write there (fsGroup?)",
            Some(libc::ENOSPC | libc::EDQUOT) => "; the volume is full (sizeLimit?)",
            Some(libc::EISDIR) => "; a folder of that name is in the way",
            _ => "",
        };
        return Err(format!("{}{hint}", fail("cannot write into", &error)));
    }
    // The name, too, must survive a crash of the node.
    if let Ok(folder) = open(&folder, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
    {
        let _ = File::from(folder).sync_all();
    }
    Ok(target)
}

/// Of nobody else: two containers that install into one volume at once are both PID 1.
fn temporary_name(folder: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    folder.join(format!(".{NAME}.{}.{now}", std::process::id()))
}

fn copy(source: &mut File, folder: &Path, temporary: &Path) -> io::Result<()> {
    // Not every file system and sandbox has files without a name.
    nameless(source, folder, temporary).or_else(|_| {
        source.rewind()?;
        fill(&mut OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?, source)
    })
}

/// A file that has no name until it is whole leaves nothing behind when we are killed half-way.
fn nameless(source: &mut File, folder: &Path, temporary: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).mode(0o600).custom_flags(libc::O_TMPFILE).open(folder)?;
    fill(&mut file, source)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(AT_FDCWD, path.as_str(), AT_FDCWD, temporary, AtFlags::AT_SYMLINK_FOLLOW)?)
}

fn fill(file: &mut File, source: &mut File) -> io::Result<()> {
    io::copy(source, file)?;
    // Set afterwards, as the umask must not take from it.
    file.set_permissions(fs::Permissions::from_mode(MODE))?;
    file.sync_all()
}
