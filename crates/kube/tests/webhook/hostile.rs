//! What an API server would not send: each gets the right status, or is cut, while the others are served.

use super::pods::{pod, review};
use super::server::{Answer, Server, answer, exchange, request, until};
use rustls::RootCertStore;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

fn is_served(server: &Server) -> Value {
    let response = server.ask(&review(&pod()));
    assert_eq!(response["auditAnnotations"]["reason"], "injected-wrap");
    response
}

#[test]
fn a_body_that_is_no_review_is_a_bad_request_that_says_why() {
    let server = Server::start(&[]);
    let review = review(&pod());
    let whole = review.to_string();
    let with = |pointer: &str, value: Value| {
        let mut other = review.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        other.to_string()
    };
    let deep = whole.replace("\"/app\"", &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let many = whole.replace("\"/app\"", &format!("0{}", ",0".repeat(70_000)));
    for (body, why) in [
        ("", "the body cannot be read: EOF"),
        ("\0\u{1}garbage", "the body cannot be read: expected value"),
        (&whole[..whole.len() / 2], "the body cannot be read: EOF"),
        ("[]", "send \"AdmissionReview\" of \"admission.k8s.io/v1\""),
        ("{}", "send \"AdmissionReview\" of \"admission.k8s.io/v1\""),
        (&with("/apiVersion", json!("admission.k8s.io/v1beta1")), "of version \"admission.k8s.io/v1beta1\""),
        (&with("/kind", json!("ConversionReview")), "the body is \"ConversionReview\""),
        (&with("/request", Value::Null), "the review has no request with a uid"),
        (&with("/request/uid", json!("")), "the review has no request with a uid"),
        (&deep, "recursion limit exceeded"),
        (&many, "more than 64000 values"),
    ] {
        let found = server.post(body.as_bytes());
        assert_eq!(found.status, 400, "{why}: {}", found.text());
        assert!(found.text().contains(why), "{why}: {}", found.text());
    }
    assert_eq!(server.metric("refusals_total{code=\"400\"}"), 11);
    assert_eq!(server.metric("panics_total"), 0);
    is_served(&server);
}

/// It would keep others waiting, and no node could run it.
#[test]
fn a_pod_of_a_thousand_containers_stays_as_it_is() {
    let server = Server::start(&[]);
    let mut many = pod();
    let more = (0..2_000).map(|number| json!({ "name": format!("c{number}"), "command": ["/x"] }));
    many["spec"]["containers"].as_array_mut().unwrap().extend(more);
    let response = server.ask(&review(&many));
    assert_eq!(response["auditAnnotations"]["about"], "it has more than 1000 containers");
    assert_eq!(response.get("patch"), None);
}

#[test]
fn a_body_that_is_too_long_is_refused_whether_it_is_announced_or_not() {
    let server = Server::start(&[]);
    let long = vec![b' '; 10 * 1024 * 1024];
    assert_eq!(server.post(&long).status, 413);
    let mut connection = server.connect();
    connection.write_all(b"POST /mutate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    for chunk in long.chunks(1024 * 1024) {
        connection.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).unwrap();
        connection.write_all(chunk).unwrap();
        connection.write_all(b"\r\n").unwrap();
    }
    connection.write_all(b"0\r\n\r\n").unwrap();
    connection.flush().unwrap();
    assert_eq!(answer(&mut connection).unwrap().status, 413);
    // The longest that is none too long.
    let mut body = review(&pod()).to_string();
    body.push_str(&" ".repeat(3 * 1024 * 1024 - body.len()));
    assert_eq!(server.post(body.as_bytes()).status, 200);
}

#[test]
fn a_slow_body_is_cut_at_the_deadline_of_its_request() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let began = Instant::now();
    connection
        .write_all(b"POST /mutate?timeout=1s HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{\"kind\"")
        .unwrap();
    connection.flush().unwrap();
    let found = answer(&mut connection).unwrap();
    assert_eq!((found.status, found.text().trim()), (408, "the body did not come in time"));
    assert!(began.elapsed() >= Duration::from_secs(1));
    is_served(&server);
}

#[test]
fn without_tls_or_with_a_client_that_does_not_trust_it_there_is_no_connection() {
    let server = Server::start(&[]);
    for bytes in [
        &b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"[..],
        &[0; 4096],
        b"\x16\x03\x01\xff\xff\x01",
    ] {
        let mut plain = server.connect_plainly();
        plain.write_all(bytes).unwrap();
        plain.shutdown(std::net::Shutdown::Write).unwrap();
        let mut found = Vec::new();
        // An alert, or a reset.
        let _ = plain.read_to_end(&mut found);
        assert!(!found.starts_with(b"HTTP"), "{found:?}");
    }
    let mut stranger = server.connect_trusting(RootCertStore::empty());
    assert!(exchange(&mut stranger, b"").is_err());
    until(
        || (server.metric("tls_handshakes_failed_total") == 4).then_some(()),
        || server.get("/metrics").text(),
    );
    let line = server.line(|line| line["message"] == "TLS handshake failed");
    assert_eq!(line["level"], "warning");
    is_served(&server);
}

