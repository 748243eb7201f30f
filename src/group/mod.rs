//! The group of mains that share sidecars: a folder, one file a member, kernel locks. What the files say is
//! `lastout_core::group`'s business.
//!
//! - A member holds an exclusive `flock` on its own file for as long as it lives; the kernel releases it
//!   whatever kills the member. Records are written in place: a rename would lose the lock.
//! - The group's lock makes "I am out; who else is?" one step, so that of two that leave at the same
//!   instant exactly one is the last.

mod lock;
mod watch;

pub use watch::{Mains, Watch};

use crate::sys::open_regular;
use lastout_core::group::{Record, State};
use lastout_core::outcome::{Outcome, StopOn};
use lastout_core::settings::Group;
use lock::{GroupLock, open_shared, patiently, try_lock};
use nix::fcntl::{Flock, FlockArg};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a member's file name begins with.
const MEMBER: &str = "lastout-member-";
/// Bytes of a file that are read at most.
const RECORD_LIMIT: u64 = 64 * 1024;

/// Our own place in the group.
#[derive(Debug)]
pub struct Membership {
    dir: PathBuf,
    file: Flock<File>,
    record: Record,
    /// How long we wait for others that never came; `None`: for ever.
    patience: Option<Duration>,
}

impl Membership {
    /// Registers: from here on the others count with us.
    ///
    /// # Errors
    /// One line: the folder cannot be used, the name is taken, or the others say otherwise.
    pub fn register(group: &Group, policy: &StopOn) -> Result<Self, String> {
        let dir = dir_of(group)?;
        // The lock may be a guard's, who is looking for a moment. The lock is free between the tries: that somebody has
        // misspelt a name is no trouble of the others.
        patiently(|| Self::try_to_register(&dir, group, policy))?
            .ok_or_else(|| taken("another live member", group, &dir))
    }

    /// `None`: somebody holds the lock of our file.
    fn try_to_register(dir: &Path, group: &Group, policy: &StopOn) -> Result<Option<Self>, String> {
        let name = group.name.as_deref().unwrap_or_default();
        let _lock = GroupLock::take(dir, group.size)?;
        let path = dir.join(format!("{MEMBER}{name}"));
        let others = members(dir)?.into_iter().filter(|member| *member != path).count();
        if others >= usize::try_from(group.size).unwrap_or(usize::MAX) {
            return Err(format!(
                "--group-name {name}: {} has {others} other members already, and --group-size is {}",
                dir.display(),
                group.size
            ));
        }
        let file = open_shared(&path, 0o644).map_err(|error| match error.raw_os_error() {
            Some(libc::EACCES) if path.exists() => taken("another user's member", group, dir),
            _ => cannot(&path, &error),
        })?;
        let locked =
            try_lock(file, FlockArg::LockExclusiveNonblock).map_err(|error| cannot(&path, &error))?;
        let Some(file) = locked else { return Ok(None) };
        let record =
            Record { size: group.size, policy: policy.clone(), state: State::Running, stopped: Vec::new() };
        let membership = Self { dir: dir.to_owned(), file, record, patience: group.wait };
        // What an earlier life wrote is covered, and only then its longer rest cut off: no moment without a record.
        let written = membership.write().and_then(|length| membership.file.set_len(length));
        written.map_err(|error| cannot(&path, &error))?;
        Ok(Some(membership))
    }

    /// The descriptor that must stay open for us to be a member.
    pub fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Puts our verdict on record and says whether we are the last one out. `now`: since our start.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn leave(&mut self, outcome: Outcome, now: Duration) -> Result<bool, String> {
        let lock = GroupLock::take(&self.dir, self.record.size);
        self.record.state = State::Left(outcome.code());
        // Without the lock as well: we cannot count then, but are not to be counted as killed.
        self.write().map_err(|error| cannot(&self.dir, &error))?;
        let _lock = lock?;
        let waited = self.patience.is_some_and(|patience| now >= patience);
        let census = Census::take(&self.dir, self.record.size, waited)?;
        Ok(census.all_out())
    }

    /// Puts on record that this sidecar is stopped, or on its way out, so that no guard asks it again.
    pub fn note_stopped(&mut self, name: &str) {
        self.record.stopped.push(name.to_owned());
        // A guard then asks once more, and that is all.
        let _ = self.write();
    }

    /// Writes the record over the earlier one, at once; its length.
    fn write(&self) -> io::Result<u64> {
        let text = self.record.to_string();
        match self.file.write_at(text.as_bytes(), 0)? {
            count if count == text.len() => u64::try_from(count).map_err(io::Error::other),
            _ => Err(io::Error::from(io::ErrorKind::WriteZero)),
        }
    }
}

/// Who is in and who is out.
#[derive(Debug)]
struct Census {
    size: usize,
    /// How many have ever registered.
    known: usize,
    out: usize,
    /// Members whose process is there, main or not, and whose lock can be waited for.
    alive: Vec<PathBuf>,
    /// The sidecars that somebody has stopped.
    stopped: Vec<String>,
}

impl Census {
    /// Reads every member's record. `count_out_strangers`: who has not registered by now never will.
    fn take(dir: &Path, size: u32, count_out_strangers: bool) -> Result<Self, String> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let mut census = Self { size, known: 0, out: 0, alive: Vec::new(), stopped: Vec::new() };
        for path in members(dir)? {
            // Shared, so that those who look do not see each other. Released at once.
            let looked = open_to_read(&path).and_then(|file| try_lock(file, FlockArg::LockSharedNonblock));
            let alive = looked.map_err(|error| cannot(&path, &error))?.is_none();
            let text = read(&path).map_err(|error| cannot(&path, &error))?;
            if text.is_empty() {
                // Killed, or out of disk space, as it registered: it has not.
                continue;
            }
            let record = Record::parse(&text).map_err(|what| format!("{}: {what}", path.display()))?;
            census.known += 1;
            census.stopped.extend_from_slice(&record.stopped);
            census.out += usize::from(record.is_out(alive));
            if alive {
                census.alive.push(path);
            }
        }
        if count_out_strangers {
            census.size = census.size.min(census.known);
        }
        Ok(census)
    }

    fn all_out(&self) -> bool {
        self.out >= self.size
    }
}

/// The folder, whatever becomes of our working directory.
fn dir_of(group: &Group) -> Result<PathBuf, String> {
    let dir = Path::new(OsStr::from_bytes(&group.dir));
    std::path::absolute(dir).map_err(|error| format!("--group {}: {error}", dir.display()))
}

/// The members' files, whoever has registered.
fn members(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(dir).map_err(|error| cannot(dir, &error))?;
    let files = entries.flatten().filter(|entry| entry.file_name().as_bytes().starts_with(MEMBER.as_bytes()));
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    files.sort_unstable();
    Ok(files)
}

/// The name is taken, by whom.
fn taken(whose: &str, group: &Group, dir: &Path) -> String {
    let name = group.name.as_deref().unwrap_or_default();
    format!("--group-name {name}: {whose} of {} has that name; give each main its own", dir.display())
}

fn open_to_read(path: &Path) -> io::Result<File> {
    open_regular(OpenOptions::new().read(true), path)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open_to_read(path)?.take(RECORD_LIMIT).read_to_string(&mut text)?;
    Ok(text)
}

fn cannot(path: &Path, error: &io::Error) -> String {
    let hint = match error.raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => "; this user may not write there (fsGroup?)",
        Some(libc::EROFS) => "; mount the volume without readOnly",
        Some(libc::EWOULDBLOCK) => "; another process holds its lock",
        _ => "",
    };
    format!("--group: {}: {error}{hint}", path.display())
}
