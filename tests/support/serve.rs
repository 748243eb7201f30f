//! How the scripted sidecar meets one connection.

use super::{
    Port,
    fake::{Asked, Inner, Reply},
    ms, pause,
};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::fd::AsRawFd as _,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

/// Accepts until the test is over; a thread for each connection.
pub(super) fn serve(inner: &Arc<Inner>, port: &Port) {
    while !inner.over.load(SeqCst) {
        let Some(stream) = port.accept(ms(1)) else { continue };
        let nth = {
            let mut connections = inner.connections.lock().unwrap();
            *connections += 1;
            *connections
        };
        if nth <= inner.resets {
            reset(&stream);
            continue;
        }
        let inner = Arc::clone(inner);
        std::thread::spawn(move || meet(&inner, stream));
    }
}

fn meet(inner: &Inner, mut stream: TcpStream) {
    let Some(asked) = read(&mut stream) else { return };
    let is_quit = asked.method != "GET";
    let script = if is_quit { &inner.quit } else { &inner.ready };
    let seen = {
        let mut list = inner.asked.lock().unwrap();
        let seen = list.iter().filter(|a| (a.method != "GET") == is_quit).count();
        list.push(asked);
        seen
    };
    answer(inner, stream, script[seen.min(script.len() - 1)]);
    if is_quit && seen + 1 >= script.len() {
        inner.live_on();
    }
}

fn answer(inner: &Inner, mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Answer(status, body) => {
            let _ = stream.write_all(response(status, "", body).as_bytes());
        }
        Reply::Redirect(to) => {
            let _ = stream.write_all(response(302, &format!("Location: {to}\r\n"), "").as_bytes());
        }
        Reply::Silent => inner.held.lock().unwrap().push(stream),
        Reply::Reset => reset(&stream),
        Reply::Close => {}
        Reply::Drip(step) => {
            for byte in response(200, "", "dripping").bytes() {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                pause(step);
            }
        }
    }
}

fn response(status: u16, extra: &str, body: &str) -> String {
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("HTTP/1.1 {status} Word\r\n{extra}{length}Connection: close\r\n\r\n{body}")
}

fn reset(stream: &TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = size_of::<libc::linger>().try_into().unwrap();
    // SAFETY: a socket of ours and an option of the right size; closing it then sends RST
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size,
        );
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let head = read_head(stream)?;
    let mut words = head.split_ascii_whitespace().map(str::to_owned);
    Some(Asked { method: words.next()?, path: words.next()?, at: Instant::now(), head })
}

/// Request line and header, as sent.
pub(super) fn read_head(stream: &mut TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let (mut bytes, mut buffer) = (vec![], [0; 1024]);
    while !bytes.windows(4).any(|w| w == b"\r\n\r\n") {
        let n = stream.read(&mut buffer).ok().filter(|&n| n > 0)?;
        bytes.extend_from_slice(&buffer[..n]);
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
