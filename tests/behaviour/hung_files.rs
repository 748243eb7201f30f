//! A file on a file system that answers nothing (a hung network or FUSE mount): nobody waits for it without a deadline.

#![allow(unsafe_code, reason = "a queue's length and a mount need raw system calls")]

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

/// Each beside a hung mount, at which FOLDER is put in; its end, and how long after main's end or the signal that came.
#[test]
fn nothing_that_is_looked_at_asked_or_written_on_a_hung_mount_holds_a_run_up_and_each_is_told() {
    only_ours!();
    let quick: &[&str] = &["--stop-timeout", "1s"];
    for (spec, options, code, words) in [
        ("x:socket=FOLDER/s,ready=/r,quit=/q", &["--wait-timeout", "300ms"][..], 124, "x is not ready"),
        ("x:ready=unix:FOLDER/s,quit=none", &["--wait-timeout", "300ms"], 124, "x is not ready"),
        ("x?:ready=file:FOLDER/r,quit=none", &["--absent-after", "300ms"], 3, ""),
        ("x:ready=none,quit=file:FOLDER/q", quick, 3, "x: cannot be asked to end"),
        ("x:ready=none,quit=file:DIR/q,gone=file:FOLDER/g", quick, 3, "x: is still there"),
        ("x:ready=none,quit=none", &["--report", "FOLDER/report"], 3, "--report"),
    ] {
        beside_a_hung_mount(|folder| {
            let dir = TempDir::new();
            let put_in =
                |text: &str| text.replace("FOLDER", folder).replace("DIR", &dir.path().display().to_string());
            let launch = Launch::pid1().sidecar(&put_in(spec)).options(["--stop-timeout", "1s"]);
            let end = launch.options(options.iter().map(|word| put_in(word))).sh("exit 3").run();
            assert_eq!(end.code(), code, "{spec}: {}", end.stderr);
            assert!(
                end.stderr.contains(words) && end.took() < ms(8000),
                "{spec}: {:?} {}",
                end.took(),
                end.stderr
            );
            assert_eq!(end.stderr.is_empty(), words.is_empty(), "{spec}: {}", end.stderr);
        });
    }
}

#[test]
fn a_stop_signal_makes_the_stop_beside_a_hung_mount_a_matter_of_a_second() {
    only_ours!();
    for spec in ["x:ready=none,quit=file:DIR/q,gone=file:FOLDER/g", "x:socket=FOLDER/s,quit=/q,ready=none"] {
        beside_a_hung_mount(|folder| {
            let dir = TempDir::new();
            let spec = spec.replace("FOLDER", folder).replace("DIR", &dir.path().display().to_string());
            let run = Launch::pid1().sidecar(&spec).sh("exit 3").start();
            support::eventually("it stops", || {
                support::facts::status_field(run.pid(), "Threads").is_some_and(|count| count.trim() != "1")
            });
            let sent = Instant::now();
            run.signal(libc::SIGTERM);
            let end = run.wait();
            assert!([3, 143].contains(&end.code()), "{}", end.stderr);
            assert!(end.ended - sent < ms(6000), "{spec}: {:?}", end.ended - sent);
        });
    }
}

#[test]
fn an_env_file_on_a_hung_mount_is_125() {
    only_ours!();
    beside_a_hung_mount(|folder| {
        let end = Launch::pid1().options(["--env-file", &format!("{folder}/env")]).sh("exit 3").run();
        end.one_line(125, &["--env-file", "does not answer"]);
    });
}
