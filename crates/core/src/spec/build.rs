//! The keys of a spec and the row behind its name → [`Spec`].

use super::error::{Read, SpecErrorKind as Kind, Wrong};
use super::parse::Items;
use super::target::{self, Target};
use super::{Address, Env, Proof, Quit, Ready, Request, Spec, StatusSet};
use crate::duration;
use crate::presets::{DEFAULT_ORDER, Gone, Preset, ReadyRow};
use crate::signal::Signal;
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::{net::IpAddr, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(1);
const SUCCESS: (u16, u16) = (200, 299);

/// Where a row's requests, and those given as `/PATH`, go.
struct Own {
    hosts: &'static [IpAddr],
    socket: Option<Vec<u8>>,
}

impl Own {
    fn at(&self, ports: &[u16]) -> Result<Address, Kind> {
        match &self.socket {
            Some(socket) => Ok(Address::Unix(socket.clone())),
            None if ports.is_empty() => Err(Kind::OnlyPath),
            None => Ok(Address::Tcp(target::candidates(self.hosts, ports))),
        }
    }

    /// As with `curl --unix-socket`: the URL says the path, the socket where.
    fn url(&self, hosts: &[IpAddr], port: Option<u16>) -> Result<Address, Kind> {
        match (&self.socket, port) {
            (Some(_), Some(_)) => Err(Kind::UrlWithPort),
            (Some(socket), None) => Ok(Address::Unix(socket.clone())),
            (None, port) => Ok(Address::Tcp(target::candidates(hosts, &[port.unwrap_or(80)]))),
        }
    }
}

pub(super) fn build<'a>(
    name: &str,
    preset: Option<&'static Preset>,
    optional: bool,
    items: &Items<'a>,
    env: Env<'_>,
) -> Read<'a, Spec> {
    let own =
        Own { hosts: items.read_as("host", target::host)?.unwrap_or(target::BOTH), socket: socket(items)? };
    let port = match items.read_as("port", target::port)? {
        Some(port) => Some(port),
        None => port_of(preset, env)?,
    };
    let quit = quit(preset, items, &own, port)?;
    let ready = ready(preset, items, &own, port, &quit)?;
    let mut spec = Spec {
        name: name.to_owned(),
        preset,
        optional,
        absent_after: items.read_as("absent", duration)?,
        ready,
        files: Vec::new(),
        quit,
        headers: headers(preset, items, env)?,
        timeout: items.read_as("timeout", timeout)?.unwrap_or(TIMEOUT),
        order: items.read_as("order", order)?.unwrap_or(preset.map_or(DEFAULT_ORDER, |preset| preset.order)),
        gone: Proof::PortsRefuse,
        refused_is_normal: preset.is_some_and(|preset| preset.refused_is_normal),
        process: process(items)?,
    };
    spec.gone = gone(&spec, items)?;
    without_effect(&spec, items)?;
    Ok(spec)
}

fn socket<'a>(items: &Items<'a>) -> Read<'a, Option<Vec<u8>>> {
    let socket = items.read_as("socket", target::socket)?;
    match ["host", "port", "ready-port"].iter().find(|key| items.get(key).is_some()) {
        Some(key) if socket.is_some() => Err(Wrong::of_key(Kind::SocketToo, key)),
        _ => Ok(socket),
    }
}

/// The port that the row takes from the environment.
fn port_of(preset: Option<&'static Preset>, env: Env<'_>) -> Read<'static, Option<u16>> {
    let Some(variable) = preset.and_then(|preset| preset.port_from_env) else { return Ok(None) };
    match env(variable) {
        // A Service named after the first half of the variable makes the kubelet set it to an address.
        Some(value) if value.is_empty() || value.starts_with("tcp://") => Ok(None),
        Some(value) => target::port(&value).map(Some).map_err(|wrong| wrong.with_variable(variable)),
        None => Ok(None),
    }
}

