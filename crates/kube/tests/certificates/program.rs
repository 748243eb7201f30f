//! The program itself, before an API server, asked by curl.

use crate::api::Api;
use crate::replica::{PATIENCE, until};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::channel;

/// Ends with the test.
struct Program {
    child: Child,
    /// Where admissions and probes go.
    ports: [u16; 2],
    folder: tempfile::TempDir,
}

impl Program {
    fn start(api: &Api) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("config");
        std::fs::write(&kubeconfig, api.kubeconfig().to_string()).unwrap();
        let mut child = webhook(&[])
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .env("POD_NAMESPACE", "lastout")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let mut program = Self { child, ports: [0; 2], folder };
        program.ports = program.listening(stderr);
        program
    }

    /// Where it listens. It is read on, as a full pipe would keep it from writing.
    fn listening(&mut self, stderr: ChildStderr) -> [u16; 2] {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut said = Vec::new();
        loop {
            let Ok(line) = lines.recv_timeout(PATIENCE) else {
                panic!("it does not listen; ended: {:?}; it has said {said:?}", self.child.try_wait());
            };
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            said.push(line);
            if value["message"] == "listening" {
                return ["address", "admin"]
                    .map(|key| value[key].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap());
            }
        }
    }

    /// What the second port answers.
    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports[1])).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(answer)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn webhook(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"));
    command.args(["webhook", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]).args(words);
    command
}

/// curl is OpenSSL's or GnuTLS's verifier, not ours.
fn curl(program: &Program, bundle: &str) -> Option<Output> {
    let authorities = program.folder.path().join("ca.crt");
    std::fs::write(&authorities, bundle).unwrap();
    let [port, _] = program.ports;
    Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--data",
            "no review",
        ])
        .args(["--resolve", &format!("lastout-webhook.lastout.svc:{port}:127.0.0.1"), "--cacert"])
        .arg(authorities)
        .arg(format!("https://lastout-webhook.lastout.svc:{port}/mutate"))
        .output()
        .ok()
}

#[test]
fn the_program_becomes_ready_and_curl_trusts_it() {
    let (api, elsewhere) = (Api::start(), Api::start());
    let (program, other) = (Program::start(&api), Program::start(&elsewhere));
    for program in [&program, &other] {
        let answer = until(|| program.get("/readyz"), || program.ports);
        assert!(
            answer.contains("its authority is in caBundle of mutatingwebhookconfiguration zz-lastout"),
            "{answer}"
        );
        let metrics = program.get("/metrics").unwrap();
        assert!(metrics.contains("\nlastout_webhook_certificate_trusted 1\n"), "{metrics}");
    }
    let Some(output) = curl(&program, &api.bundle().unwrap()) else {
        return writeln!(std::io::stderr().lock(), "skipped: there is no curl").unwrap();
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "400", "{output:?}");
    let refused = curl(&program, &elsewhere.bundle().unwrap()).unwrap();
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("certificate"),
        "{refused:?}"
    );
}

#[test]
fn lifetimes_that_cannot_be_kept_to_are_refused() {
    for (words, told) in [
        (["--ca-lifetime", "1h"], "shorter than --certificate-lifetime"),
        (["--certificate-lifetime", "10ms"], "the shortest is 1s"),
    ] {
        let output = webhook(&words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(told), "{words:?}: {said}");
    }
}
