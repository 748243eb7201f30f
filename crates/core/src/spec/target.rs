//! The values of a spec: addresses, hosts, paths, statuses, headers. Each error shows the value, except where it
//! may be a secret.

use super::error::{Read, SpecErrorKind as Kind, Wrong};
use super::{Address, Proof, StatusSet};
use crate::text::split_where;
use alloc::{borrow::ToOwned, string::String, vec::Vec};
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
pub(super) const SOCKET_MAX: usize = 107;

pub(super) fn target(value: &str) -> Read<'_, Target> {
    if value == "none" {
        return Ok(Target::Nothing);
    }
    if value.starts_with('/') {
        return Ok(Target::Path(path("", value)?));
    }
    if let Some(rest) = after(value, "http://") {
        let (authority, rest) = split_where(rest, |c| "/?#".contains(c));
        let (hosts, port) = host_and_port(authority)?;
        // An URL without a path asks `/`; one with only a query needs the slash as well (RFC 9112, 3.2.1).
        let slash = if rest.starts_with('/') { "" } else { "/" };
        return Ok(Target::Url { hosts, port, path: path(slash, rest)? });
    }
    if let Some(rest) = after(value, "tcp://") {
        let (hosts, port) = host_and_port(rest)?;
        let port = port.ok_or_else(|| Wrong::new(Kind::TcpWithoutPort, value))?;
        return Ok(Target::Tcp(candidates(hosts, &[port])));
    }
    if let Some(rest) = after(value, "unix:") {
        let (name, request) = match rest.find(":/").and_then(|colon| rest.split_at_checked(colon)) {
            Some((name, request)) => (name, request.strip_prefix(':')),
            None => (rest, None),
        };
        return Ok(Target::Unix {
            socket: socket(authorityless(name))?,
            path: request.map(|request| path("", request)).transpose()?,
        });
    }
    if let Some(rest) = after(value, "file:") {
        return Ok(Target::File(file("file", authorityless(rest))?));
    }
    if after(value, "https://").is_some() {
        return Err(Wrong::hidden(Kind::Https, value));
    }
    Err(Wrong::shown(Kind::Address, value, behind_user(value)))
}

/// Without what may be a user and a password.
fn behind_user(url: &str) -> &str {
    url.rsplit('@').next().unwrap_or(url)
}

/// What proves the end of a sidecar.
pub(super) fn proof(value: &str) -> Read<'_, Proof> {
    if let Some(rest) = after(value, "no-file:") {
        return Ok(Proof::FileAway(file("no-file", authorityless(rest))?));
    }
    if let Some(rest) = after(value, "process:") {
        return match process_name(rest)? {
            name if name.is_empty() => Err(Wrong::hidden(Kind::NoProcessName, value)),
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
            Err(Wrong::shown(Kind::Proof, value, behind_user(value)))
        }
    }
}

/// The name of a process, escapes decoded.
pub(super) fn process_name(text: &str) -> Read<'_, String> {
    let name = unescape(text);
    if name.contains(char::is_control) {
        return Err(Wrong::shown(Kind::ControlCharacter, text, &name));
    }
    Ok(name)
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

fn host_and_port(authority: &str) -> Read<'_, (&'static [IpAddr], Option<u16>)> {
    if authority.contains('@') {
        return Err(Wrong::hidden(Kind::User, authority));
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

pub(super) fn host(text: &str) -> Read<'_, &'static [IpAddr]> {
    match text {
        "127.0.0.1" => Ok(&[V4]),
        "::1" | "[::1]" => Ok(&[V6]),
        name if name.eq_ignore_ascii_case("localhost") => Ok(BOTH),
        _ => Err(Wrong::new(Kind::Host, text)),
    }
}

pub(super) fn port(text: &str) -> Read<'_, u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten().filter(|port| *port != 0);
    number.ok_or_else(|| Wrong::new(Kind::Port, text))
}

/// Every port on every host, port by port.
pub(super) fn candidates(hosts: &[IpAddr], ports: &[u16]) -> Vec<SocketAddr> {
    ports.iter().flat_map(|&port| hosts.iter().map(move |&host| SocketAddr::new(host, port))).collect()
}

/// Path and query of a request, byte for byte. What may not stand in a request line is refused, not repaired.
fn path<'a>(slash: &str, text: &'a str) -> Read<'a, String> {
    let path = [slash, text].concat();
    let kind = if text.contains('#') {
        Kind::Fragment
    } else if let Some(c) = text.chars().find(|c| !c.is_ascii_graphic() || "\"<>`".contains(*c)) {
        Kind::PathCharacter(c)
    } else {
        return Ok(path);
    };
    Err(Wrong::shown(kind, text, &path))
}

/// A file name behind this scheme, escapes decoded.
fn file<'a>(scheme: &'static str, text: &'a str) -> Read<'a, Vec<u8>> {
    let name = unescape(text);
    if name.is_empty() {
        return Err(Wrong::hidden(Kind::NoFile(scheme), text));
    }
    if name.contains('\0') {
        return Err(Wrong::new(Kind::Nul, text));
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
pub(super) fn socket(text: &str) -> Read<'_, Vec<u8>> {
    let name = file("unix", text)?;
    // `@NAME` is in no file system: the kernel has a NUL there (`unix(7)`).
    let name = match name.split_first() {
        Some((b'@', [])) => return Err(Wrong::hidden(Kind::AbstractName, text)),
        Some((b'@', rest)) => [b"\0", rest].concat(),
        _ => name,
    };
    match too_long_socket(&name) {
        Some(shown) => Err(Wrong::shown(Kind::SocketTooLong, text, &shown)),
        None => Ok(name),
    }
}

/// The name of a socket that has no room in an address, as it is shown.
pub(super) fn too_long_socket(name: &[u8]) -> Option<String> {
    // An abstract name needs no NUL behind it.
    let room = if name.starts_with(b"\0") { SOCKET_MAX + 1 } else { SOCKET_MAX };
    if name.len() <= room {
        return None;
    }
    let shown = match name.split_first() {
        Some((0, name)) => [b"@", name].concat(),
        _ => name.to_vec(),
    };
    Some(String::from_utf8_lossy(&shown).into_owned())
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

pub(super) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(super) fn method(text: &str) -> Read<'_, String> {
    match METHODS.iter().find(|known| known.eq_ignore_ascii_case(text)) {
        Some(known) => Ok((*known).to_owned()),
        None => Err(Wrong::new(Kind::Method, text)),
    }
}

/// `200|204`, `200-299`. Final statuses only: an answer of 1xx is never the last word.
pub(super) fn statuses(text: &str) -> Read<'_, StatusSet> {
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
        None => Err(Wrong::new(Kind::Statuses, text)),
    }
}

/// Fields that say how a message is framed, which is ours to say.
const FRAMING: [&str; 4] = ["connection", "content-length", "transfer-encoding", "upgrade"];

/// The name of a header field: a token (RFC 9110, 5.6.2).
pub(super) fn header_name(name: &str) -> Read<'_, ()> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    {
        // It may be a value that lost its name, so it is not shown.
        return Err(Wrong::hidden(Kind::HeaderName, name));
    }
    if FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name)) {
        return Err(Wrong::new(Kind::HeaderFraming, name));
    }
    Ok(())
}

/// Whether this may be the value of a header field; it is never shown.
pub(super) fn is_header_value(value: &str) -> bool {
    value.bytes().all(|b| b == b' ' || b == b'\t' || b.is_ascii_graphic())
}
