//! The values of a spec: addresses, hosts, paths, statuses, headers. Each error is one line that quotes the
//! value, except where it may be a secret.

use super::{Address, Proof, StatusSet};
use crate::text::{Quoted, nearest};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What `ready=` and `quit=` may be.
pub(super) enum Target {
    /// A path on the sidecar's own address.
    Path(String),
    /// `http://HOST[:PORT]/PATH`.
    Url { hosts: &'static [IpAddr], port: Option<u16>, path: String },
    /// `tcp://HOST:PORT`.
    Tcp(Vec<SocketAddr>),
    /// `unix:SOCKET[:/PATH]`.
    Unix { socket: Vec<u8>, path: Option<String> },
    /// `file:FILE`.
    File(Vec<u8>),
    /// `none`.
    Nothing,
}

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// `localhost`, in the order in which they are tried.
pub(super) const BOTH: &[IpAddr] = &[V4, V6];

/// `sun_path` holds 108 bytes, the closing NUL included (`unix(7)`).
const SOCKET_MAX: usize = 107;

pub(super) fn target(value: &str) -> Result<Target, String> {
    if value == "none" {
        return Ok(Target::Nothing);
    }
    if value.starts_with('/') {
        return Ok(Target::Path(path(value)?));
    }
    if let Some(rest) = after(value, "http://") {
        let (authority, rest) =
            rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len())).unwrap_or((rest, ""));
        let (hosts, port) = host_and_port(authority)?;
        // An URL without a path asks `/`; one with only a query needs the slash as well (RFC 9112, 3.2.1).
        let slash = if rest.starts_with('/') { "" } else { "/" };
        return Ok(Target::Url { hosts, port, path: path(&format!("{slash}{rest}"))? });
    }
    if let Some(rest) = after(value, "tcp://") {
        let (hosts, port) = host_and_port(rest)?;
        let port =
            port.ok_or_else(|| format!("{} has no port: write tcp://HOST:PORT", Quoted::text(value)))?;
        return Ok(Target::Tcp(candidates(hosts, &[port])));
    }
    if let Some(rest) = after(value, "unix:") {
        let (name, request) = match rest.find(":/").and_then(|colon| rest.split_at_checked(colon)) {
            Some((name, request)) => (name, request.strip_prefix(':')),
            None => (rest, None),
        };
        return Ok(Target::Unix {
            socket: socket(authorityless(name))?,
            path: request.map(path).transpose()?,
        });
    }
    if let Some(rest) = after(value, "file:") {
        return Ok(Target::File(file(authorityless(rest))?));
    }
    if after(value, "https://").is_some() {
        return Err("https is not spoken here, the request stays on loopback: write http://".to_owned());
    }
    Err(format!(
        "{} is no address: write http://127.0.0.1:PORT/PATH, /PATH, tcp://127.0.0.1:PORT, unix:SOCKET, file:FILE or none",
        Quoted::text(value.split('@').next_back().unwrap_or(value))
    ))
}

/// What proves the end of a sidecar.
pub(super) fn proof(value: &str) -> Result<Proof, String> {
    if let Some(rest) = after(value, "no-file:") {
        return Ok(Proof::FileAway(
            file(authorityless(rest)).map_err(|why| why.replace("file:/PATH", "no-file:/PATH"))?,
        ));
    }
    if let Some(rest) = after(value, "process:") {
        return match process_name(rest)? {
            name if name.is_empty() => Err("a name is missing: write process:NAME".to_owned()),
            name => Ok(Proof::NoProcess(name)),
        };
    }
    let is_target = ["tcp://", "unix:", "file:"].iter().any(|scheme| after(value, scheme).is_some());
    match (value, is_target.then(|| target(value)).transpose()?) {
        ("refused", _) => Ok(Proof::PortsRefuse),
        ("accepted", _) => Ok(Proof::Accepted),
        (_, Some(Target::Tcp(at))) => Ok(Proof::Refuses(Address::Tcp(at))),
        (_, Some(Target::Unix { socket, path: None })) => Ok(Proof::Refuses(Address::Unix(socket))),
        (_, Some(Target::File(file))) => Ok(Proof::FileThere(file)),
        (_, Some(Target::Path(_) | Target::Url { .. } | Target::Unix { .. } | Target::Nothing) | None) => {
            Err(format!(
                "{} is no proof: write file:FILE, no-file:FILE, tcp://127.0.0.1:PORT, unix:SOCKET, process:NAME, refused or accepted",
                Quoted::text(value.split('@').next_back().unwrap_or(value))
            ))
        }
    }
}

/// The name of a process, escapes decoded.
pub(super) fn process_name(text: &str) -> Result<String, String> {
    let name = unescape(text);
    match name.contains(char::is_control) {
        true => Err(format!("{} holds a control character", Quoted::text(&name))),
        false => Ok(name),
    }
}

/// What follows this scheme, in any case.
fn after<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// `file:///x` and `unix:///x` are the same as `file:/x` and `unix:/x`.
fn authorityless(path: &str) -> &str {
    path.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

fn host_and_port(authority: &str) -> Result<(&'static [IpAddr], Option<u16>), String> {
    if authority.contains('@') {
        return Err("a user or password in an URL is not taken: write header=Authorization=…".to_owned());
    }
    // The colons inside of `[::1]` are no port's.
    let bracket = authority.rfind(']').unwrap_or(0);
    match authority
        .rfind(':')
        .filter(|colon| *colon > bracket)
        .and_then(|colon| authority.split_at_checked(colon))
    {
        Some((name, text)) => Ok((host(name)?, Some(port(text.strip_prefix(':').unwrap_or(text))?))),
        None => Ok((host(authority)?, None)),
    }
}

pub(super) fn host(text: &str) -> Result<&'static [IpAddr], String> {
    match text {
        "127.0.0.1" => Ok(&[V4]),
        "::1" | "[::1]" => Ok(&[V6]),
        name if name.eq_ignore_ascii_case("localhost") => Ok(BOTH),
        _ => Err(format!(
            "{} is no loopback host: a sidecar is asked at 127.0.0.1, [::1] or localhost",
            Quoted::text(text)
        )),
    }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten().filter(|port| *port != 0);
    number.ok_or_else(|| format!("{} is no port: write a number from 1 to 65535", Quoted::text(text)))
}

