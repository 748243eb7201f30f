//! A network of the test's own, so that known sidecars can be tried by their names alone, on their default ports.

use std::mem;
use std::sync::{Mutex, PoisonError};

/// Runs this in a thread that sees only a loopback of its own, with everything that the thread starts. An
/// ordinary user cannot have one: then one test after the other, in the common network.
pub fn own_network<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static COMMON: Mutex<()> = Mutex::new(());
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            // SAFETY: plain integers; the namespace is this thread's, and of what it starts.
            let own = unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0;
            if own {
                // SAFETY: as above.
                unsafe { loopback_up() };
                return work();
            }
            let _alone = COMMON.lock().unwrap_or_else(PoisonError::into_inner);
            work()
        });
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Brings `lo` up in a new network namespace.
pub(crate) unsafe fn loopback_up() {
    // SAFETY: `request` is what SIOCSIFFLAGS reads.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        let mut request: libc::ifreq = mem::zeroed();
        request.ifr_name[0] = b'l'.cast_signed() as _;
        request.ifr_name[1] = b'o'.cast_signed() as _;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING).try_into().unwrap();
        libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request);
        libc::close(socket);
    }
}
