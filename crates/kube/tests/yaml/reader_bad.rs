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

/// One place that is true in the file, the document's number, and a way out.
#[test]
fn common_faults_have_a_place_and_a_way_out() {
    for (text, said) in [
        (
            "a:\n\tb: c\n",
            "line 2: column 1: found character that cannot start any token while scanning for the next token: indent with spaces, not with tabs",
        ),
        (
            "a: x\n---\nb: @c\n",
            "line 3: document 2: column 4: found character that cannot start any token while scanning for the next token: put the text in quotes",
        ),
        (
            "# one\na: b\n---\nc: {\n",
            "line 5: document 2: column 1: did not find expected node content while parsing a flow node",
        ),
        (
            "a: x\nb: {{ .V }}\n",
            "line 2: a list or a mapping cannot be a key: `{{` makes this a template: render it first (`helm template`), or put the text in quotes",
        ),
        (
            "{{- if .x }}\na: b\n{{- end }}\n",
            "line 1: column 3: did not find expected node content while parsing a flow node: `{{` makes this a template: render it first (`helm template`), or put the text in quotes",
        ),
        (
            "%YAML 1.2\n---\na: b\n",
            "line 2: column 1: did not find expected <document start>: take out lines that begin with `%`: kubectl reads no directives",
        ),
        (
            "a: b\n  c: d\n",
            "line 2: column 4: mapping values are not allowed in this context: put a text with `: ` in quotes, or mend the indentation",
        ),
    ] {
        assert_eq!(yaml::read(text).1.expect("an error").to_string(), said, "{text:?}");
    }
}
