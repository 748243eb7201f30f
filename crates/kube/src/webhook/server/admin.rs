//! `/livez`, `/readyz`, `/metrics`.

use super::answer::{Answer, text, with_allowed};
use super::connections::Place;
use super::metrics::Now;
use super::planted::Panic;
use super::shared::Shared;
use crate::webhook::certificates;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use std::sync::Arc;

/// Answers.
pub async fn respond(shared: Arc<Shared>, request: Request<Incoming>, _: Arc<Place>) -> Answer {
    Panic::Answer.here(Panic::asked_by(&request));
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return with_allowed(text(StatusCode::METHOD_NOT_ALLOWED, "only GET".to_owned()), "GET, HEAD");
    }
    match request.uri().path() {
        "/livez" => text(StatusCode::OK, "ok".to_owned()),
        "/readyz" => {
            let (is_ready, why) = readiness(&shared);
            text(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, why)
        }
        "/metrics" => {
            let certificates::State { not_after, is_trusted, .. } = shared.certificate.borrow().clone();
            let mut answer = text(
                StatusCode::OK,
                shared.metrics.text(Now {
                    connections: shared.connections.count(),
                    running: shared.connections.running(),
                    lines_lost: shared.log.lost(),
                    is_ready: readiness(&shared).0,
                    is_trusted,
                    not_after,
                }),
            );
            let prometheus = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            answer.headers_mut().insert(CONTENT_TYPE, prometheus);
            answer
        }
        _ => text(StatusCode::NOT_FOUND, "there are /livez, /readyz and /metrics".to_owned()),
    }
}

/// Whether requests may be sent here, and why.
fn readiness(shared: &Shared) -> (bool, String) {
    if shared.is_leaving() {
        return (false, "the server is ending".to_owned());
    }
    let state = shared.certificate.borrow();
    (state.is_ready, state.text.clone())
}
