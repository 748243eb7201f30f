//! A port on loopback that is ours whether it listens or refuses, so that parallel tests and outgoing
//! connections never take it while "nothing listens there".
//!
//! A socket that is bound but not listening refuses connections. `shutdown` takes a listening socket back
//! to that state and keeps the port, as long as it was bound by number (`SOCK_BINDPORT_LOCK`): so the
//! number is chosen here, below the ephemeral range. `SO_REUSEADDR` is set after the bind: the bind is
//! exclusive, and a later `listen` does not trip over connections in TIME_WAIT.

use nix::sys::socket::{
    self, AddressFamily, SockFlag, SockType, SockaddrStorage, setsockopt, sockopt::ReuseAddr,
};
use std::{
    mem,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// A port that refuses until told to listen.
pub struct Port {
    fd: OwnedFd,
    number: u16,
    listening: Mutex<bool>,
}

impl Port {
    /// One of 127.0.0.1 that nobody else has.
    pub fn reserve() -> Self {
        loop {
            let number = candidate();
            let fd = open(AddressFamily::Inet);
            if bind(&fd, (Ipv4Addr::LOCALHOST, number).into()).is_ok() {
                setsockopt(&fd, ReuseAddr, &true).unwrap();
                return Self { fd, number, listening: Mutex::new(false) };
            }
        }
    }

    /// This one, for a test that has the network to itself: what an earlier test left in TIME_WAIT is no obstacle.
    pub fn at(address: SocketAddr) -> Self {
        let fd = open(if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 });
        setsockopt(&fd, ReuseAddr, &true).unwrap();
        bind(&fd, address).unwrap_or_else(|e| panic!("{address}: {e}"));
        Self { fd, number: address.port(), listening: Mutex::new(false) }
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

fn open(family: AddressFamily) -> OwnedFd {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket::socket(family, SockType::Stream, flags, None).unwrap()
}

fn bind(fd: &OwnedFd, address: SocketAddr) -> nix::Result<()> {
    socket::bind(fd.as_raw_fd(), &SockaddrStorage::from(address))
}