fn quit<'a>(
    preset: Option<&'static Preset>,
    items: &Items<'a>,
    own: &Own,
    port: Option<u16>,
) -> Read<'a, Quit> {
    let row = preset.and_then(|preset| preset.quit);
    let ports = port.as_ref().map_or_else(|| row.map_or(&[][..], |row| row.ports), core::slice::from_ref);
    let (at, path) = match (items.read_as("quit", target::target)?, row) {
        (None, None) | (Some(Target::Nothing), _) => return Ok(Quit::Nothing),
        (Some(Target::File(file)), _) => return Ok(Quit::CreateFile(file)),
        (Some(Target::Tcp(_) | Target::Unix { path: None, .. }), _) => {
            return Err(Wrong::of_key(Kind::NoRequest, "quit"));
        }
        (None, Some(row)) => (own.at(ports), row.path.to_owned()),
        (Some(Target::Path(path)), _) => (own.at(ports), path),
        (Some(Target::Url { hosts, port, path }), _) => (own.url(hosts, port), path),
        (Some(Target::Unix { socket, path: Some(path) }), _) => (Ok(Address::Unix(socket)), path),
    };
    let method = items.read_as("method", target::method)?;
    let ok = items.read_as("ok", target::statuses)?;
    Ok(Quit::Http(Request {
        at: at.map_err(|kind| Wrong::of_key(kind, "quit"))?,
        method: method.unwrap_or_else(|| row.map_or("POST", |row| row.method).to_owned()),
        path,
        ok: ok.unwrap_or_else(|| StatusSet(row.map_or(&[SUCCESS][..], |row| row.ok).to_vec())),
    }))
}

fn ready<'a>(
    preset: Option<&'static Preset>,
    items: &Items<'a>,
    own: &Own,
    port: Option<u16>,
    quit: &Quit,
) -> Read<'a, Ready> {
    let row = preset.map_or(ReadyRow::Unchecked, |preset| preset.ready);
    let ready_port = items.read_as("ready-port", target::port)?;
    let ports = match ready_port {
        Some(port) => [port].to_vec(),
        None => ready_ports(preset, row, port),
    };
    let of_ready = |kind| Wrong::of_key(kind, "ready");
    let (at, path) = match (items.read_as("ready", target::target)?, row) {
        (None, ReadyRow::Unchecked) if ready_port.is_none() => return Ok(Ready::Unchecked),
        (Some(Target::Nothing), _) => return Ok(Ready::Unchecked),
        (None, ReadyRow::Accepts(_) | ReadyRow::Unchecked) => {
            return Ok(Ready::Accepts(own.at(&ports).map_err(of_ready)?));
        }
        (Some(Target::Tcp(at)), _) => return Ok(Ready::Accepts(Address::Tcp(at))),
        (Some(Target::Unix { socket, path: None }), _) => return Ok(Ready::Accepts(Address::Unix(socket))),
        (Some(Target::File(file)), _) => return Ok(Ready::File(file)),
        (None, ReadyRow::Http { path, .. }) => (own.at(&ports), path.to_owned()),
        (Some(Target::Path(path)), _) => (own.at(&ports), path),
        (Some(Target::Url { hosts, port, path }), _) => (own.url(hosts, port), path),
        (Some(Target::Unix { socket, path: Some(path) }), _) => (Ok(Address::Unix(socket)), path),
    };
    let quits = matches!(quit, Quit::Http(_));
    let ok = match items.read_as("ready-ok", target::statuses)? {
        None if !quits => items.read_as("ok", target::statuses)?,
        ok => ok,
    };
    let known: &[(u16, u16)] = match row {
        ReadyRow::Http { ok, .. } => ok,
        ReadyRow::Accepts(_) | ReadyRow::Unchecked => &[SUCCESS],
    };
    Ok(Ready::Http(Request {
        at: at.map_err(of_ready)?,
        method: "GET".to_owned(),
        path,
        ok: ok.unwrap_or_else(|| StatusSet(known.to_vec())),
    }))
}

/// The row's ports, where `port` takes the place of those that the quit request uses too (of all of them where
/// there is no quit request). A sidecar without a row has one port.
fn ready_ports(preset: Option<&'static Preset>, row: ReadyRow, port: Option<u16>) -> Vec<u16> {
    let Some(port) = port else { return row.ports().to_vec() };
    let shared = preset.and_then(|preset| preset.quit).map_or(row.ports(), |quit| quit.ports);
    let mut ports: Vec<u16> =
        row.ports().iter().map(|known| if shared.contains(known) { port } else { *known }).collect();
    if ports.is_empty() {
        ports.push(port);
    }
    ports.dedup();
    ports
}

