//! Signals by the kernel's own calls: libc's refuse the real-time signals that it keeps for itself.

use std::ptr;

/// The bit of a signal in the kernel's mask.
pub fn bit(signal: i32) -> u64 {
    if (1..=64).contains(&signal) { 1 << (signal - 1) } else { 0 }
}

/// Blocks exactly these.
pub fn set_mask(mask: u64) {
    // SAFETY: a mask of the kernel's size, 8 bytes.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, ptr::null::<u64>(), 8)
    };
}

/// Default or ignored, by the raw call. Handler, flags, (restorer,) mask: zero but for SIG_IGN = 1.
pub fn disposition(signal: i32, ignore: bool) {
    let action: [u64; 4] = [u64::from(ignore), 0, 0, 0];
    // SAFETY: no less than the kernel's `struct sigaction`, with no handler in it.
    unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), ptr::null::<u64>(), 8) };
}
