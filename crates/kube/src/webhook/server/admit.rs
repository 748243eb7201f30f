//! A request for an admission → its answer, whatever happens: a fault of ours allows, is counted and told.

use super::Shared;
use super::body::{self, Body};
use super::log::{Field, Level};
use crate::decide::Reason;
use crate::webhook::admission::Admission;
use crate::webhook::review::Review;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Where API servers ask.
pub const PATH: &str = "/mutate";
/// For a request that says no other: that of `timeoutSeconds`.
const DEADLINE: Duration = Duration::from_secs(10);
/// The most that a configuration may say.
const LONGEST_DEADLINE: Duration = Duration::from_secs(30);
/// An API server has sent a body long before.
const SENDING: Duration = Duration::from_secs(10);

/// What an answer holds.
pub type Content = Full<Bytes>;
/// What a request is answered.
pub type Answer = Response<Content>;

/// Answers.
pub async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let is_leaving = shared.is_leaving() && request.version() < Version::HTTP_2;
    let mut answer = match answered(&shared, request).await {
        Ok(body) => json(body),
        Err((status, why)) => {
            shared.metrics.refused(status.as_u16());
            let fields = [("status", Field::Number(status.as_u16().into())), ("about", (&why).into())];
            shared.log.line(Level::Warning, "request refused", fields);
            with_allowed(text(status, why), "POST")
        }
    };
    if is_leaving {
        // The client opens its next connection to another replica.
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

type Refusal = (StatusCode, String);

async fn answered(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<Vec<u8>, Refusal> {
    if request.uri().path() != PATH {
        return Err((StatusCode::NOT_FOUND, format!("{:.100}: reviews go to {PATH}", request.uri().path())));
    }
    if request.method() != Method::POST {
        return Err((
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{:.20}: reviews are posted", request.method().as_str()),
        ));
    }
    let began = Instant::now();
    let until = began + deadline(request.uri().query().unwrap_or_default());
    let is_panic_asked = is_panic_asked(&request);
    let body = body::read(request.into_body(), &shared.memory, until.min(began + SENDING)).await;
    let body = body.map_err(|status| (status, body::why(status).to_owned()))?;
    if !body.is_large() {
        return answer(shared, &body, is_panic_asked);
    }
    // One at a time, and none of the threads that answer the others.
    let late = |_| (StatusCode::GATEWAY_TIMEOUT, "the time that the request names is over".to_owned());
    let turn = timeout_at(until, shared.large.clone().acquire_owned()).await.map_err(late)?;
    let task = tokio::task::spawn_blocking({
        let shared = shared.clone();
        move || {
            let answer = answer(&shared, &body, is_panic_asked);
            drop(turn);
            answer
        }
    });
    let done = timeout_at(until, task).await.map_err(late)?;
    done.unwrap_or_else(|_| Err(fault()))
}

/// The answer to a body. Panics end here.
fn answer(shared: &Shared, body: &Body, is_panic_asked: bool) -> Result<Vec<u8>, Refusal> {
    let began = Instant::now();
    let review = catch_unwind(|| Review::read(&body.bytes)).map_err(|_| fault())?;
    let mut review = review.map_err(|why| (StatusCode::BAD_REQUEST, why.to_string()))?;
    let (pod, owner) = (review.name(), review.owner());
    let decided = catch_unwind(AssertUnwindSafe(|| {
        plant(is_panic_asked);
        let admission = Admission::of(&mut review, &shared.wishes);
        let body = admission.answer(&review);
        (admission, body)
    }));
    let (admission, body) = decided.unwrap_or_else(|_| {
        let admission = Admission::unchanged(Reason::Internal, "a panic; see the log");
        let body = admission.answer(&review);
        (admission, body)
    });
    let took = began.elapsed();
    shared.metrics.admitted(admission.reason, took);
    let is_fault = matches!(admission.reason, Reason::Internal | Reason::PatchMismatch);
    let fields = [
        ("uid", review.uid().into()),
        ("namespace", review.namespace().into()),
        ("pod", (&pod).into()),
        ("owner", (&owner).into()),
        ("decision", admission.word().into()),
        ("reason", admission.reason.slug().into()),
        ("about", (&admission.about).into()),
        ("dryRun", Field::Truth(review.is_dry_run())),
        ("microseconds", Field::Number(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))),
    ];
    shared.log.line(if is_fault { Level::Error } else { Level::Info }, "admission", fields);
    Ok(body)
}

/// Without the uid nothing can be allowed: what the configuration's `failurePolicy` says holds.
fn fault() -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, "a fault of kubectl-lastout; see the log".to_owned())
}

/// `?timeout=10s`, as API servers say how long they wait.
fn deadline(query: &str) -> Duration {
    let said = query.split('&').find_map(|pair| pair.strip_prefix("timeout="));
    let said = said.and_then(|text| lastout_core::duration::parse(text).ok());
    said.filter(|time| !time.is_zero()).unwrap_or(DEADLINE).min(LONGEST_DEADLINE)
}

fn json(body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Text, which ends its last line.
pub(super) fn text(status: StatusCode, mut text: String) -> Answer {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// Says which methods there are, to who has tried another.
pub(super) fn with_allowed(mut answer: Answer, methods: &'static str) -> Answer {
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    }
    answer
}

/// How tests see that a panic ends where it should. What is released has no such thing.
fn is_panic_asked(request: &Request<Incoming>) -> bool {
    cfg!(debug_assertions) && request.headers().contains_key("lastout-panic")
}

#[expect(clippy::panic, reason = "it is the panic that tests ask for")]
fn plant(is_asked: bool) {
    if cfg!(debug_assertions) && is_asked {
        panic!("asked for by the header lastout-panic");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_what_the_api_server_says_within_limits() {
        let of = |query| deadline(query).as_millis();
        assert_eq!(of(""), 10_000);
        assert_eq!(of("timeout=5s"), 5_000);
        assert_eq!(of("a=b&timeout=1m0s"), 30_000);
        assert_eq!(of("timeout=0s"), 10_000);
        assert_eq!(of("timeout=soon"), 10_000);
    }
}
