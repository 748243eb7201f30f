//! The program `lastout`: everything is in the library.
//!
//! Without Rust's start code, which would set SIGPIPE to ignored, open `/dev/null` on closed descriptors (main
//! would inherit both), and let the signals of a dozen system calls' time get lost before they are blocked.

#![no_main]

use std::ffi::{c_char, c_int};

/// # Safety
/// Called by the C library, once, with the arguments of the process.
#[expect(unsafe_code, reason = "the symbol that the C library's start code calls")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn main(_count: c_int, args: *const *const c_char) -> c_int {
    // SAFETY: these are the arguments that the C library passed.
    unsafe { lastout::start(args) }
}
