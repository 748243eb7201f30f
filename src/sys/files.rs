//! Descriptors, and files that are opened without being waited for.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a file for writing, made or emptied. A FIFO that nobody reads is an error, and no reason to wait.
pub fn create_file(path: &[u8]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).custom_flags(libc::O_NONBLOCK);
    options.open(OsStr::from_bytes(path))
}

/// Opens a regular file: a FIFO of that name would be waited for without end.
pub fn open_regular(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.clone().custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
}

/// Closes every descriptor from `first` on but those that are kept, by `close_range`, or one by one where that
/// is refused.
pub fn close_from(first: RawFd, keep: &[RawFd]) -> io::Result<()> {
    let mut keep: Vec<RawFd> = keep.iter().copied().filter(|fd| *fd >= first).collect();
    keep.sort_unstable();
    let mut from = first;
    for fd in keep {
        close_range(from, fd - 1)?;
        from = fd + 1;
    }
    close_range(from, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: takes integers only; the caller uses nothing that is open in that range.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        return Ok(());
    }
    // Linux before 5.9, gVisor, seccomp. The list first, and its folder closed: std panics when it finds that
    // somebody else has closed it.
    let name =
        |entry: std::fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok());
    let open: Vec<RawFd> = std::fs::read_dir("/proc/self/fd")?.flatten().filter_map(name).collect();
    for fd in open.into_iter().filter(|fd| (first..=last).contains(fd)) {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

/// `fcntl(F_GETFD)`: true when this descriptor is open.
pub fn is_open(fd: RawFd) -> bool {
    // SAFETY: takes integers only.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// `open("/dev/null", O_RDWR | O_CLOEXEC)` on the lowest free descriptor, which stays open.
pub fn occupy_lowest_descriptor() {
    // SAFETY: a C string; a failure leaves things as they were.
    unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
}

/// Those of the three standard descriptors that are open.
pub fn standard_descriptors() -> Vec<BorrowedFd<'static>> {
    // SAFETY: open now, and nobody here closes them.
    (0..3).filter(|fd| is_open(*fd)).map(|fd| unsafe { BorrowedFd::borrow_raw(fd) }).collect()
}
