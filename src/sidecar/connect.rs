//! A connection to a sidecar: loopback or a unix socket, never blocking, every wait bounded and cancelled by
//! the cancellation. Literal addresses only: no resolver, no proxy, and none of our descriptors is ever inherited.

use super::found::Candidates;
use super::task::Task;
use crate::threads::cancellation::{Cancellation, Woken};
use lastout_core::spec::Address;
use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike, SockaddrStorage,
    UnixAddr, connect, getpeername, getsockname, getsockopt, recv, send, socket, sockopt,
};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long the first try of a candidate may take; each round of tries doubles it.
const FIRST_TRY: Duration = Duration::from_millis(20);

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// Nobody listens at any of the addresses.
    Refused,
    /// No answer in time: neither accepted nor refused.
    Silent,
    /// Something else, in words.
    Failed(String),
    /// The worker was told to give up.
    Cancelled,
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    fd: OwnedFd,
    at: Option<SocketAddr>,
}

/// Why reading or writing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoEnd {
    /// The deadline has passed.
    Late,
    /// The worker was told to give up.
    Cancelled,
    /// The kernel said so.
    Failed(Errno),
}

impl Connection {
    /// Connects to the first candidate that accepts. One that does not answer at once is left and tried again after
    /// the others: on loopback only a full queue, or something that drops packets, is silent, and the kernel would
    /// repeat the SYN only after a second.
    ///
    /// # Errors
    /// [`ConnectError::Refused`] only when every candidate refuses, but for those whose silence does not count.
    pub fn open(
        task: &Task,
        address: &Address,
        candidates: &Candidates,
        deadline: Instant,
    ) -> Result<Self, ConnectError> {
        let cancellation: &Cancellation = &task.cancellation;
        if let Address::Unix(path) = address {
            return Self::connect_unix(task, path, deadline);
        }
        let mut patience = FIRST_TRY;
        loop {
            let until = deadline.min(Instant::now() + patience);
            let mut failed = ConnectError::Refused;
            let mut silent = false;
            for (candidate, counts) in &candidates.list {
                let at = Some(*candidate);
                let connection = match candidate {
                    SocketAddr::V4(v4) => {
                        Self::connect(AddressFamily::Inet, &SockaddrIn::from(*v4), at, cancellation, until)
                    }
                    SocketAddr::V6(v6) => {
                        Self::connect(AddressFamily::Inet6, &SockaddrIn6::from(*v6), at, cancellation, until)
                    }
                };
                match connection {
                    Err(ConnectError::Refused) => {}
                    Err(ConnectError::Silent) => silent |= *counts,
                    Err(ConnectError::Failed(what)) => failed = ConnectError::Failed(what),
                    result @ (Ok(_) | Err(ConnectError::Cancelled)) => return result,
                }
            }
            if !silent {
                return Err(failed);
            }
            if Instant::now() >= deadline {
                return Err(ConnectError::Silent);
            }
            patience *= 2;
        }
    }

    /// One that is open already, and does not block.
    #[cfg(fuzzing)]
    pub fn over(fd: OwnedFd) -> Self {
        Self { fd, at: None }
    }

    /// The candidate that it goes to; a unix socket has none.
    pub fn at(&self) -> Option<SocketAddr> {
        self.at
    }

    /// Never pending: it connects, or is refused, or its file system does not answer.
    fn connect_unix(task: &Task, path: &[u8], deadline: Instant) -> Result<Self, ConnectError> {
        let path = path.to_vec();
        let work = move || {
            let address = unix_address(&path)?;
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
            connect(fd.as_raw_fd(), &address).map(|()| fd)
        };
        match task.aside(deadline, work) {
            Ok(Ok(fd)) => Ok(Self { fd, at: None }),
            Ok(Err(error)) => Err(connect_error(error)),
            Err(Woken::Cancelled) => Err(ConnectError::Cancelled),
            Err(Woken::Ready | Woken::Late | Woken::Expedited) => Err(ConnectError::Silent),
        }
    }

