//! The client: one request over loopback or a unix socket, the whole answer.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// An answer as it came; the body still in its chunks, if it is in any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

const LIMIT: Duration = Duration::from_secs(1);

/// Asks a port on loopback; `None` when it refuses, or says nothing within a second.
pub fn ask(port: u16, method: &str, path: &str) -> Option<Answer> {
    let stream = TcpStream::connect_timeout(&loopback(port), LIMIT).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    talk(stream, method, path)
}

/// The same, of which the status is enough.
pub fn status(port: u16, method: &str, path: &str) -> Option<u16> {
    Some(ask(port, method, path)?.status)
}

/// Asks a unix socket.
pub fn ask_unix(at: &Path, method: &str, path: &str) -> Option<Answer> {
    let stream = UnixStream::connect(at).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    talk(stream, method, path)
}

/// True when nothing accepts connections there.
pub fn refuses(port: u16) -> bool {
    TcpStream::connect_timeout(&loopback(port), LIMIT).is_err()
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn talk(mut stream: impl Read + Write, method: &str, path: &str) -> Option<Answer> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let (mut bytes, mut buffer) = (vec![], [0; 4096]);
    while !is_whole(&bytes) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// All is there that the header promises: a server that leaves the connection open all the same is not waited for.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, n)| n.trim().parse().ok()).is_some_and(|length: usize| body.len() >= length)
}
