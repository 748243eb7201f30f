//! An API server with one Secret and one configuration: versions, watches, conflicts, and what tests do to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::jiff::fmt::rfc2822::DateTimePrinter;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kubectl_lastout::webhook::certificates::names::Names;
use kubectl_lastout::webhook::certificates::rights;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

pub const SECRET: &str = "/api/v1/namespaces/lastout/secrets/lastout-webhook-ca";
pub const CONFIGURATION: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/zz-lastout";

/// What the store holds, and what became of it: each change is an event.
#[derive(Default)]
struct Store {
    version: u64,
    objects: BTreeMap<&'static str, Value>,
    /// Version, path, kind of event, object.
    events: Vec<(u64, &'static str, &'static str, Value)>,
    /// Verb and path of each request.
    asked: Vec<(&'static str, String)>,
    /// So many requests to come are refused with this code.
    refused: (u32, u16),
    /// And so many that write.
    refused_writes: (u32, u16),
    /// How often all watches were cut.
    cuts: u64,
    /// Seconds that its clock is ahead of this machine's.
    ahead: i64,
}

#[derive(Clone)]
pub struct Api {
    url: String,
    store: Arc<(Mutex<Store>, Condvar)>,
}

impl Api {
    /// With a configuration that was just applied.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let api = Self { url, store: Arc::default() };
        api.put(CONFIGURATION, configuration());
        let server = api.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(&stream.unwrap()));
            }
        });
        api
    }

    /// A kubeconfig for it.
    pub fn kubeconfig(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{ "name": "x", "cluster": { "server": self.url } }],
            "contexts": [{ "name": "x", "context": { "cluster": "x", "user": "x", "namespace": "lastout" } }],
            "users": [{ "name": "x", "user": {} }],
        })
    }

    pub fn get(&self, path: &str) -> Option<Value> {
        self.lock().objects.get(path).cloned()
    }

    /// Somebody else writes.
    pub fn put(&self, path: &'static str, object: Value) {
        self.change(&mut self.lock(), path, Some(object));
    }

    pub fn delete(&self, path: &'static str) {
        self.change(&mut self.lock(), path, None);
    }

    /// The next requests are refused.
    pub fn refuse(&self, requests: u32, code: u16) {
        self.lock().refused = (requests, code);
    }

    /// The next requests that write are refused.
    pub fn refuse_writes(&self, requests: u32, code: u16) {
        self.lock().refused_writes = (requests, code);
    }

    /// Its clock is so many seconds ahead of this machine's.
    pub fn set_clock(&self, ahead: i64) {
        self.lock().ahead = ahead;
    }

    /// Now, by its clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.lock().ahead)
    }

    /// As RFC 9110 writes it.
    fn date(&self) -> String {
        DateTimePrinter::new().timestamp_to_rfc9110_string(&self.now()).unwrap()
    }

    /// The watches end.
    pub fn cut(&self) {
        let mut store = self.lock();
        store.cuts += 1;
        self.store.1.notify_all();
    }

    pub fn asked(&self) -> Vec<(&'static str, String)> {
        self.lock().asked.clone()
    }

    /// The authorities' certificates in both entries, as PEM; nothing where they differ.
    pub fn bundle(&self) -> Option<String> {
        let object = self.get(CONFIGURATION)?;
        let of =
            |index: usize| object["webhooks"][index]["clientConfig"]["caBundle"].as_str().map(str::to_owned);
        let (first, second) = (of(0)?, of(1)?);
        (first == second).then(|| String::from_utf8(STANDARD.decode(first).unwrap()).unwrap())
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.0.lock().unwrap()
    }

    fn change(&self, store: &mut Store, path: &'static str, object: Option<Value>) {
        store.version += 1;
        let version = store.version;
        let old = store.objects.remove(path);
        let (kind, object) = match object {
            None => ("DELETED", old.clone()),
            Some(mut object) => {
                object["metadata"]["resourceVersion"] = version.to_string().into();
                store.objects.insert(path, object.clone());
                (if old.is_some() { "MODIFIED" } else { "ADDED" }, Some(object))
            }
        };
        if let Some(object) = object {
            store.events.push((version, path, kind, object));
        }
        self.store.1.notify_all();
    }

    /// Requests of one connection.
    fn serve(&self, mut stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        loop {
            let mut request = String::new();
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                let line = line.trim().to_ascii_lowercase();
                if let Some(text) = line.strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let words: Vec<&str> = request.split(' ').collect();
            let (code, answer) = match self.refusal(words[0], words[1]) {
                Some(code) => status(code),
                None if words[1].contains("watch=true") => return self.watch(stream, words[1]),
                None => self.answer(words[0], words[1], &body),
            };
            let answer = answer.to_string();
            let length = answer.len();
            let head = format!(
                "HTTP/1.1 {code} X\r\nDate: {}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
                self.date()
            );
            if stream.write_all((head + &answer).as_bytes()).is_err() {
                return;
            }
        }
    }

    fn refusal(&self, method: &str, path: &str) -> Option<u16> {
        let mut store = self.lock();
        let verb = match method {
            "GET" if path.contains("watch=true") => "watch",
            "GET" => "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            other => panic!("{other} {path}"),
        };
        store.asked.push((verb, path.to_owned()));
        if !is_allowed(verb, path) {
            return Some(403);
        }
        let is_write = !matches!(verb, "list" | "watch");
        let store = &mut *store;
        [(true, &mut store.refused), (is_write, &mut store.refused_writes)]
            .into_iter()
            .filter(|(concerns, (left, _))| *concerns && *left > 0)
            .map(|(_, (left, code))| {
                *left -= 1;
                *code
            })
            .next()
    }

    fn answer(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let mut store = self.lock();
        let Some(object) = object_of(path) else { return status(404) };
        let now = store.objects.get(object).cloned();
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        let new = match (method, now) {
            ("GET", now) => {
                let list = json!({
                    "kind": "List", "apiVersion": "v1", "metadata": { "resourceVersion": store.version.to_string() },
                    "items": now.into_iter().collect::<Vec<_>>(),
                });
                return (200, list);
            }
            ("POST", Some(_)) => return status(409),
            ("POST", None) => serde_json::from_slice(body).unwrap(),
            (_, None) => return status(404),
            ("PUT", Some(now)) => {
                let new: Value = serde_json::from_slice(body).unwrap();
                if version(&new) != version(&now) {
                    return status(409);
                }
                new
            }
            ("PATCH", Some(mut now)) => {
                let patch: json_patch::Patch = serde_json::from_slice(body).unwrap();
                if json_patch::patch(&mut now, &patch).is_err() {
                    return status(422);
                }
                now
            }
            (other, _) => panic!("{other} {path}"),
        };
        self.change(&mut store, object, Some(new));
        (200, store.objects[object].clone())
    }

    /// Events until it is cut.
    fn watch(&self, mut stream: &TcpStream, path: &str) {
        let from = path.split("resourceVersion=").nth(1).and_then(|text| text.split('&').next());
        let mut from: u64 = from.unwrap().parse().unwrap();
        let object = object_of(path).unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\nDate: {}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
            self.date()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut store = self.lock();
        let cuts = store.cuts;
        while store.cuts == cuts {
            let news: Vec<String> = store
                .events
                .iter()
                .filter(|event| event.0 > from && event.1 == object)
                .map(|(_, _, kind, object)| format!("{}\n", json!({ "type": kind, "object": object })))
                .collect();
            from = store.version;
            drop(store);
            if stream.write_all(news.concat().as_bytes()).is_err() {
                return;
            }
            store = self.lock();
            if store.version == from && store.cuts == cuts {
                store = self.store.1.wait_timeout(store, Duration::from_secs(1)).unwrap().0;
            }
        }
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
}

