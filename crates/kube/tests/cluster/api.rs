//! As much of an API server as a test says.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it answers.
pub enum Answer {
    /// An object.
    Object(Value),
    /// A `Status` with this code and message.
    Status(u16, &'static str),
    /// Text, whatever the client makes of it.
    Text(String),
    /// The same, whatever the bytes are.
    Bytes(Vec<u8>),
    /// Half of an answer, then the end of the connection.
    Cut,
}

/// It answers for as long as the test runs.
pub struct Api {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
    bodies: Arc<Mutex<Vec<String>>>,
}

type Answers = dyn Fn(&str, usize) -> Answer + Send + Sync;

impl Api {
    /// `answers`: by path and query, and the how-manieth request for that path this is, from 0.
    pub fn start(answers: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let api = Self { url, asked: Arc::default(), bodies: Arc::default() };
        let (asked, bodies) = (api.asked.clone(), api.bodies.clone());
        let answers: Arc<Answers> = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (asked, bodies, answers) = (asked.clone(), bodies.clone(), answers.clone());
                thread::spawn(move || serve(&stream.unwrap(), &asked, &bodies, &*answers));
            }
        });
        api
    }

    /// Method and path of each request so far, in their order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What came with those of them that send something.
    pub fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().unwrap().iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }
}

/// One request; the client opens another connection for the next.
fn serve(mut stream: &TcpStream, log: &Mutex<Vec<String>>, bodies: &Mutex<Vec<String>>, answers: &Answers) {
    let mut reader = BufReader::new(stream);
    let mut head = reader.by_ref().lines();
    let Some(Ok(request)) = head.next() else { return };
    let head: Vec<String> = head.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<u64>().unwrap())
    });
    let mut body = String::new();
    reader.take(length.unwrap_or(0)).read_to_string(&mut body).unwrap();
    if !body.is_empty() {
        bodies.lock().unwrap().push(body);
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let bare = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
    let count = {
        let mut log = log.lock().unwrap();
        let same =
            |asked: &&String| asked.split_once(' ').is_some_and(|(_, other)| bare(other) == bare(&path));
        let count = log.iter().filter(same).count();
        log.push(format!("{method} {path}"));
        count
    };
    let (status, body) = match answers(&path, count) {
        Answer::Object(object) => (200, object.to_string().into_bytes()),
        Answer::Text(text) => (200, text.into_bytes()),
        Answer::Bytes(bytes) => (200, bytes),
        Answer::Status(code, message) => {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message,
                "reason": "X", "metadata": {},
            });
            (code, status.to_string().into_bytes())
        }
        Answer::Cut => {
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{{"
            );
            return;
        }
    };
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(&body);
}

/// A list of pods; `token`: there is more.
pub fn list(items: &[Value], token: &str) -> Answer {
    Answer::Object(json!({
        "kind": "PodList", "apiVersion": "v1", "metadata": { "resourceVersion": "7", "continue": token }, "items": items,
    }))
}

/// A pod of Job `job` whose main is over since long, and whose Envoy runs.
pub fn hanging(name: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "jobs", "uid": name,
            "labels": { "batch.kubernetes.io/job-name": "job" },
        },
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                { "name": "main", "image": "report", "command": ["/app/report"] },
                { "name": "envoy", "image": "envoyproxy/envoy" },
            ],
        },
        "status": {
            "phase": "Running",
            "startTime": "2026-01-01T00:00:00Z",
            "containerStatuses": [
                { "name": "main", "restartCount": 0, "state": { "terminated": {
                    "exitCode": 0, "reason": "Completed", "finishedAt": "2026-01-01T00:01:00Z" } } },
                { "name": "envoy", "restartCount": 0, "started": true, "state": { "running": {
                    "startedAt": "2026-01-01T00:00:01Z" } } },
            ],
        },
    })
}

/// The Job of these pods, of a CronJob, without an end.
pub fn job() -> Answer {
    Answer::Object(json!({
        "kind": "Job", "apiVersion": "batch/v1",
        "metadata": { "name": "job", "namespace": "jobs", "ownerReferences": [{ "kind": "CronJob", "name": "nightly" }] },
        "spec": {}, "status": { "startTime": "2026-01-01T00:00:00Z" },
    }))
}