/// As many as want to: who says nothing, who stops in the middle of a body, who reads no answer.
#[test]
#[cfg(target_os = "linux")]
fn memory_and_descriptors_are_bounded_and_the_others_are_served() {
    let server = Server::start(&[]);
    is_served(&server);
    let silent: Vec<_> = (0..250).map(|_| server.connect_plainly()).collect();
    let mut idle: Vec<_> = (0..250).map(|_| server.connect()).collect();
    for stream in &mut idle {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    let began = Instant::now();
    is_served(&server);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let mut halves: Vec<_> = (0..200).map(|_| server.connect()).collect();
    let half = vec![b' '; 30 * 1024];
    for stream in &mut halves {
        let head = "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&half).unwrap();
    }
    let mut deaf: Vec<_> = (0..2).map(|_| server.connect()).collect();
    let words: Vec<_> = (0..300).map(|number| format!("{number:0>60}")).collect();
    let mut pod_of_words = pod();
    pod_of_words["spec"]["containers"][0]["args"] = json!(words);
    let answered = request("/mutate", "", review(&pod_of_words).to_string().as_bytes());
    for stream in &mut deaf {
        stream.sock.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        // Until it is read from no more.
        while stream.write_all(&answered).is_ok() {}
    }
    is_served(&server);
    assert!(server.descriptors() < 600, "{}", server.descriptors());
    // Large ones take their turns: of texts, and of as many values as may be.
    let text = json!({ "metadata": { "annotations": { "x": "y".repeat(2_900_000) } } });
    let mut of_values = pod();
    of_values["spec"]["x"] = (0..31_900).map(|number| (format!("key{number:0>70}"), json!({}))).collect();
    let large = [review(&text).to_string(), review(&of_values).to_string()];
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let post = |number: usize| server.post(large[number % 2].as_bytes());
        let threads: Vec<_> = (0..20).map(|number| scope.spawn(move || post(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for found in &answers {
        assert!([200, 408, 503, 504].contains(&found.status), "{}", found.text());
    }
    assert!(answers.iter().filter(|found| found.status == 200).count() >= 8, "{answers:?}");
    is_served(&server);
    // The pod's limit is 128 MiB.
    assert!(server.memory("VmHWM:") < 112 * 1024, "{} KiB", server.memory("VmHWM:"));
    drop((silent, idle, halves, deaf));
    // All is given back.
    server.metric_becomes("connections", 0);
    assert!(server.descriptors() < 50, "{}", server.descriptors());
    is_served(&server);
    assert_eq!(server.metric("panics_total"), 0);
}

/// One that has been useful is not what makes room, although it has done nothing for longest.
#[test]
fn more_connections_than_there_is_room_for_keep_nobody_out() {
    let server = Server::start(&[]);
    let request = request("/mutate?timeout=10s", "", review(&pod()).to_string().as_bytes());
    let mut kept = server.connect();
    exchange(&mut kept, &request).unwrap().json();
    let many = |count| (0..count).map(|_| server.connect_plainly()).collect::<Vec<_>>();
    let first = many(500);
    server.metric_becomes("connections", 501);
    // One that is new has two seconds for its first request, in which it comes before one that is idle.
    std::thread::sleep(Duration::from_millis(2100));
    let second = many(100);
    let began = Instant::now();
    is_served(&server);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    exchange(&mut kept, &request).unwrap().json();
    assert!(server.metric("connections_displaced_total") >= 89);
    let line = server.line(|line| line["message"] == "connection displaced");
    assert_eq!(line["peer"], "127.0.0.1");
    drop((first, second));
}

/// A request whose head never ends, and a connection that is open and never used.
#[test]
fn who_begins_nothing_is_cut() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.write_all(b"POST /mutate HTTP/1.1\r\nHost:").unwrap();
    connection.flush().unwrap();
    let began = Instant::now();
    assert_eq!(connection.sock.read(&mut [0; 1000]).map(|_| ()).map_err(|error| error.kind()), Ok(()));
    until(|| (server.metric("connections") == 0).then_some(()), || server.metric("connections"));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let cut = request("/mutate", "", b"{}");
    assert!(exchange(&mut connection, &cut).is_err());
}
