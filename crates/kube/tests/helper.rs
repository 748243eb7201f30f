//! `kubectl lastout helper`, before an API server that does what a real one does only now and then: watches that are cut, versions
//! that are forgotten, rights that come later, a restart.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// What the server does with one request.
enum Answer {
    /// The pod, in a list.
    List(Value),
    /// A list without it.
    NoPod,
    /// An error of this status.
    Status(u16),
    /// Events of a watch, and then its end; `None`: the watch stays open.
    Watch(Vec<Value>, bool),
    /// The connection is cut.
    Cut,
    /// Nothing comes, for as long as the helper waits.
    Silence,
}

const PATIENCE: Duration = Duration::from_secs(60);

/// A pod with a main and a mesh, in these states.
fn pod(main: &Value, proxy: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "report", "namespace": "jobs", "resourceVersion": "7" },
        "spec": { "restartPolicy": "Never", "containers": [{ "name": "main" }, { "name": "istio-proxy" }] },
        "status": { "phase": "Running", "containerStatuses": [
            { "name": "main", "state": main }, { "name": "istio-proxy", "state": proxy },
        ] },
    })
}

fn running() -> Value {
    json!({ "running": {} })
}

fn ended() -> Value {
    json!({ "terminated": { "exitCode": 0 } })
}

fn event(kind: &str, object: &Value) -> Value {
    json!({ "type": kind, "object": object })
}

/// The usual course: it runs, it is over, its sidecar is gone.
fn course() -> Vec<Answer> {
    vec![
        Answer::List(pod(&running(), &running())),
        Answer::Watch(vec![event("MODIFIED", &pod(&ended(), &running()))], false),
        Answer::List(pod(&ended(), &ended())),
    ]
}

struct Helper {
    child: Child,
    requests: Receiver<String>,
    stops: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Helper {
    /// Starts it before a server that gives these answers, one for each request.
    fn start(answers: Vec<Answer>, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = folder.path().join("config");
        let url = format!("http://{}", listener.local_addr().unwrap());
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{ "name": "x", "cluster": { "server": url } }],
            "contexts": [{ "name": "x", "context": { "cluster": "x", "user": "x" } }],
            "users": [{ "name": "x", "user": {} }],
        });
        fs::write(&config, text.to_string()).unwrap();
        let (sender, requests) = channel();
        std::thread::spawn(move || serve(&listener, answers.into(), &sender));
        // It notes what it is told, as the wrapper's own tests show what `stop` does.
        let (lastout, stops) = (folder.path().join("lastout"), folder.path().join("stops"));
        fs::write(&lastout, format!("#!/bin/sh\necho \"$@\" >>'{}'\n", stops.display())).unwrap();
        fs::set_permissions(&lastout, fs::Permissions::from_mode(0o755)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"))
            .args(["helper", "--pod", "report", "--pod-namespace", "jobs", "--lastout"])
            .arg(&lastout)
            .args(words)
            .env("KUBECONFIG", &config)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, requests, stops, _folder: folder }
    }

    fn request(&self) -> String {
        self.requests.recv_timeout(PATIENCE).unwrap()
    }

    /// Its exit code, its log, and what the wrapper was told.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut stderr = self.child.stderr.take().unwrap();
        let (sender, read) = channel();
        std::thread::spawn(move || {
            let mut log = String::new();
            let _ = stderr.read_to_string(&mut log);
            sender.send(log)
        });
        let log = read.recv_timeout(PATIENCE);
        let _ = log.is_err().then(|| self.child.kill());
        let log = log.unwrap_or_else(|_| {
            format!("it did not end: {:?}", self.requests.try_iter().collect::<Vec<_>>())
        });
        let code = self.child.wait().unwrap().code();
        (code, log, fs::read_to_string(&self.stops).unwrap_or_default())
    }
}

fn serve(listener: &TcpListener, mut answers: VecDeque<Answer>, requests: &Sender<String>) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let Some(request) = head(&stream) else { continue };
        let Some(answer) = answers.pop_front() else { return };
        let _ = requests.send(request.clone());
        let is_watch = request.contains("watch=true");
        match answer {
            Answer::List(pod) => {
                if is_watch {
                    let _ = requests.send(format!("a watch where a list was due: {request}"));
                    continue;
                }
                let items = json!([pod]);
                reply(
                    &mut stream,
                    200,
                    &json!({ "kind": "PodList", "apiVersion": "v1", "metadata": { "resourceVersion": "7" }, "items": items }),
                );
            }
            Answer::NoPod => {
                reply(
                    &mut stream,
                    200,
                    &json!({ "kind": "PodList", "apiVersion": "v1", "metadata": { "resourceVersion": "7" }, "items": [] }),
                );
            }
            Answer::Status(code) => {
                let message = format!("pods is forbidden: {code}");
                reply(
                    &mut stream,
                    code,
                    &json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": "Forbidden", "code": code }),
                );
            }
            Answer::Watch(events, is_open) => {
                if !is_watch || !request.contains("resourceVersion=7") {
                    let _ = requests.send(format!("no watch from version 7: {request}"));
                    continue;
                }
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
                );
                for event in events {
                    let _ = writeln!(stream, "{event}");
                }
                if is_open {
                    // Until the helper has gone.
                    let _ = stream.read(&mut [0]);
                }
            }
            Answer::Cut => {}
            Answer::Silence => {
                std::thread::spawn(move || stream.read(&mut [0]));
            }
        }
    }
}

fn head(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next()?.ok()?;
    lines.map_while(Result::ok).any(|line| line.is_empty()).then_some(request)
}