fn headers(
    preset: Option<&'static Preset>,
    items: &Items<'_>,
    env: Env<'_>,
) -> Read<'static, Vec<(String, String)>> {
    let mut headers = items.headers.clone();
    if let Some(&(name, variable)) = preset.and_then(|preset| preset.header_from_env) {
        // Secrets made from files end in a line feed.
        let value = env(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        if let Some(value) =
            value.filter(|_| !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)))
        {
            if !target::is_header_value(&value) {
                return Err(Wrong::shown(Kind::HeaderValue, "", name).with_variable(variable));
            }
            headers.push((name.to_owned(), value));
        }
    }
    Ok(headers)
}

fn process<'a>(items: &Items<'a>) -> Read<'a, Option<(String, Signal)>> {
    let signal =
        items.read_as("signal", |text| Signal::parse(text).ok_or_else(|| Wrong::new(Kind::Signal, text)))?;
    match items.read_as("process", target::process_name)? {
        Some(name) => Ok(Some((name, signal.unwrap_or(Signal::TERM)))),
        None if signal.is_some() => Err(Wrong::of_key(Kind::NoProcess, "signal")),
        None => Ok(None),
    }
}

/// What proves its end: of one without ports, that the process is gone which is named.
fn gone<'a>(spec: &Spec, items: &Items<'a>) -> Read<'a, Proof> {
    let has_port = spec.quit.address().or(spec.ready.address()).is_some();
    Ok(match (items.read_as("gone", target::proof)?, &spec.process) {
        (Some(Proof::PortsRefuse), _) if !has_port => {
            return Err(Wrong::of_key(Kind::NoPortToRefuse, "gone"));
        }
        (Some(proof), _) => proof,
        (None, _) if spec.preset.is_some_and(|preset| matches!(preset.gone, Gone::Accepted(_))) => {
            Proof::Accepted
        }
        (None, Some((process, _))) if !has_port => Proof::NoProcess(process.clone()),
        (None, _) => Proof::PortsRefuse,
    })
}

fn duration(text: &str) -> Read<'_, Duration> {
    duration::parse(text).map_err(|error| Wrong::new(Kind::Duration(error.kind), text))
}

fn timeout(text: &str) -> Read<'_, Duration> {
    match duration(text)? {
        Duration::ZERO => Err(Wrong::new(Kind::NoTime, text)),
        timeout => Ok(timeout),
    }
}

fn order(text: &str) -> Read<'_, u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| Wrong::new(Kind::Order, text))
}

/// A key that changes nothing is a mistake that would be found out too late.
fn without_effect(spec: &Spec, items: &Items<'_>) -> Read<'static, ()> {
    let asks_ready = matches!(spec.ready, Ready::Http(_));
    let asks_quit = matches!(spec.quit, Quit::Http(_));
    let has_socket = items.get("socket").is_some();
    let own = |key: &str, row: bool| match items.get(key) {
        Some(value) => value.starts_with('/') || (has_socket && value.starts_with("http://")),
        None => row,
    };
    let own_ready = own("ready", spec.ready != Ready::Unchecked);
    let own_quit = own("quit", asks_quit);
    for (key, effect, why) in [
        ("gone", spec.quit != Quit::Nothing || spec.process.is_some(), "it is not asked to end"),
        ("absent", spec.optional, "it is for optional sidecars: write NAME?"),
        ("method", asks_quit, "there is no quit request"),
        ("ok", asks_quit || asks_ready, "there is no request"),
        ("ready-ok", asks_ready, "there is no ready request"),
        ("host", own_ready || own_quit, "ready= and quit= name their own addresses"),
        ("port", own_ready || own_quit, "ready= and quit= name their own addresses"),
        ("socket", own_ready || own_quit, "ready= and quit= name their own addresses"),
        ("ready-port", own_ready, "ready= names its own address"),
    ] {
        if !effect && items.get(key).is_some() {
            return Err(Wrong::of_key(Kind::NoEffect(why), key));
        }
    }
    if !items.headers.is_empty() && !asks_quit && !asks_ready {
        return Err(Wrong::of_key(Kind::NoEffect("there is no request"), "header"));
    }
    Ok(())
}
