//! A registry on loopback: it answers what a test has put there, and remembers what it was asked.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// An answer to one question.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// How long nothing is said.
    pub after: Duration,
    /// The body again and again, so many times, without its length in front.
    pub times: usize,
}

pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let headers = headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Answer { status, headers, body: body.into(), after: Duration::ZERO, times: 1 }
}

/// A question: its line, and its headers in lower case.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

#[derive(Default)]
struct State {
    answers: Mutex<BTreeMap<String, Vec<Answer>>>,
    asked: Mutex<Vec<Asked>>,
    sent: AtomicUsize,
    token: Mutex<Option<(String, String)>>,
}

#[derive(Clone)]
pub struct Registry {
    pub authority: String,
    state: Arc<State>,
}

pub fn sha256(bytes: &[u8]) -> String {
    let hex: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

impl Registry {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State::default());
        let registry = Self { authority, state: Arc::clone(&state) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&state);
                thread::spawn(move || serve(stream, &state));
            }
        });
        registry
    }

    /// Answers to a path, one after the other; the last one stays.
    pub fn put(&self, path: &str, answers: &[Answer]) {
        self.state.answers.lock().unwrap().insert(path.to_owned(), answers.to_vec());
    }

    /// Everything below /v2/ wants this header, else gets this challenge.
    pub fn guard(&self, authorization: &str, challenge: &str) {
        *self.state.token.lock().unwrap() = Some((authorization.to_owned(), challenge.to_owned()));
    }

    /// A blob: its digest.
    pub fn blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        self.put(&format!("/v2/{repository}/blobs/{digest}"), &[answer(200, &[], bytes)]);
        digest
    }

    /// A manifest under its digest and, if there is one, under a tag: its digest.
    pub fn manifest(&self, repository: &str, tag: Option<&str>, manifest: &Value) -> String {
        let bytes = manifest.to_string().into_bytes();
        let digest = sha256(&bytes);
        let kind = manifest["mediaType"].as_str().unwrap_or(MANIFEST).to_owned();
        for name in [Some(digest.as_str()), tag].into_iter().flatten() {
            let path = format!("/v2/{repository}/manifests/{name}");
            self.put(&path, &[answer(200, &[("content-type", &kind)], bytes.clone())]);
        }
        digest
    }

    /// An image for one platform with this `config`: its manifest's digest.
    pub fn image(&self, repository: &str, tag: Option<&str>, config: &Value) -> String {
        let config = json!({ "os": "linux", "architecture": "amd64", "config": config }).to_string();
        let digest = self.blob(repository, config.as_bytes());
        self.manifest(
            repository,
            tag,
            &json!({ "mediaType": MANIFEST, "config": { "mediaType": CONFIG, "digest": digest }, "layers": [] }),
        )
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    /// `GET /path`, without the version.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    /// Bytes of bodies.
    pub fn sent(&self) -> usize {
        self.state.sent.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, state: &State) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(asked) = question(&mut reader) {
        let path =
            asked.line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        let authorization = asked.headers.get("authorization").cloned();
        state.asked.lock().unwrap().push(asked);
        let wanted = state.token.lock().unwrap().clone();
        let answer = match wanted {
            Some((wanted, challenge))
                if path.starts_with("/v2/") && authorization.as_ref() != Some(&wanted) =>
            {
                answer(401, &[("www-authenticate", &challenge)], "")
            }
            _ => next(state, &path),
        };
        if tell(&mut stream, &answer, state).is_err() {
            return;
        }
    }
}

fn next(state: &State, path: &str) -> Answer {
    let mut answers = state.answers.lock().unwrap();
    match answers.get_mut(path) {
        Some(list) if list.len() > 1 => list.remove(0),
        Some(list) => list[0].clone(),
        None => answer(404, &[], "{}"),
    }
}

fn question(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((key, value)) = header.trim().split_once(':') else { break };
        headers.insert(key.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked { line, headers, body: String::from_utf8(body).ok()? })
}

fn tell(stream: &mut TcpStream, answer: &Answer, state: &State) -> std::io::Result<()> {
    thread::sleep(answer.after);
    let mut head = format!("HTTP/1.1 {} Word\r\n", answer.status);
    for (key, value) in &answer.headers {
        head.push_str(&format!("{key}: {value}\r\n"));
    }
    if answer.times > 1 {
        head.push_str("transfer-encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        for _ in 0..answer.times {
            stream.write_all(format!("{:x}\r\n", answer.body.len()).as_bytes())?;
            stream.write_all(&answer.body)?;
            stream.write_all(b"\r\n")?;
            state.sent.fetch_add(answer.body.len(), Ordering::SeqCst);
        }
        return stream.write_all(b"0\r\n\r\n");
    }
    if !answer.headers.iter().any(|(key, _)| key == "content-length") {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&answer.body)?;
    state.sent.fetch_add(answer.body.len(), Ordering::SeqCst);
    Ok(())
}
