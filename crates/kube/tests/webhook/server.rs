//! The built program as a server, and connections to it.

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Until a fact, or a failure. Other tests have the processors as well.
pub const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    authority: CertificateDer<'static>,
    log: Arc<Mutex<Vec<Value>>>,
    _folder: tempfile::TempDir,
}

pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// What a server answers.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        assert!(self.head.contains("content-type: application/json"), "{}", self.head);
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What becomes of the log behind the line that says where the server listens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Reads,
    Stops,
    Closes,
}

impl Server {
    /// Starts it with these options, on ports that the kernel gives.
    pub fn start(options: &[&str]) -> Self {
        Self::start_read_by(Reader::Reads, options)
    }

    pub fn start_read_by(reader: Reader, options: &[&str]) -> Self {
        let pair = rcgen::generate_simple_self_signed(["lastout-webhook.lastout.svc".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("tls.crt"), pem("CERTIFICATE", pair.cert.der())).unwrap();
        std::fs::write(file("tls.key"), pem("PRIVATE KEY", pair.signing_key.serialized_der())).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"))
            .args(["webhook", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--tls-cert"])
            .arg(file("tls.crt"))
            .arg("--tls-key")
            .arg(file("tls.key"))
            .args(options)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log: Arc<Mutex<Vec<Value>>> = Arc::default();
        let listening = read_log(child.stderr.take().unwrap(), log.clone(), reader);
        let line = listening.recv_timeout(PATIENCE).unwrap();
        let address = |key: &str| line[key].as_str().unwrap().parse().unwrap();
        let (listen, admin) = (address("address"), address("admin"));
        let authority = pair.cert.der().clone();
        Self { child, address: listen, admin, authority, log, _folder: folder }
    }

    /// A connection of an API server.
    pub fn connect(&self) -> Tls {
        self.connect_offering(&["http/1.1"])
    }

    /// The same, with these protocols to choose from.
    pub fn connect_offering(&self, protocols: &[&str]) -> Tls {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).unwrap();
        self.connect_by(roots, protocols)
    }

    pub fn connect_trusting(&self, roots: RootCertStore) -> Tls {
        self.connect_by(roots, &["http/1.1"])
    }

    fn connect_by(&self, roots: RootCertStore, protocols: &[&str]) -> Tls {
        tls(self.connect_plainly(), roots, protocols)
    }

    /// An API server's connection, which is there already.
    pub fn tls(&self, stream: TcpStream) -> Tls {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        tls(stream, roots, &["http/1.1"])
    }

    pub fn connect_plainly(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// One request on a connection of its own.
    pub fn post(&self, body: &[u8]) -> Answer {
        exchange(&mut self.connect(), &request("/mutate?timeout=30s", "", body)).unwrap()
    }

    /// The answer to a review.
    pub fn ask(&self, review: &Value) -> Value {
        let answer = self.post(review.to_string().as_bytes()).json();
        assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(answer["kind"], "AdmissionReview");
        assert_eq!(answer["response"]["uid"], review["request"]["uid"]);
        assert_eq!(answer["response"]["allowed"], true);
        answer["response"].clone()
    }

    /// A page of the second port.
    pub fn get(&self, path: &str) -> Answer {
        self.ask_admin("GET", path)
    }

    /// The same by another method.
    pub fn ask_admin(&self, method: &str, path: &str) -> Answer {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        exchange(&mut stream, format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap()
    }

    /// A sample of `/metrics`.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").text();
        let of = |line: &str| line.strip_prefix("lastout_webhook_")?.strip_prefix(name)?.trim().parse().ok();
        text.lines().find_map(of).unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// Waits for a line of the log.
    pub fn line(&self, is_meant: impl Fn(&Value) -> bool) -> Value {
        until(
            || self.log.lock().unwrap().iter().find(|line| is_meant(line)).cloned(),
            || self.log.lock().unwrap().clone(),
        )
    }

    /// The lines of the log so far.
    pub fn lines(&self, is_meant: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.log.lock().unwrap().iter().filter(|line| is_meant(line)).cloned().collect()
    }

    /// Waits until a sample of `/metrics` is this.
    pub fn metric_becomes(&self, name: &str, value: u64) {
        until(|| (self.metric(name) == value).then_some(()), || self.metric(name));
    }

    /// A line of /proc/PID/status, in KiB.
    #[cfg(target_os = "linux")]
    pub fn memory(&self, name: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// As the kubelet ends it.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        // The shell's own: a bare system has no other.
        let status = Command::new("sh").args(["-c", "kill -s $0 $1", name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Its exit code.
    pub fn exit(&mut self) -> Option<i32> {
        let mut ended = || self.child.try_wait().unwrap();
        until(&mut ended, || "it has not ended").code()
    }

    pub fn has_exited(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until there is something.
pub fn until<T, E: std::fmt::Debug>(mut look: impl FnMut() -> Option<T>, else_told: impl Fn() -> E) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{:?}", else_told());
        thread::sleep(POLL);
    }
}

fn tls(stream: TcpStream, roots: RootCertStore, protocols: &[&str]) -> Tls {
    let mut config = client(roots);
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("lastout-webhook.lastout.svc").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

fn client(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(roots).with_no_client_auth()
}

/// Collects the log; gives the line that says where it listens.
fn read_log(
    stderr: impl Read + Send + 'static,
    log: Arc<Mutex<Vec<Value>>>,
    reader: Reader,
) -> Receiver<Value> {
    let (sender, listening) = channel();
    thread::spawn(move || {
        let mut stderr = BufReader::new(stderr);
        for line in stderr.by_ref().lines() {
            let line = line.unwrap();
            // Why it ends is told as by each verb.
            if line.starts_with("kubectl-lastout: ") {
                continue;
            }
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            if value["message"] == "listening" {
                sender.send(value.clone()).unwrap();
                if reader != Reader::Reads {
                    break;
                }
            }
            log.lock().unwrap().push(value);
        }
        if reader == Reader::Stops {
            loop {
                thread::park(); // with the pipe open
            }
        }
    });
    listening
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64::engine::general_purpose::STANDARD.encode(der).as_bytes().chunks(64) {
        writeln!(text, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    text + &format!("-----END {label}-----\n")
}

/// A request with these further header fields, each with its line end.
pub fn request(path: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Sends, and reads one answer.
pub fn exchange(stream: &mut (impl Read + Write), request: &[u8]) -> io::Result<Answer> {
    stream.write_all(request)?;
    stream.flush()?;
    answer(stream)
}

/// Reads one answer.
pub fn answer(stream: &mut impl Read) -> io::Result<Answer> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head, body })
}
