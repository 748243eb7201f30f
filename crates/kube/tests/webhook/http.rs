//! HTTP: versions, paths, methods, the second port.

use super::pods::{pod, review};
use super::server::{Server, client_of, exchange, request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use serde_json::Value;
use std::sync::Arc;
use tokio::net::TcpStream;

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

#[test]
fn http_2_answers_several_reviews_at_once() {
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client_of(&server, b"h2")));
        let name = ServerName::try_from("lastout-webhook.lastout.svc").unwrap();
        let stream =
            connector.connect(name, TcpStream::connect(server.address).await.unwrap()).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut ask = || {
            let body = Full::new(Bytes::from(review(&pod()).to_string()));
            let request = hyper::Request::post("https://lastout-webhook.lastout.svc/mutate?timeout=10s");
            sender.send_request(request.body(body).unwrap())
        };
        for answer in futures_util::future::join_all((0..50).map(|_| ask())).await {
            let answer = answer.unwrap();
            assert_eq!(answer.status(), 200);
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let answer: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(answer["response"]["allowed"], true);
        }
    });
    assert_eq!(server.metric("admissions_total{reason=\"injected-wrap\"}"), 50);
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
    assert_eq!(server.line(|line| line["message"] == "request refused")["level"], "warning");
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
