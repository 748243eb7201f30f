//! Texts that are no manifests: one clear error, at once, in bounded memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use kubectl_lastout::yaml;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

#[track_caller]
fn is_refused(text: &str, why: &str) {
    let began = Instant::now();
    let (_, error) = yaml::read(text);
    let error = error.expect("an error").to_string();
    assert!(error.contains(why), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_makes_the_library_panic_is_an_error_with_its_line() {
    is_refused("a:\n  b: [!c, d]\n", "line 2: it cannot be read from here on");
}

#[test]
fn deep_nesting_is_refused() {
    for deep in ["[", "{", "- ", "? ", "{\"a\":"] {
        is_refused(&deep.repeat(200_000), "nested deeper than 1000 levels");
    }
}

#[test]
fn aliases_that_stand_for_a_thousand_million_nodes_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut merges = "a0: &a0 {k: v}\n".to_owned();
    for level in 1..40 {
        let one_below = format!("*a{}", level - 1);
        writeln!(text, "a{level}: &a{level} [{}]", [one_below.as_str(); 10].join(", ")).unwrap();
        writeln!(merges, "a{level}: &a{level} {{<<: [{one_below}, {one_below}]}}").unwrap();
    }
    is_refused(&text, "aliases stand for far more than what is written");
    is_refused(&merges, "aliases stand for far more than what is written");
}

#[test]
fn a_stream_of_many_documents_takes_time_by_its_length() {
    let began = Instant::now();
    let (documents, error) = yaml::read(&"{\"a\":1}\n".repeat(50_000));
    assert_eq!((documents.len(), error), (50_000, None));
    assert_eq!(documents[49_999].line, 50_000);
    assert!(began.elapsed() < Duration::from_secs(30));
}
