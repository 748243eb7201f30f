//! Texts that are no manifests: one clear error, at once, in bounded memory.

use kubectl_lastout::yaml;
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
fn deep_nesting_is_refused() {
    for deep in ["[", "{", "- ", "? ", "{\"a\":"] {
        is_refused(&deep.repeat(1_001), "nested deeper than 1000 levels");
    }
}

/// As go-yaml does: more than 99 of 100 values come from aliases.
#[test]
fn aliases_that_stand_for_far_more_than_what_is_written_are_refused() {
    let items = ["x"; 400].join(", ");
    let aliases = ["*a"; 300].join(", ");
    is_refused(
        &format!("a: &a [{items}]\nb: [{aliases}]\n"),
        "aliases stand for far more than what is written",
    );
    let keys: Vec<String> = (0..400).map(|key| format!("k{key}: v")).collect();
    let keys = keys.join(", ");
    is_refused(
        &format!("a: &a {{{keys}}}\nb: {{<<: [{aliases}]}}\n"),
        "aliases stand for far more than what is written",
    );
}

#[test]
fn a_stream_of_many_documents_takes_time_by_its_length() {
    let began = Instant::now();
    let (documents, error) = yaml::read(&"{\"a\":1}\n".repeat(50_000));
    assert_eq!((documents.len(), error), (50_000, None));
    assert_eq!(documents[49_999].line, 50_000);
    assert!(began.elapsed() < Duration::from_secs(30));
}
