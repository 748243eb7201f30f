//! What a request is answered.

use super::connections::Running;
use super::memory::Share;
use super::refusal::{Refusal, Refused};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

/// What is answered.
#[derive(Debug)]
pub struct Content {
    bytes: Vec<u8>,
    _share: Option<Share>,
}

/// The answer to a request.
pub type Answer = Response<Content>;

/// What is being sent: its request runs, and its share of the memory is taken, until it is.
struct Sent {
    content: Content,
    _running: Running,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.content.bytes
    }
}

/// An answer, to be sent.
pub fn sent(answer: Answer, running: Running) -> Response<Full<Bytes>> {
    answer.map(|content| Full::new(Bytes::from_owner(Sent { content, _running: running })))
}

/// The answer to a review.
pub fn json(bytes: Vec<u8>, share: Option<Share>) -> Answer {
    let mut answer = Response::new(Content { bytes, _share: share });
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Text, which ends its last line.
pub fn text(status: StatusCode, mut text: String) -> Answer {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut answer = Response::new(Content { bytes: text.into_bytes(), _share: None });
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// A request that is not answered as a review.
pub fn refusal(refused: Refused) -> Answer {
    let answer = text(refused.refusal.status(), refused.about);
    if refused.refusal == Refusal::Method { with_allowed(answer, "POST") } else { answer }
}

/// Says which methods there are.
pub fn with_allowed(mut answer: Answer, methods: &'static str) -> Answer {
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    answer
}
