//! A kernel that refuses some system calls: a seccomp filter, as container runtimes and gVisor have it.

/// A call by number and the errno that it is answered with.
pub type Refusal = (u32, u32);

/// Installs the filter; it holds over `execve`, for all descendants.
///
/// # Safety
/// For a single-threaded process that is about to execute.
pub unsafe fn install(refusals: &[Refusal]) {
    if refusals.is_empty() {
        return;
    }
    // The number is the first word of what a filter sees. Tests run on one architecture at a time.
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let mut program = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0)];
    for &(call, errno) in refusals {
        program.push(step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, call));
        program.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | errno));
    }
    program.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW));
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program outlives the call. Not by `prctl`, which an earlier rule may refuse.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let answer = libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const filter);
        if answer != 0 {
            super::jobs::say(2, "test harness: no seccomp filter\n");
            libc::_exit(70);
        }
    }
}
