//! Several containers may run `lastout install` into one volume at once, each as PID 1 of its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use support::{Launch, TempDir, binary};

#[test]
fn installs_at_the_same_time_never_show_half_a_copy_and_leave_nothing_behind() {
    only_ours!();
    let dir = TempDir::new();
    let (copy, whole) = (dir.at("lastout"), fs::read(binary()).unwrap());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let seen = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                let Ok(found) = fs::read(&copy) else { continue };
                assert!(found == whole, "{} of {} bytes are there", found.len(), whole.len());
                assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o7777, 0o555);
                seen += 1;
            }
            seen
        });
        let installs: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..8 {
                        Launch::pid1().options(["install".as_ref(), dir.path().as_os_str()]).run().silent(0);
                    }
                })
            })
            .collect();
        let results: Vec<_> = installs.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        assert!(results.iter().all(Result::is_ok), "an install failed");
        assert!(seen.join().unwrap() > 0);
    });
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lastout"]);
}
