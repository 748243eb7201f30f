//! The only place with `unsafe`: one wrapper for each raw call, for what nix lacks or gets wrong.

#![expect(unsafe_code, reason = "this is the one address of it")]

mod children;
mod files;
mod memory;
mod signals;
mod spawn;

pub use children::{Change, next_change, no_usage};
pub use files::{
    close_from, create_file, is_open, occupy_lowest_descriptor, open_regular, standard_descriptors,
};
pub use memory::give_back_pages;
pub use signals::{
    Received, SignalMask, ThreadSignals, block_all_signals, die_of, kill, set_parent_death_signal, stop_self,
    thread_id, wait_signal, wake,
};
pub use spawn::{ExecArgs, PID_VARIABLES, spawn};

use std::ffi::{CStr, c_char, c_int, c_long};
use std::io;
use std::time::Duration;

/// `environ`: every entry as it is, odd ones included.
pub fn environment() -> Vec<&'static CStr> {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: nobody in this program changes the environment, so that it is what the kernel put there.
    unsafe { c_strings(environ) }
}

/// The arguments that `main` got, its own name first.
///
/// # Safety
/// `args` must be what the C library passes to `main`.
pub unsafe fn arguments(args: *const *const c_char) -> Vec<&'static CStr> {
    // SAFETY: a null-terminated list of C strings that live as long as the process.
    unsafe { c_strings(args) }
}

/// # Safety
/// `list` must be null, or a null-terminated list of C strings that live, unchanged, as long as the process.
unsafe fn c_strings(list: *const *const c_char) -> Vec<&'static CStr> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the null that ends the list is not passed.
    let count = (0..).take_while(|&index| unsafe { !(*list.add(index)).is_null() }).count();
    // SAFETY: each is a C string that lives as long as the process.
    (0..count).map(|index| unsafe { CStr::from_ptr(*list.add(index)) }).collect()
}

/// `nanosleep`, for the few milliseconds before a retry: signals have to wait meanwhile.
pub fn pause(time: Duration) {
    let time = libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(0),
        tv_nsec: c_long::from(time.subsec_nanos().cast_signed()),
    };
    // SAFETY: the request lives until the call returns; the rest is not asked for.
    unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
}

/// Time since a moment. By the system call and not by the kernel's page of code: reading that page costs two page
/// faults, and a run without sidecars asks four times.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Duration);

impl Clock {
    /// Begins now.
    pub fn start() -> Self {
        Self(monotonic())
    }

    /// How long it has been running.
    pub fn elapsed(self) -> Duration {
        monotonic().saturating_sub(self.0)
    }
}

/// `clock_gettime(CLOCK_MONOTONIC)`.
fn monotonic() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to `time` only.
    unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, &raw mut time) };
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// `_exit`: no destructors, no atexit; what is to be written has been written.
pub fn exit(code: u8) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code.into()) }
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
