//! The lock of a group, and the files and locks that all users of a pod can have.

use super::{cannot, read};
use crate::sys::open_regular;
use lastout_core::group::{lock_line, parse_lock_line};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::stat::{Mode, umask};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// The lock file's name.
const FILE: &str = "lastout-group";
/// How long a lock that others hold for microseconds is tried for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Distance of those tries.
const TRY: Duration = Duration::from_millis(5);

/// The lock under which records are written and counted.
pub(super) struct GroupLock(#[expect(dead_code, reason = "held, and released by being dropped")] Flock<File>);

impl GroupLock {
    pub(super) fn take(dir: &Path, size: u32) -> Result<Self, String> {
        let what = match fs::metadata(dir) {
            Ok(entry) if entry.is_dir() => None,
            Ok(_) => Some("it is no folder".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some("there is no such folder".to_owned())
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(what) = what {
            return Err(format!("--group {}: {what}; mount a volume that the mains share", dir.display()));
        }
        let path = dir.join(FILE);
        let lock = patiently(|| try_lock(open_shared(&path, 0o666)?, FlockArg::LockExclusiveNonblock))
            .and_then(|lock| lock.ok_or_else(|| Errno::EWOULDBLOCK.into()))
            .map_err(|error| cannot(&path, &error))?;
        let text = read(&path).map_err(|error| cannot(&path, &error))?;
        if text.is_empty() {
            lock.write_at(lock_line(size).as_bytes(), 0).map_err(|error| cannot(&path, &error))?;
            return Ok(Self(lock));
        }
        match parse_lock_line(&text) {
            Ok(known) if known == size => Ok(Self(lock)),
            Ok(known) => Err(format!(
                "--group-size {size}: the other members of {} say {known}; give all of them the same",
                dir.display()
            )),
            Err(what) => Err(format!("--group {}: {what}", path.display())),
        }
    }
}

/// Opens a file for all users of the pod, and makes it if need be, with this mode whatever the umask: the containers
/// often run as different users. Never O_CREAT on a file that is there: in a sticky folder the kernel refuses that
/// on another user's.
pub(super) fn open_shared(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(mode);
    match open_regular(&options, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let mask = umask(Mode::empty());
    let made = options.clone().create_new(true).open(path);
    umask(mask);
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_regular(&options, path),
        other => other,
    }
}

/// `flock` without waiting. `None`: somebody else holds it.
pub(super) fn try_lock(mut file: File, how: FlockArg) -> io::Result<Option<Flock<File>>> {
    loop {
        match Flock::lock(file, how) {
            Ok(locked) => return Ok(Some(locked)),
            Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
            Err((back, Errno::EINTR)) => file = back,
            Err((_, error)) => return Err(error.into()),
        }
    }
}

/// Tries for what others hold for moments only. `None`: they have held it for too long.
pub(super) fn patiently<T, E>(mut attempt: impl FnMut() -> Result<Option<T>, E>) -> Result<Option<T>, E> {
    let mut waited = Duration::ZERO;
    loop {
        let had = attempt()?;
        if had.is_some() || waited >= PATIENCE {
            return Ok(had);
        }
        crate::sys::pause(TRY);
        waited += TRY;
    }
}
