//! A file on a file system that answers nothing (a hung network or FUSE mount): nobody waits for it without a deadline.

#![allow(unsafe_code, reason = "a queue's length and a mount need raw system calls")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use crate::support;

use std::{fs::File, os::fd::AsRawFd as _, time::Instant};
use support::{Launch, TempDir, ms};

/// Runs this in a thread that sees a FUSE mount whose server never answers; it is given the folder. Skips where
/// such a mount cannot be had.
fn beside_a_hung_mount(work: impl FnOnce(&str) + Send) {
    let dir = TempDir::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let path = dir.path().display().to_string();
            let folder = std::ffi::CString::new(path.clone()).unwrap();
            let device = match File::options().read(true).write(true).open("/dev/fuse") {
                Ok(device) => device,
                Err(error) => return support::skip(&format!("/dev/fuse: {error}")),
            };
            let options = std::ffi::CString::new(format!(
                "fd={},rootmode=40000,user_id=0,group_id=0",
                device.as_raw_fd()
            ))
            .unwrap();
            // SAFETY: C strings that live through the calls; the namespace is this thread's, and of what it starts.
            let mounted = unsafe {
                libc::unshare(libc::CLONE_NEWNS | libc::CLONE_FS) == 0
                    && libc::mount(
                        std::ptr::null(),
                        c"/".as_ptr(),
                        std::ptr::null(),
                        libc::MS_REC | libc::MS_PRIVATE,
                        std::ptr::null(),
                    ) == 0
                    && libc::mount(
                        c"hung".as_ptr(),
                        folder.as_ptr(),
                        c"fuse".as_ptr(),
                        0,
                        options.as_ptr().cast(),
                    ) == 0
            };
            if !mounted {
                return support::skip("no FUSE mount can be had here");
            }
            work(&path);
            // The kernel gives up on the mount when its server's descriptor is closed.
            drop(device);
        });
    });
}

#[test]
fn a_stop_signal_ends_the_wait_for_a_hung_file() {
    only_ours!();
    beside_a_hung_mount(|folder| {
        let run = Launch::pid1().sidecar(&format!("x:ready=file:{folder}/ready")).sh("exit 3").start();
        support::eventually("it looks at the file", || {
            support::facts::status_field(run.pid(), "Threads").is_some_and(|count| count.trim() != "1")
        });
        let sent = Instant::now();
        run.signal(libc::SIGTERM);
        let end = run.wait();
        assert_eq!(end.code(), 143, "{}", end.stderr);
        assert!(end.ended - sent < ms(1500), "{:?}", end.ended - sent);
    });
}

#[test]
fn the_wait_timeout_ends_the_wait_for_a_hung_file() {
    only_ours!();
    beside_a_hung_mount(|folder| {
        for (then, code) in [("fail", 124), ("run", 3)] {
            let end = Launch::pid1()
                .sidecar(&format!("x:ready=file:{folder}/ready"))
                .options(["--wait-timeout", "200ms", "--on-wait-timeout", then])
                .sh("exit 3")
                .run();
            assert_eq!(end.code(), code, "{}", end.stderr);
            assert!(end.took() < ms(3000), "{:?}", end.took());
        }
    });
}
