//! As much of an API server as `helm install --dry-run=client` asks for: that it is there, and that there are Jobs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

const ANSWERS: [(&str, &str); 5] = [
    ("/version", r#"{"major": "1", "minor": "36", "gitVersion": "v1.36.0"}"#),
    ("/api", r#"{"kind": "APIVersions", "versions": []}"#),
    (
        "/apis",
        r#"{"kind": "APIGroupList", "apiVersion": "v1",
            "groups": [{"name": "batch", "versions": [{"groupVersion": "batch/v1", "version": "v1"}]}]}"#,
    ),
    (
        "/apis/batch/v1",
        r#"{"kind": "APIResourceList", "groupVersion": "batch/v1",
            "resources": [{"name": "jobs", "kind": "Job", "namespaced": true, "verbs": ["get"]}]}"#,
    ),
    ("", r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}"#),
];

/// Starts it, for as long as the test runs; its URL.
pub fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(&stream.unwrap()));
        }
    });
    url
}

/// One request; what else may come on the connection is another's business.
fn answer(mut stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(request)) = lines.next() else { return };
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    if lines.map_while(Result::ok).all(|line| !line.is_empty()) {
        return;
    }
    let (known, body) = ANSWERS.into_iter().find(|(known, _)| [path, ""].contains(known)).unwrap();
    let status = if known.is_empty() { "404 Not Found" } else { "200 OK" };
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}
