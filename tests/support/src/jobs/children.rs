//! Jobs that leave children behind.

use super::say;
use std::{fs, mem, ptr, time::Duration};

/// Leaves `count` orphans behind, a batch at a time, waits until none is a zombie any more, says how many
/// are left, and exits with 7 once its stdin is closed.
pub(super) fn orphans(count: i32, batch: i32) -> i32 {
    let mut made = 0;
    while made < count {
        let now = batch.min(count - made);
        // SAFETY: single-threaded; the child makes its children and leaves.
        unsafe {
            let parent = libc::fork();
            if parent == 0 {
                (0..now).for_each(|_| short_life());
                libc::_exit(0);
            }
            libc::waitpid(parent, ptr::null_mut(), 0);
        }
        made += now;
    }
    let none = crate::until(Duration::from_secs(10), || (zombies() == 0).then_some(()));
    say(1, &format!("made {made}, left {}\n", if none.is_some() { 0 } else { zombies() }));
    let mut byte = 0_u8;
    // SAFETY: one byte of room.
    while unsafe { libc::read(0, (&raw mut byte).cast(), 1) } > 0 {}
    7
}

/// A child that exits at once. It shares our memory and we stand still meanwhile, which makes it ten times
/// as quick as a fork.
unsafe fn short_life() {
    extern "C" fn leave(_: *mut libc::c_void) -> i32 {
        0
    }
    let mut stack = [0_u128; 1024];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack is the child's alone until it is gone, since CLONE_VFORK holds us.
    let pid = unsafe { libc::clone(leave, stack.as_mut_ptr_range().end.cast(), flags, ptr::null_mut()) };
    if pid < 0 {
        say(2, &format!("test harness: clone: {}\n", std::io::Error::last_os_error()));
    }
}

/// How many processes of this namespace are zombies.
fn zombies() -> usize {
    let Ok(list) = fs::read_dir("/proc") else { return usize::MAX };
    let stat = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("stat")).ok();
    list.flatten()
        .filter_map(stat)
        .filter(|s| s.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
        .count()
}

/// Says who adopts an orphan: its new parent's pid.
pub(super) fn adopted() -> i32 {
    // SAFETY: single-threaded forks.
    unsafe {
        let parent = libc::fork();
        if parent != 0 {
            let mut status: i32 = mem::zeroed();
            libc::waitpid(parent, &raw mut status, 0);
            // The orphan speaks for itself; it holds our stdout until it has.
            let mut byte = 0_u8;
            while libc::read(0, (&raw mut byte).cast(), 1) > 0 {}
            return 0;
        }
        let old = libc::getpid();
        if libc::fork() != 0 {
            libc::_exit(0);
        }
        let new = crate::until(Duration::from_secs(5), || {
            let now = libc::getppid();
            (now != old).then_some(now)
        });
        say(1, &format!("adopted by {}\n", new.unwrap_or(0)));
    }
    0
}

/// Has that many children, which all end at the moment when it ends itself, with 7.
pub(super) fn storm(others: usize) -> i32 {
    extern "C" fn wait_for_the_end(pipe: *mut libc::c_void) -> i32 {
        let (pipe, mut byte) = (pipe.cast::<i32>(), 0_u8);
        // SAFETY: the two descriptors live as long as the parent's memory, which we share.
        unsafe {
            libc::close(*pipe.add(1));
            libc::read(*pipe, (&raw mut byte).cast(), 1);
            libc::syscall(libc::SYS_exit, 0);
        }
        0
    }
    const STACK: usize = 256;
    let mut pipe = [0_i32; 2];
    let mut stacks = vec![[0_u128; STACK]; others];
    // SAFETY: every child has a stack of its own, in memory that stays until the last of them has gone.
    unsafe {
        libc::pipe(pipe.as_mut_ptr());
        for stack in &mut stacks {
            let flags = libc::CLONE_VM | libc::SIGCHLD;
            let top = stack.as_mut_ptr_range().end.cast();
            if libc::clone(wait_for_the_end, top, flags, pipe.as_mut_ptr().cast()) < 0 {
                say(2, &format!("test harness: clone: {}\n", std::io::Error::last_os_error()));
                return 70;
            }
        }
        // Our end closes the pipe, for whoever has not closed its own copy, too.
        libc::close(pipe[1]);
        libc::_exit(7)
    }
}
