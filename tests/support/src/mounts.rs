//! Mounts of a new namespace.

use std::{ffi::CString, mem, ptr};

/// Mounts a folder over itself, with one flag more. Single-threaded callers only: the mounts are the process's.
pub unsafe fn remount(path: &CString, flag: libc::c_ulong) -> Result<(), String> {
    // SAFETY: `path` is a C string, `stat` a live local.
    unsafe {
        libc::mount(path.as_ptr(), path.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null());
        let mut stat: libc::statvfs = mem::zeroed();
        libc::statvfs(path.as_ptr(), &raw mut stat);
        // Those that the old mount had are locked in a user namespace: name them again (values agree).
        let kept = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC | libc::MS_RDONLY;
        let kept =
            stat.f_flag & kept | if stat.f_flag & libc::ST_RELATIME != 0 { libc::MS_RELATIME } else { 0 };
        let flags = libc::MS_REMOUNT | libc::MS_BIND | kept | flag;
        match libc::mount(ptr::null(), path.as_ptr(), ptr::null(), flags, ptr::null()) {
            0 => Ok(()),
            _ => Err(last("remount")),
        }
    }
}

/// A `/dev` with nothing in it but `null` and, as the kubelet mounts it, this file as `termination-log`.
pub unsafe fn termination_log(file: &CString) -> Result<(), String> {
    // SAFETY: C strings only.
    unsafe {
        let flags = libc::O_PATH | libc::O_CLOEXEC;
        let sources = [libc::open(c"/dev/null".as_ptr(), flags), libc::open(file.as_ptr(), flags)];
        let (tmpfs, dev) = (c"tmpfs".as_ptr(), c"/dev".as_ptr());
        if libc::mount(tmpfs, dev, tmpfs, 0, ptr::null()) != 0 {
            return Err(last("mount /dev"));
        }
        for (fd, target) in sources.into_iter().zip([c"/dev/null", c"/dev/termination-log"]) {
            let source = CString::new(format!("/proc/self/fd/{fd}")).unwrap();
            libc::close(libc::creat(target.as_ptr(), 0o666));
            if libc::mount(source.as_ptr(), target.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null()) != 0 {
                return Err(last("mount into /dev"));
            }
            libc::close(fd);
        }
    }
    Ok(())
}

/// What there is instead of `/dev/tty`.
#[derive(Clone, Copy, Debug)]
pub enum DevTty {
    /// No `/dev` at all.
    Absent,
    /// `/dev/null` in its place, as container engines mask files.
    Masked,
}

impl DevTty {
    pub const ALL: [Self; 2] = [Self::Absent, Self::Masked];

    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Masked => "masked",
        }
    }

    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.name() == name).unwrap()
    }
}

/// Takes `/dev/tty` away from this name space of mounts.
pub unsafe fn dev_tty(state: DevTty) -> Result<(), String> {
    let (source, target, kind, flags) = match state {
        DevTty::Absent => (c"tmpfs", c"/dev", c"tmpfs", 0),
        DevTty::Masked => (c"/dev/null", c"/dev/tty", c"none", libc::MS_BIND),
    };
    // SAFETY: C strings only.
    match unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, ptr::null()) } {
        0 => Ok(()),
        _ => Err(last("mount over /dev/tty")),
    }
}

/// Hides `/proc`.
pub unsafe fn without_proc() -> Result<(), String> {
    let kind = c"tmpfs".as_ptr();
    // SAFETY: C strings only.
    match unsafe { libc::mount(kind, c"/proc".as_ptr(), kind, 0, ptr::null()) } {
        0 => Ok(()),
        _ => Err(last("mount over /proc")),
    }
}

/// What failed, and why.
pub fn last(what: &str) -> String {
    format!("{what}: {}", std::io::Error::last_os_error())
}
