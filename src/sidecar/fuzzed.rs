//! One exchange with a sidecar that the fuzz target plays.

use super::connect::Connection;
use super::found::Found;
pub use super::http::{Answer, Failure, HEAD_LIMIT};
use super::http::{Written, exchange};
use super::task::Task;
use crate::output::log::Log;
use crate::sys::Clock;
use crate::threads::cancellation::Cancellation;
use lastout_core::settings::LogLevel;
use lastout_core::spec::{Quit, Spec};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, recv, send, shutdown, socketpair,
};
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sends this sidecar's quit request. Gives what is made of an answer that comes in these pieces, each of which comes in one
/// read, and the bytes of the request.
///
/// # Errors
/// When the kernel has no sockets for it, or the pieces do not fit into one, or the sidecar is stopped otherwise.
pub fn ask(spec: &Arc<Spec>, pieces: &[&[u8]]) -> io::Result<(Result<Answer, Failure>, Vec<u8>)> {
    let Quit::Http(request) = &spec.quit else { return Err(io::Error::other("it is not asked by HTTP")) };
    // It keeps the bounds between pieces, and ends as a stream does.
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    for piece in pieces {
        send(theirs.as_raw_fd(), piece, MsgFlags::MSG_NOSIGNAL)?;
    }
    shutdown(theirs.as_raw_fd(), Shutdown::Write)?;
    let log = Log::new(LogLevel::Error, false);
    let cancellation = Arc::new(Cancellation::new()?);
    let task = Task::new(spec.clone(), Arc::new(Found::default()), cancellation, Clock::start(), log);
    // All that comes is there already: nothing is waited for.
    let timeout = Duration::from_secs(10);
    let times = (timeout, Instant::now() + timeout);
    let result = exchange(&task, request, Connection::over(ours), times, Written::default());
    let mut sent = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match recv(theirs.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(0) => return Ok((result, sent)),
            // The client closed with a part of the answer unread: recv reports that once, before the bytes of the request.
            Err(Errno::ECONNRESET) => {}
            Ok(count) => sent.extend(buffer.iter().take(count)),
            Err(error) => return Err(error.into()),
        }
    }
}
