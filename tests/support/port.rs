//! A port on loopback that is ours whether it listens or refuses, so that parallel tests and outgoing
//! connections never take it while "nothing listens there".
//!
//! A socket that is bound but not listening refuses connections. `shutdown` takes a listening socket back
//! to that state and keeps the port, as long as it was bound by number (`SOCK_BINDPORT_LOCK`): so the
//! number is chosen here, below the ephemeral range. `SO_REUSEADDR` is set after the bind: the bind is
//! exclusive, and a later `listen` does not trip over connections in TIME_WAIT.

use std::{
    mem,
    net::TcpStream,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// A port of 127.0.0.1; refuses until told to listen.
pub struct Port {
    fd: OwnedFd,
    number: u16,
    listening: Mutex<bool>,
}

impl Port {
    pub fn reserve() -> Self {
        loop {
            let number = candidate();
            if let Some(fd) = bind(number) {
                return Self { fd, number, listening: Mutex::new(false) };
            }
        }
    }

    /// A number that was free a moment ago, for a program that binds it by itself.
    pub fn free() -> u16 {
        Self::reserve().number
    }

    pub fn number(&self) -> u16 {
        self.number
    }

    pub fn listen(&self) {
        let mut listening = self.listening.lock().unwrap();
        // SAFETY: a socket of ours.
        let done = unsafe { libc::listen(self.fd.as_raw_fd(), 128) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
        *listening = true;
    }

    /// Refuses from now on; connections that nobody accepted are reset.
    pub fn refuse(&self) {
        let mut listening = self.listening.lock().unwrap();
        if mem::take(&mut *listening) {
            // SAFETY: a socket of ours.
            assert_eq!(unsafe { libc::shutdown(self.fd.as_raw_fd(), libc::SHUT_RDWR) }, 0);
        }
    }

    /// The next connection, if one comes within `limit` while it listens.
    pub fn accept(&self, limit: Duration) -> Option<TcpStream> {
        if !*self.listening.lock().unwrap() {
            super::pause(limit);
            return None;
        }
        let mut poll = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let ms = i32::try_from(limit.as_millis()).unwrap();
        // SAFETY: one pollfd; the socket does not block, so that a `refuse` in between only means an error.
        unsafe {
            if libc::poll(&raw mut poll, 1, ms) != 1 {
                return None;
            }
            let fd = libc::accept4(
                self.fd.as_raw_fd(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                libc::SOCK_CLOEXEC,
            );
            (fd >= 0).then(|| TcpStream::from_raw_fd(fd))
        }
    }
}

/// Spread over processes that run at the same time; 12 000 numbers below the ephemeral range.
fn candidate() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let spread = std::process::id().wrapping_mul(2_654_435_761).wrapping_add(n.wrapping_mul(7));
    20_000 + u16::try_from(spread % 12_000).unwrap()
}

fn bind(number: u16) -> Option<OwnedFd> {
    // SAFETY: a fresh socket and an address of the right size.
    unsafe {
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        let fd = libc::socket(libc::AF_INET, kind, 0);
        assert!(fd >= 0, "{}", std::io::Error::last_os_error());
        let fd = OwnedFd::from_raw_fd(fd);
        let mut address: libc::sockaddr_in = mem::zeroed();
        address.sin_family = libc::AF_INET.try_into().unwrap();
        address.sin_port = number.to_be();
        address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        let size = mem::size_of::<libc::sockaddr_in>().try_into().unwrap();
        if libc::bind(fd.as_raw_fd(), (&raw const address).cast(), size) != 0 {
            return None;
        }
        let (on, size) = (1, mem::size_of::<libc::c_int>().try_into().unwrap());
        libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, (&raw const on).cast(), size);
        Some(fd)
    }
}
