//! One request over loopback or a unix socket, the whole answer.

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

/// Asks `127.0.0.1:port`; `None` when it refuses, or says nothing within a second.
pub fn ask(port: u16, method: &str, path: &str) -> Option<Answer> {
    ask_with(port, method, path, "")
}

/// With more lines of header, each ending in CR LF.
pub fn ask_with(port: u16, method: &str, path: &str, extra: &str) -> Option<Answer> {
    ask_at(([127, 0, 0, 1], port).into(), method, path, extra)
}

/// Asks any address.
pub fn ask_at(at: SocketAddr, method: &str, path: &str, extra: &str) -> Option<Answer> {
    let stream = TcpStream::connect_timeout(&at, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    talk(stream, method, path, extra)
}

/// Asks a unix socket.
pub fn ask_unix(at: &Path, method: &str, path: &str) -> Option<Answer> {
    let stream = UnixStream::connect(at).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    talk(stream, method, path, "")
}

fn talk(mut stream: impl Read + Write, method: &str, path: &str, extra: &str) -> Option<Answer> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{extra}Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let (mut bytes, mut buffer) = (vec![], [0; 4096]);
    while let Ok(n) = stream.read(&mut buffer) {
        if n == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..n]);
    }
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
