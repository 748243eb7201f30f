//! One HTTP request to a port in a pod, through the API server's port-forward.

use crate::cluster::error::{is_forbidden, told};
use crate::exit::Error;
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use lastout_core::spec::{Address, Request};
use lastout_core::stop::Reply;
use lastout_core::text::quote;
use std::time::Duration;

/// Bytes of an answer's body that are read at most.
const BODY: usize = 4 * 1024;

/// What came of it.
pub(super) enum Asked {
    Reply(Reply),
    /// Port-forward is not allowed.
    Forbidden(String),
}

/// Sends the request to the first of its ports that accepts.
pub(super) async fn ask(
    pods: &Api<Pod>,
    pod: &str,
    request: &Request,
    headers: &[(String, String)],
    timeout: Duration,
) -> Asked {
    let mut ports: Vec<u16> = Vec::new();
    if let Address::Tcp(candidates) = &request.at {
        for candidate in candidates {
            // Both families of loopback are tried for a port in the pod.
            if !ports.contains(&candidate.port()) {
                ports.push(candidate.port());
            }
        }
    }
    let mut last = Reply::Impossible("it has no port".to_owned());
    for port in ports {
        let one = tokio::time::timeout(timeout, exchange(pods, pod, port, request, headers)).await;
        match one {
            Ok(Asked::Reply(Reply::Refused)) => last = Reply::Refused,
            Ok(asked) => return asked,
            Err(_) => {
                return Asked::Reply(Reply::Lost(format!("no answer within {} ms", timeout.as_millis())));
            }
        }
    }
    Asked::Reply(last)
}

async fn exchange(
    pods: &Api<Pod>,
    pod: &str,
    port: u16,
    request: &Request,
    headers: &[(String, String)],
) -> Asked {
    let mut forward = match pods.portforward(pod, &[port]).await {
        Ok(forward) => Open(forward),
        Err(error) if is_forbidden(&error) => {
            let Error(why) = told("port-forward", &error);
            return Asked::Forbidden(why);
        }
        Err(error) => {
            let Error(why) = told("port-forward", &error);
            return Asked::Reply(Reply::Unsent(why));
        }
    };
    let (Some(stream), Some(broken)) = (forward.0.take_stream(port), forward.0.take_error(port)) else {
        return Asked::Reply(Reply::Unsent("port-forward: no stream".to_owned()));
    };
    // It also ends without a word, when the connection does.
    let broken = broken.fuse();
    tokio::pin!(broken);
    let sent = send(stream, port, request, headers);
    tokio::pin!(sent);
    let mut reply = None;
    // The node connects only now; what it says of that comes beside the stream, before it or after its end.
    let refused = tokio::select! {
        biased;
        Some(why) = &mut broken => Some(why),
        answer = &mut sent => {
            reply = Some(answer);
            match &reply {
                Some(Reply::Answer { .. }) | None => None,
                Some(_) => tokio::time::timeout(Duration::from_secs(1), &mut broken).await.ok().flatten(),
            }
        }
    };
    Asked::Reply(understood(refused, reply))
}

/// The stream's task does not end by itself.
struct Open(Portforwarder);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `refused`: what the node says of the port, in the words of the container runtime, which end with the kernel's.
fn understood(refused: Option<String>, reply: Option<Reply>) -> Reply {
    match (refused, reply) {
        (_, Some(answer @ Reply::Answer { .. })) => answer,
        (Some(why), _) if why.contains("connection refused") => Reply::Refused,
        (Some(why), _) => Reply::Unsent(quote(&why)),
        (None, Some(reply)) => reply,
        (None, None) => Reply::Lost("closed without an answer".to_owned()),
    }
}

async fn send(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    port: u16,
    request: &Request,
    headers: &[(String, String)],
) -> Reply {
    let lost = |error: &dyn std::error::Error| Reply::Lost(quote(&format!("no HTTP answer ({error})")));
    let (mut sender, connection) = match http1::handshake(TokioIo::new(stream)).await {
        Ok(both) => both,
        Err(error) => return Reply::Unsent(error.to_string()),
    };
    let mut head = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(&request.path)
        .header("host", format!("127.0.0.1:{port}"))
        .header("user-agent", concat!("kubectl-lastout/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close");
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        head = head.header("content-length", "0");
    }
    for (name, value) in headers {
        head = head.header(name, value);
    }
    let head = match head.body(Empty::<Bytes>::new()) {
        Ok(head) => head,
        Err(error) => return Reply::Impossible(error.to_string()),
    };
    let answered = async {
        let response = match sender.send_request(head).await {
            Ok(response) => response,
            Err(error) => return lost(&error),
        };
        let status = response.status().as_u16();
        // The status is the answer; a body that breaks off, or is too long, takes nothing from it.
        let body = Limited::new(response.into_body(), BODY).collect();
        let body = tokio::time::timeout(Duration::from_secs(1), body).await;
        let body = body.ok().and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
        Reply::Answer {
            status,
            accepted: request.ok.contains(status),
            quote: quote(&String::from_utf8_lossy(&body)),
        }
    };
    tokio::pin!(answered);
    tokio::pin!(connection);
    let mut open = true;
    loop {
        tokio::select! {
            reply = &mut answered => return reply,
            _ = &mut connection, if open => open = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_more_than_what_the_node_says_and_that_more_than_an_end() {
        let answer = || Reply::Answer { status: 200, accepted: true, quote: "OK".to_owned() };
        let lost = || Reply::Lost("closed".to_owned());
        let said = |words: &str| Some(words.to_owned());
        let refused = "failed to execute portforward in network namespace: failed to connect to localhost:9901 inside namespace: dial tcp4 127.0.0.1:9901: connect: connection refused";
        for (said, reply, expected) in [
            (None, Some(answer()), answer()),
            (said(refused), Some(answer()), answer()),
            (said(refused), Some(lost()), Reply::Refused),
            (said(refused), None, Reply::Refused),
            (said("request refused\nby policy"), None, Reply::Unsent("request refused".to_owned())),
            (None, Some(lost()), lost()),
            (None, None, Reply::Lost("closed without an answer".to_owned())),
        ] {
            assert_eq!(understood(said.clone(), reply.clone()), expected, "{said:?} {reply:?}");
        }
    }
}
