//! The floor for a wrapper in Rust: as `floor.c`, without the standard library's start code.

#![no_main]

use std::ffi::{c_char, c_int};

unsafe extern "C" {
    static environ: *const *const c_char;
    fn fork() -> c_int;
    fn execve(path: *const c_char, args: *const *const c_char, env: *const *const c_char) -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(code: c_int) -> !;
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn main(_count: c_int, args: *const *const c_char) -> c_int {
    unsafe {
        let main_pid = fork();
        if main_pid == 0 {
            let args = args.add(1);
            execve(*args, args, environ);
            _exit(127);
        }
        let mut status = 0;
        loop {
            let pid = waitpid(-1, &raw mut status, 0);
            if pid == main_pid {
                return if status & 0x7f == 0 { status >> 8 & 0xff } else { 128 + (status & 0x7f) };
            }
            if pid < 0 {
                return 1;
            }
        }
    }
}