/// Which object a path, with its field selector, is about.
fn object_of(path: &str) -> Option<&'static str> {
    [SECRET, CONFIGURATION].into_iter().find(|object| {
        let (list, name) = object.rsplit_once('/').unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        path == *object
            || path == list
                && (query.contains(&format!("metadata.name%3D{name}")) || !query.contains("fieldSelector"))
    })
}

/// By the rules that `manifests` prints, as RBAC reads them: a list and a watch have the name of their field selector.
fn is_allowed(verb: &str, path: &str) -> bool {
    let names = Names::of_bundle("lastout");
    let rules = if path.starts_with("/api/v1/namespaces/lastout/secrets") {
        rights::in_namespace(&names)
    } else {
        rights::in_cluster(&names)
    };
    let is_named = path.contains("metadata.name%3D")
        || [SECRET, CONFIGURATION].iter().any(|object| path.starts_with(object));
    let rules = rules.as_array().unwrap();
    object_of(path).is_some()
        && rules.iter().any(|rule| {
            let has_verb = rule["verbs"].as_array().unwrap().iter().any(|other| other == verb);
            has_verb && (rule["resourceNames"].is_null() || is_named)
        })
}

fn status(code: u16) -> (u16, Value) {
    let message = format!("refused with {code}");
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message,
        "reason": "X", "metadata": {},
    });
    (code, status)
}

/// As the bundle has it, before anybody has filled in a `caBundle`.
pub fn configuration() -> Value {
    let service =
        json!({ "name": "lastout-webhook", "namespace": "lastout", "path": "/mutate", "port": 443 });
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": "zz-lastout" },
        "webhooks": [
            { "name": "pods.lastout.dev", "clientConfig": { "service": service } },
            { "name": "namespaces.lastout.dev", "clientConfig": { "service": service } },
        ],
    })
}
