//! TERM, and a panic.

use super::pods::{pod, review};
use super::server::{Server, Tls, answer, exchange, request, until};
use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A request whose body does not come.
const ENDLESS: &[u8] = b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";

#[test]
fn term_finishes_what_runs_and_serves_those_who_have_not_heard_of_it() {
    let mut server = Server::start(&["--drain-timeout", "20s"]);
    let request = request("/mutate?timeout=30s", "", review(&pod()).to_string().as_bytes());
    let (first, rest) = request.split_at(request.len() / 2);
    let mut slow = begun(&server, first);
    let mut kept = server.connect();
    exchange(&mut kept, &request).unwrap();
    server.terminate();
    server.line(|line| line["message"] == "leaving");
    let ready = server.get("/readyz");
    assert_eq!((ready.status, ready.text().trim()), (503, "the server is ending"));
    assert_eq!(server.get("/livez").status, 200);
    for stream in [&mut kept, &mut server.connect()] {
        let found = exchange(stream, &request).unwrap();
        assert!(found.head.contains("connection: close"), "{}", found.head);
        found.json();
    }
    // The port is closed when nobody can connect to it any more; the other one answers until the end.
    until(|| TcpStream::connect(server.address).is_err().then_some(()), || "the port is open");
    assert_eq!((server.get("/readyz").status, server.get("/livez").status), (503, 200));
    assert_eq!(server.metric("requests_running"), 1);
    slow.write_all(rest).unwrap();
    slow.flush().unwrap();
    let found = answer(&mut slow).unwrap();
    assert!(found.head.contains("connection: close"), "{}", found.head);
    found.json();
    assert_eq!(server.exit(), Some(0));
    assert_eq!(server.line(|line| line["message"] == "left")["cut"], 0);
}

#[test]
fn what_does_not_finish_is_cut_at_the_end_of_the_time() {
    let mut server = Server::start(&["--drain-timeout", "1s"]);
    let mut endless = begun(&server, ENDLESS);
    let began = Instant::now();
    server.terminate();
    assert_eq!(server.exit(), Some(0));
    // Its body would be waited for ten times as long.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(server.line(|line| line["message"] == "left")["cut"], 1);
    assert_eq!(endless.read(&mut [0]).unwrap_or_default(), 0);
}

#[test]
fn the_second_term_does_not_wait() {
    let mut server = Server::start(&["--drain-timeout", "1h"]);
    let _endless = begun(&server, ENDLESS);
    let began = Instant::now();
    server.terminate();
    server.line(|line| line["message"] == "leaving");
    server.signal("INT");
    assert_eq!(server.exit(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(server.line(|line| line["message"] == "left")["cut"], 1);
}

/// Certificates are read again without them.
#[test]
fn hup_usr1_and_usr2_are_ignored_with_a_line() {
    let mut server = Server::start(&[]);
    for name in ["HUP", "USR1", "USR2"] {
        server.signal(name);
        assert_eq!(server.line(|line| line["signal"] == name)["message"], "signal ignored");
    }
    server.ask(&review(&pod()));
    assert!(!server.has_exited());
}

/// What was accepted by the kernel while the port closed has been accepted for whoever connected.
#[test]
fn a_connection_that_came_before_the_port_closed_has_its_request_answered() {
    let mut server = Server::start(&["--drain-timeout", "10s"]);
    let request = request("/mutate?timeout=10s", "", review(&pod()).to_string().as_bytes());
    server.terminate();
    server.line(|line| line["message"] == "leaving");
    let mut last = VecDeque::new();
    while let Ok(stream) = TcpStream::connect(server.address) {
        last.push_back(stream);
        if last.len() > 8 {
            last.pop_front();
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    for stream in last {
        let found = exchange(&mut server.tls(stream), &request).unwrap();
        assert!(found.head.contains("connection: close"), "{}", found.head);
        found.json();
    }
    assert_eq!(server.exit(), Some(0));
}

#[test]
fn a_panic_outside_of_a_decision_is_a_fault_and_the_connection_goes_on() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let body = review(&pod()).to_string();
    let request = |fields| request("/mutate?timeout=10s", fields, body.as_bytes());
    let found = exchange(&mut connection, &request("Lastout-Panic: answer\r\n")).unwrap();
    assert_eq!((found.status, found.text().trim()), (500, "a fault of kubectl-lastout; see the log"));
    let after = exchange(&mut server.connect(), &request("")).unwrap().json();
    assert_eq!(after["response"]["auditAnnotations"]["reason"], "injected-wrap");
    assert_eq!(server.metric("panics_total"), 1);
    assert_eq!(server.metric("refusals_total{code=\"500\"}"), 1);
}

/// The kubelet starts it again.
#[test]
fn a_panic_of_what_accepts_connections_ends_the_server() {
    let mut server = Server::start(&[]);
    let body = review(&pod()).to_string();
    let planting = request("/mutate", "Lastout-Panic: port\r\n", body.as_bytes());
    exchange(&mut server.connect(), &planting).unwrap().json();
    let _ = server.connect_plainly();
    assert_eq!(server.exit(), Some(2));
    server.line(|line| line["message"] == "panic");
}

#[test]
fn a_panic_allows_and_is_counted_and_told_and_the_connection_goes_on() {
    let mut server = Server::start(&[]);
    let mut connection = server.connect();
    let body = review(&pod()).to_string();
    let request = |fields| request("/mutate?timeout=10s", fields, body.as_bytes());
    let response =
        exchange(&mut connection, &request("Lastout-Panic: decision\r\n")).unwrap().json()["response"]
            .clone();
    assert_eq!(response["allowed"], true);
    assert_eq!(response["uid"], "705ab4f5-6393-11e8-b7cc-42010a800002");
    assert_eq!(response["auditAnnotations"]["reason"], "internal");
    assert_eq!(response.get("patch"), None);
    let after = exchange(&mut connection, &request("")).unwrap().json();
    assert_eq!(after["response"]["auditAnnotations"]["reason"], "injected-wrap");
    assert_eq!(server.metric("panics_total"), 1);
    assert_eq!(server.metric("admissions_total{reason=\"internal\"}"), 1);
    let line = server.line(|line| line["message"] == "panic");
    assert_eq!(line["about"], "asked for by the header lastout-panic");
    assert_eq!(server.line(|line| line["reason"] == "internal")["level"], "error");
    assert!(!server.has_exited());
}

/// A connection whose request has begun with this: the server knows of it.
fn begun(server: &Server, bytes: &[u8]) -> Tls {
    let mut stream = server.connect();
    stream.write_all(bytes).unwrap();
    stream.flush().unwrap();
    server.metric_becomes("requests_running", 1);
    stream
}