/// Every port on every host, port by port.
pub(super) fn candidates(hosts: &[IpAddr], ports: &[u16]) -> Vec<SocketAddr> {
    ports.iter().flat_map(|&port| hosts.iter().map(move |&host| SocketAddr::new(host, port))).collect()
}

/// Path and query of a request, byte for byte. What may not stand in a request line is refused, not repaired.
fn path(text: &str) -> Result<String, String> {
    if text.contains('#') {
        return Err(format!("{} has a fragment (#…), which is never sent: remove it", Quoted::text(text)));
    }
    match text.chars().find(|c| !c.is_ascii_graphic() || "\"<>`".contains(*c)) {
        Some(c) => Err(format!(
            "{} holds {c:?}, which a request line may not: percent-encode it",
            Quoted::text(text)
        )),
        None => Ok(text.to_owned()),
    }
}

/// A file name, escapes decoded.
pub(super) fn file(text: &str) -> Result<Vec<u8>, String> {
    let name = unescape(text);
    if name.is_empty() {
        return Err("a file name is missing: write file:/PATH".to_owned());
    }
    if name.contains('\0') {
        return Err(format!("{} holds a NUL, which no file name does", Quoted::text(text)));
    }
    Ok(without_detours(&name).into_bytes())
}

/// `/a//b/./c` → `/a/b/c`: the same file is to be known as the same.
fn without_detours(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if !plain.is_empty() || path.starts_with('/') {
            plain.push('/');
        }
        plain.push_str(part);
    }
    if plain.is_empty() { path.to_owned() } else { plain }
}

/// The name of a unix socket, escapes decoded.
pub(super) fn socket(text: &str) -> Result<Vec<u8>, String> {
    let name = file(text).map_err(|why| why.replace("file:/PATH", "unix:/PATH"))?;
    // `@NAME` is in no file system: the kernel has a NUL there (`unix(7)`).
    let name = match name.split_first() {
        Some((b'@', [])) => return Err("`@` alone names no abstract socket: write @NAME".to_owned()),
        Some((b'@', rest)) => [b"\0", rest].concat(),
        _ => name,
    };
    socket_fits(&name)?;
    Ok(name)
}

/// Whether the name of a socket has room in an address.
pub(super) fn socket_fits(name: &[u8]) -> Result<(), String> {
    // An abstract name needs no NUL behind it.
    let room = if name.starts_with(b"\0") { SOCKET_MAX + 1 } else { SOCKET_MAX };
    if name.len() <= room {
        return Ok(());
    }
    let shown = match name.split_first() {
        Some((0, name)) => [b"@", name].concat(),
        _ => name.to_vec(),
    };
    Err(format!(
        "{} is too long for a unix socket: at most {SOCKET_MAX} bytes as a whole path",
        Quoted(&shown)
    ))
}

/// `%2C`, `%20`, `%25` → comma, space, per cent sign. Every other per cent sign stands for itself.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut pieces = text.split('%');
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        match code {
            "2C" | "2c" => plain.push(','),
            "20" => plain.push(' '),
            "25" => plain.push('%'),
            _ => {
                plain.push('%');
                plain.push_str(code);
            }
        }
        plain.push_str(rest);
    }
    plain
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(super) fn method(text: &str) -> Result<String, String> {
    match METHODS.iter().find(|known| known.eq_ignore_ascii_case(text)) {
        Some(known) => Ok((*known).to_owned()),
        None => Err(format!(
            "{} is no method: {}write {}",
            Quoted::text(text),
            nearest(text, METHODS).map(|near| format!("did you mean {near}? ")).unwrap_or_default(),
            METHODS.join(", ")
        )),
    }
}

/// `200|204`, `200-299`. Final statuses only: an answer of 1xx is never the last word.
pub(super) fn statuses(text: &str) -> Result<StatusSet, String> {
    let status = |text: &str| {
        let digits = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten().filter(|status| (200..=599).contains(status))
    };
    let range = |part: &str| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high) = (status(low)?, status(high)?);
        (low <= high).then_some((low, high))
    };
    match text.split('|').map(range).collect() {
        Some(ranges) => Ok(StatusSet(ranges)),
        None => Err(format!(
            "{} is no set of statuses from 200 to 599: write 200|204 or 200-299",
            Quoted::text(text)
        )),
    }
}

/// Fields that say how a message is framed, which is ours to say.
const FRAMING: [&str; 4] = ["connection", "content-length", "transfer-encoding", "upgrade"];

/// The name of a header field: a token (RFC 9110, 5.6.2).
pub(super) fn header_name(name: &str) -> Result<(), String> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    {
        // It may be a value that lost its name, so it is not shown.
        return Err("the name before `=` is no header name: write header=Name=value".to_owned());
    }
    if FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name)) {
        return Err(format!("{name} cannot be set: it says where the request ends"));
    }
    Ok(())
}

/// The value of a header field; never shown.
pub(super) fn header_value(value: &str) -> Result<(), String> {
    if value.bytes().all(|b| b == b' ' || b == b'\t' || b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("the value (not shown) holds a control character or is not ASCII".to_owned())
    }
}
