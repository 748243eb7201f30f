//! A request for an admission → its answer, whatever happens: a fault of ours allows, is counted and told.

use super::answer::{Answer, json, refusal};
use super::body::{self, Body};
use super::connections::Place;
use super::log::{Field, Level};
use super::planted::Panic;
use super::refusal::{Refusal, Refused};
use super::shared::Shared;
use crate::decide::Reason;
use crate::webhook::admission::Admission;
use crate::webhook::review::{Review, Unread};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Method, Request};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Where API servers ask.
pub const PATH: &str = "/mutate";
/// For a request that says no other: the default of `timeoutSeconds`.
const DEADLINE: Duration = Duration::from_secs(10);
/// The most that a configuration may say.
const LONGEST_DEADLINE: Duration = Duration::from_secs(30);

/// Answers.
pub async fn respond(shared: Arc<Shared>, request: Request<Incoming>, place: Arc<Place>) -> Answer {
    let mut answer = match answered(&shared, request, &place).await {
        Ok(answer) => answer,
        Err(refused) => {
            shared.refused(&refused, place.peer());
            refusal(refused)
        }
    };
    if shared.is_leaving() {
        // The client opens its next connection to another replica.
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

async fn answered(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    place: &Place,
) -> Result<Answer, Refused> {
    let refused = |refusal, about| Err(Refused { refusal, about });
    if request.uri().path() != PATH {
        let about = format!("{:.100}: reviews go to {PATH}", request.uri().path());
        return refused(Refusal::Path, about);
    }
    if request.method() != Method::POST {
        return refused(Refusal::Method, format!("{:.20}: reviews are posted", request.method().as_str()));
    }
    let began = Instant::now();
    let until = began + deadline(request.uri().query().unwrap_or_default());
    let panic = Panic::asked_by(&request);
    Panic::Answer.here(panic);
    shared.planted.plant(panic);
    let (head, body) = request.into_parts();
    let body = body::read(body, &head.headers, &shared.memory, until).await?;
    place.deciding();
    if !body.is_large() {
        return answer(shared, body, panic);
    }
    // One at a time, and none of the threads that answer the others.
    let late = |_| Refused::from(Refusal::Late);
    let turn = timeout_at(until, shared.turn.clone().acquire_owned()).await.map_err(late)?;
    let task = tokio::task::spawn_blocking({
        let shared = shared.clone();
        move || {
            let answer = answer(&shared, body, panic);
            drop(turn);
            answer
        }
    });
    let done = timeout_at(until, task).await.map_err(late)?;
    done.unwrap_or_else(|_| Err(Refusal::Fault.into()))
}

/// The answer to a body. A panic of what decides allows, as the uid is known; others end where the connection is served.
fn answer(shared: &Shared, body: Body, panic: Option<Panic>) -> Result<Answer, Refused> {
    let began = Instant::now();
    let unread = |why: Unread| Refused { refusal: Refusal::Unread, about: why.to_string() };
    let mut review = Review::read(body.bytes()).map_err(unread)?;
    let share = body.into_share();
    let (pod, owner) = (review.name(), review.owner());
    let decided = catch_unwind(AssertUnwindSafe(|| {
        Panic::Decision.here(panic);
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
    Ok(json(body, share))
}

/// `?timeout=10s`, as API servers say how long they wait.
fn deadline(query: &str) -> Duration {
    let said = query.split('&').find_map(|pair| pair.strip_prefix("timeout="));
    let said = said.and_then(|text| lastout_core::duration::parse(text).ok());
    said.filter(|time| !time.is_zero()).unwrap_or(DEADLINE).min(LONGEST_DEADLINE)
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
