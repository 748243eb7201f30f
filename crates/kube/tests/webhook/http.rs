//! HTTP: versions, what is asked before a body is sent, paths, methods, the second port.

use super::pods::{pod, review};
use super::server::{Server, answer, exchange, request};
use std::io::{Read as _, Write as _};

#[test]
fn one_connection_takes_many_reviews() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let request = request("/mutate?timeout=10s", "", review(&pod()).to_string().as_bytes());
    let first = exchange(&mut connection, &request).unwrap().json();
    for _ in 0..20 {
        assert_eq!(exchange(&mut connection, &request).unwrap().json(), first);
    }
    assert_eq!(server.metric("connections"), 1);
}

/// One connection is one request at a time; API servers offer a Service's webhook HTTP/1.1 alone.
#[test]
fn http_1_1_is_spoken_whatever_else_is_offered() {
    let server = Server::start(&[]);
    let found = exchange(
        &mut server.connect_offering(&["h2", "http/1.1"]),
        &request("/mutate?timeout=10s", "", review(&pod()).to_string().as_bytes()),
    );
    assert_eq!(found.unwrap().json()["response"]["allowed"], true);
    assert!(exchange(&mut server.connect_offering(&["h2"]), b"").is_err());
    server.line(|line| line["message"] == "TLS handshake failed");
}

#[test]
fn a_client_that_asks_before_it_sends_is_told_to_or_refused_at_once() {
    let server = Server::start(&[]);
    let body = review(&pod()).to_string();
    let ask = |length: usize| {
        let mut connection = server.connect();
        let head = format!(
            "POST /mutate HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.flush().unwrap();
        connection
    };
    let mut connection = ask(body.len());
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    exchange(&mut connection, body.as_bytes()).unwrap().json();
    // Nothing of it is ever sent.
    for length in [10_000_000, 10_000_000_000] {
        let found = answer(&mut ask(length)).unwrap();
        assert_eq!((found.status, found.text().trim()), (413, "the body is larger than 3 MiB"));
    }
}

#[test]
fn other_paths_and_methods_are_refused_and_counted() {
    let server = Server::start(&[]);
    let ask = |text: &str| exchange(&mut server.connect(), text.as_bytes()).unwrap();
    let found = ask("POST /mutat HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((found.status, found.text().trim()), (404, "/mutat: reviews go to /mutate"));
    let found = ask("GET /mutate HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((found.status, found.text().trim()), (405, "GET: reviews are posted"));
    assert!(found.head.contains("allow: post"));
    assert_eq!(server.metric("refusals_total{code=\"404\"}"), 1);
    assert_eq!(server.metric("refusals_total{code=\"405\"}"), 1);
    let line = server.line(|line| line["message"] == "request refused" && line["status"] == 404);
    assert_eq!((&line["level"], &line["peer"]), (&"warning".into(), &"127.0.0.1".into()));
}

/// They would push out the lines about admissions.
#[test]
fn refusals_of_a_kind_are_told_once_a_second() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    for _ in 0..200 {
        let request = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(exchange(&mut connection, request).unwrap().status, 404);
    }
    assert_eq!(exchange(&mut connection, b"GET /mutate HTTP/1.1\r\nHost: x\r\n\r\n").unwrap().status, 405);
    server.line(|line| line["message"] == "request refused" && line["status"] == 405);
    assert_eq!(server.metric("refusals_total{code=\"404\"}"), 200);
    let told = server.lines(|line| line["message"] == "request refused" && line["status"] == 404);
    assert!(told.len() < 100, "{}", told.len());
    let withheld: u64 = told.iter().map(|line| line["withheld"].as_u64().unwrap()).sum();
    assert!(withheld + (told.len() as u64) <= 200, "{told:?}");
}

#[test]
fn the_second_port_says_how_it_is() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/livez").status, 200);
    let ready = server.get("/readyz");
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert_eq!(server.get("/").status, 404);
    let posted = server.ask_admin("DELETE", "/livez");
    assert!(posted.status == 405 && posted.head.contains("allow: get, head"), "{}", posted.head);
    let metrics = server.get("/metrics");
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"));
    let text = metrics.text();
    // Each family has its head once, and each sample a number.
    let mut families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let count = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), count);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.rsplit_once(' ').unwrap().1.parse::<f64>().is_ok(), "{line}");
    }
    assert_eq!(server.metric("ready"), 1);
}