fn reply(stream: &mut TcpStream, code: u16, body: &Value) {
    let body = body.to_string();
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}

#[test]
fn it_watches_its_own_pod_alone_and_stops_the_sidecars_once() {
    let helper = Helper::start(course(), &["--sidecar", "istio", "--stop-timeout", "3s"]);
    let list = helper.request();
    assert!(list.starts_with("GET /api/v1/namespaces/jobs/pods?"), "{list}");
    assert!(list.contains("fieldSelector=metadata.name%3Dreport"), "{list}");
    assert!(helper.request().contains("fieldSelector=metadata.name%3Dreport"));
    let (code, log, stops) = helper.end();
    assert_eq!((code, stops.as_str()), (Some(0), "stop --stop-timeout 3s istio\n"), "{log}");
    assert!(log.contains("waiting for main") && log.contains("main ended with 0: stopping istio"), "{log}");
}

#[test]
fn cut_watches_forgotten_versions_and_restarts_lead_to_a_new_list() {
    let gone = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "too old", "reason": "Expired", "code": 410 });
    let mut answers = vec![
        Answer::Cut,
        Answer::Status(503),
        Answer::List(pod(&running(), &running())),
        Answer::Watch(Vec::new(), false),
        Answer::List(pod(&running(), &running())),
        Answer::Watch(vec![event("ERROR", &gone)], false),
        Answer::List(pod(&running(), &running())),
        Answer::Status(410),
        Answer::List(pod(&running(), &running())),
        Answer::Cut,
    ];
    answers.extend(course());
    let (code, log, stops) = Helper::start(answers, &["--sidecar", "istio"]).end();
    assert_eq!((code, stops.as_str()), (Some(0), "stop istio\n"), "{log}");
    assert_eq!(log.matches("waiting for main").count(), 1, "what does not change is told once: {log}");
    assert!(log.contains("the pod can be watched again"), "{log}");
}

#[test]
fn without_rights_it_says_so_once_and_works_when_it_has_them() {
    let mut answers = vec![Answer::Status(403), Answer::Status(403), Answer::Status(403)];
    answers.extend(course());
    let (code, log, stops) = Helper::start(answers, &["--sidecar", "istio"]).end();
    assert_eq!((code, stops.as_str()), (Some(0), "stop istio\n"), "{log}");
    let said: Vec<&str> = log.lines().filter(|line| line.contains("forbidden")).collect();
    assert!(matches!(said[..], [line] if line.contains("manifests --helper")), "{log}");
}

#[test]
fn a_sidecar_that_runs_on_is_asked_again() {
    let mut answers = course();
    answers.pop();
    for _ in 0..3 {
        answers.push(Answer::List(pod(&ended(), &running())));
    }
    answers.push(Answer::List(pod(&ended(), &ended())));
    let (code, log, stops) = Helper::start(answers, &["--sidecar", "istio"]).end();
    assert_eq!(
        (code, stops.as_str()),
        (Some(0), "stop istio\nstop istio\nstop istio\nstop istio\n"),
        "{log}"
    );
}

#[test]
fn a_pod_that_is_gone_is_left_alone() {
    let deleted = vec![
        Answer::List(pod(&running(), &running())),
        Answer::Watch(vec![event("DELETED", &pod(&running(), &running()))], false),
    ];
    let forgotten =
        vec![Answer::List(pod(&running(), &running())), Answer::Watch(Vec::new(), false), Answer::NoPod];
    for answers in [deleted, forgotten] {
        let (code, log, stops) = Helper::start(answers, &["--sidecar", "istio"]).end();
        assert_eq!((code, stops.as_str()), (Some(0), ""), "{log}");
    }
}

#[test]
fn a_pod_that_never_was_is_a_wrong_name() {
    let (code, log, stops) = Helper::start(vec![Answer::NoPod], &["--sidecar", "istio"]).end();
    assert_eq!((code, stops.as_str()), (Some(2), ""), "{log}");
    assert!(log.contains("--pod report: namespace jobs has no such pod: POD_NAME"), "{log}");
}

#[test]
fn a_server_that_is_silent_is_told_and_asked_again() {
    let mut answers = vec![Answer::Silence];
    answers.extend(course());
    let (code, log, stops) = Helper::start(answers, &["--sidecar", "istio"]).end();
    assert_eq!((code, stops.as_str()), (Some(0), "stop istio\n"), "{log}");
    assert!(log.contains("this pod cannot be watched: no answer within 30 s"), "{log}");
}

#[test]
fn sigterm_ends_it_at_once_with_0() {
    let answers = vec![Answer::List(pod(&running(), &running())), Answer::Watch(Vec::new(), true)];
    let helper = Helper::start(answers, &["--sidecar", "istio"]);
    assert!(!helper.request().contains("watch=true"));
    assert!(helper.request().contains("watch=true"));
    let killed = Command::new("sh").args(["-c", "kill $0", &helper.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let (code, log, stops) = helper.end();
    assert_eq!((code, stops.as_str()), (Some(0), ""), "{log}");
}

#[test]
fn what_can_never_be_ends_it_with_one_line() {
    let answers = vec![Answer::List(pod(&running(), &running()))];
    let (code, log, _) = Helper::start(answers, &["--sidecar", "istio", "--main", "mian"]).end();
    let last = log.lines().last().unwrap();
    assert_eq!(code, Some(2), "{log}");
    assert!(last.contains("--main mian: the pod has no such container; it has main, istio-proxy"), "{log}");
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"))
        .args(["helper", "--sidecar", "istio"])
        .env_remove("POD_NAME")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("POD_NAME"), "{output:?}");
}