    fn connect(
        family: AddressFamily,
        address: &impl SockaddrLike,
        at: Option<SocketAddr>,
        cancellation: &Cancellation,
        deadline: Instant,
    ) -> Result<Self, ConnectError> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(family, SockType::Stream, flags, None).map_err(connect_error)?;
        match connect(fd.as_raw_fd(), address) {
            Ok(()) => {}
            Err(Errno::EINPROGRESS) => {
                match cancellation.wait_for(fd.as_fd(), PollFlags::POLLOUT, deadline) {
                    Woken::Ready | Woken::Expedited => {}
                    Woken::Late => return Err(ConnectError::Silent),
                    Woken::Cancelled => return Err(ConnectError::Cancelled),
                }
                match getsockopt(&fd, sockopt::SocketError).map_or_else(|error| error, Errno::from_raw) {
                    Errno::UnknownErrno => {}
                    error => return Err(connect_error(error)),
                }
            }
            Err(error) => return Err(connect_error(error)),
        }
        let connection = Self { fd, at };
        if connection.is_to_itself() { Err(ConnectError::Refused) } else { Ok(connection) }
    }

    /// A connect to a closed port of the ephemeral range can meet itself; nobody listens there.
    fn is_to_itself(&self) -> bool {
        let fd = self.fd.as_raw_fd();
        let (own, peer) = (getsockname::<SockaddrStorage>(fd), getpeername::<SockaddrStorage>(fd));
        let is_tcp = |address: &SockaddrStorage| address.family() != Some(AddressFamily::Unix);
        own.is_ok_and(|own| is_tcp(&own) && peer == Ok(own))
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// With how much of it was written before.
    pub fn write(
        &self,
        bytes: &[u8],
        cancellation: &Cancellation,
        deadline: Instant,
    ) -> Result<(), (usize, IoEnd)> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match send(self.fd.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL) {
                Ok(count) => written += count,
                Err(Errno::EAGAIN) => {
                    self.wait(PollFlags::POLLOUT, cancellation, deadline).map_err(|end| (written, end))?;
                }
                Err(Errno::EINTR) => {}
                Err(error) => return Err((written, IoEnd::Failed(error))),
            }
        }
        Ok(())
    }

    /// Reads what comes next; 0 is the end of the stream.
    ///
    /// # Errors
    /// When nothing came.
    pub fn read(
        &self,
        buffer: &mut [u8],
        cancellation: &Cancellation,
        deadline: Instant,
    ) -> Result<usize, IoEnd> {
        loop {
            match recv(self.fd.as_raw_fd(), buffer, MsgFlags::empty()) {
                Ok(_) if cancellation.is_cancelled() => return Err(IoEnd::Cancelled),
                Ok(count) if Instant::now() < deadline => return Ok(count),
                Ok(_) => return Err(IoEnd::Late),
                Err(Errno::EAGAIN) => self.wait(PollFlags::POLLIN, cancellation, deadline)?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(IoEnd::Failed(error)),
            }
        }
    }

    fn wait(&self, flags: PollFlags, cancellation: &Cancellation, deadline: Instant) -> Result<(), IoEnd> {
        match cancellation.wait_for(self.fd.as_fd(), flags, deadline) {
            Woken::Ready | Woken::Expedited => Ok(()),
            Woken::Late => Err(IoEnd::Late),
            Woken::Cancelled => Err(IoEnd::Cancelled),
        }
    }
}

/// The address of a socket in the file system, or, where the name begins with a NUL, of an abstract one.
fn unix_address(path: &[u8]) -> Result<UnixAddr, Errno> {
    match path.split_first() {
        Some((0, name)) => UnixAddr::new_abstract(name),
        _ => UnixAddr::new(path),
    }
}

/// Nobody there, or an address family that this kernel or this pod has not: both are "refused".
fn connect_error(error: Errno) -> ConnectError {
    match error {
        Errno::ECONNREFUSED
        | Errno::ENOENT
        | Errno::EADDRNOTAVAIL
        | Errno::EAFNOSUPPORT
        | Errno::ENETUNREACH => ConnectError::Refused,
        // A unix socket whose backlog is full.
        Errno::EAGAIN => ConnectError::Failed("too busy to accept".to_owned()),
        other => ConnectError::Failed(other.desc().to_lowercase()),
    }
}
