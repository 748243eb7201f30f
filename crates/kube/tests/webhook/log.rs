//! The log, where nobody reads it: pods are admitted all the same, and what is lost is counted.

use super::pods::{pod, review};
use super::server::{Reader, Server, until};
use serde_json::{Value, json};

/// Its line has 20 KB: fifty of them are more than waits.
fn long_review() -> Value {
    let mut review = review(&pod());
    review["request"]["uid"] = json!("u".repeat(20_000));
    review
}

#[test]
fn a_log_that_nobody_reads_keeps_no_pod_waiting_and_is_lost_by_lines_that_are_counted() {
    let server = Server::start_read_by(Reader::Stops, &[]);
    let review = long_review();
    for _ in 0..100 {
        assert_eq!(server.ask(&review)["auditAnnotations"]["reason"], "injected-wrap");
    }
    let lost = server.metric("log_lines_lost_total");
    assert!((10..=90).contains(&lost), "{lost}");
}

#[test]
fn lines_that_cannot_be_written_are_counted_as_lost() {
    let server = Server::start_read_by(Reader::Closes, &[]);
    server.ask(&long_review());
    let lost = || server.metric("log_lines_lost_total");
    until(|| (lost() > 0).then_some(()), lost);
    assert_eq!(server.ask(&review(&pod()))["allowed"], true);
}
