//! What the user reads: one line that names the sidecar, quotes its words and says the way out.

use crate::fixtures::{ms, spec};
use lastout_core::presets::PRESETS;
use lastout_core::settings::LogLevel;
use lastout_core::stop::{Verdict, VerdictKind};
use lastout_core::tell::{self, Said};
use proptest::prelude::*;

fn told(text: &str, verdict: &Verdict) -> String {
    tell::verdict(&spec(text), verdict, false, ms(10_000)).1
}

fn answer(words: &str) -> Said {
    Said::Answer(words.to_owned())
}

fn declined(status: u16, quote: &str) -> Verdict {
    Verdict::Declined { status, quote: quote.into() }
}

fn still_there(asked: bool, last: &str) -> Verdict {
    Verdict::StillThere { asked, last: last.into() }
}

fn every_verdict(words: &str) -> Vec<Verdict> {
    vec![
        Verdict::Gone,
        Verdict::AlreadyGone,
        Verdict::Accepted,
        Verdict::NotNeeded,
        Verdict::Absent,
        Verdict::NotSwitchedOn,
        declined(404, words),
        declined(302, ""),
        Verdict::Impossible(words.into()),
        Verdict::NoWay,
        Verdict::NeverAppeared,
        still_there(true, words),
        still_there(false, ""),
        Verdict::CameBack,
    ]
}

#[test]
fn each_ending_in_the_words_that_the_user_reads() {
    let lines = [
        ("envoy", Verdict::Gone, "envoy: gone after 10 s"),
        ("envoy", Verdict::AlreadyGone, "envoy: already gone"),
        (
            "linkerd",
            Verdict::Accepted,
            "linkerd: accepted the request to end after 10 s; it may run on for up to its grace period (120 s, the annotation config.linkerd.io/shutdown-grace-period or LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD), and runs for all of it while it has no identity",
        ),
        (
            "app:quit=file:/run/done",
            Verdict::Accepted,
            "app: /run/done is created; nothing proves that it has finished: gone=file:FILE is waited for, or another proof",
        ),
        (
            "app:quit=file:/run/done,gone=process:appd",
            Verdict::Accepted,
            "app: has been asked to end; no process appd was visible (shareProcessNamespace: true makes it so), so nothing proves its end",
        ),
        (
            "app:quit=file:/run/done,gone=no-file:/run/spool",
            still_there(true, "the file is there"),
            "app: is still there after 10 s, so this pod may not end: creating /run/done: the file is there; waited for gone=no-file:/run/spool",
        ),
        ("kuma", Verdict::NotNeeded, "kuma: needs no stop"),
        ("envoy?", Verdict::Absent, "envoy: not there"),
        (
            "app:quit=/q,port=1",
            declined(404, "no"),
            "app: POST 127.0.0.1:1/q answered 404 \"no\", so this pod may not end",
        ),
        (
            "app:quit=/q,port=1",
            declined(302, ""),
            "app: POST 127.0.0.1:1/q answered 302, so this pod may not end",
        ),
        (
            "app:quit=file:/run/done",
            Verdict::Impossible("no such folder".into()),
            "app: cannot be asked to end, so this pod may not end: no such folder",
        ),
        (
            "app:quit=/q,port=1",
            Verdict::NeverAppeared,
            "app: never appeared; if it starts later, this pod will not end",
        ),
        (
            "envoy",
            Verdict::NeverAppeared,
            "envoy: never appeared; if it starts later, this pod will not end; nothing listens on the admin port: set port= to the one of the bootstrap's admin block",
        ),
        (
            "app:quit=/q,port=1",
            still_there(true, "answered 200"),
            "app: is still there after 10 s, so this pod may not end: POST 127.0.0.1:1/q: answered 200",
        ),
        (
            "app:quit=/q,port=1",
            still_there(false, ""),
            "app: is still there after 10 s, so this pod may not end: POST 127.0.0.1:1/q: no answer",
        ),
        (
            "app:quit=file:/run/done",
            still_there(true, "the file is there"),
            "app: is still there after 10 s, so this pod may not end: creating /run/done: the file is there",
        ),
        (
            "app:process=appd,signal=QUIT",
            still_there(true, "sent"),
            "app: is still there after 10 s, so this pod may not end: QUIT to appd: sent; waited for gone=process:appd",
        ),
        (
            "app:process=appd",
            Verdict::NoWay,
            "app: this pod may not end: no process appd is visible (shareProcessNamespace: true makes it so)",
        ),
    ];
    for (text, verdict, line) in lines {
        assert_eq!(told(text, &verdict), line);
    }
}

#[test]
fn a_refusal_quotes_the_sidecar_and_names_what_to_switch_on() {
    let line = told("linkerd", &declined(404, "shutdown endpoint is not enabled"));
    let begin = "linkerd: POST 127.0.0.1:4191/shutdown answered 404 \"shutdown endpoint is not enabled\"; ";
    assert!(
        line.starts_with(begin) && line.contains("config.linkerd.io/proxy-admin-shutdown: enabled"),
        "{line}"
    );
    let line = told("cloud-sql-proxy", &Verdict::NotSwitchedOn);
    assert!(line.contains("not switched on; ") && line.contains("--quitquitquit"), "{line}");
    let line = told("app:quit=/q,port=1", &Verdict::NotSwitchedOn);
    assert_eq!(
        line,
        "app: POST 127.0.0.1:1/q is refused while it is ready: not switched on, so this pod may not end"
    );
    assert!(told("app:quit=/q,port=1", &Verdict::CameBack).contains("--stop-on never"));
}

#[test]
fn how_to_make_it_end_in_time_is_told_of_one_that_was_asked_only() {
    let hint = "--max-sigterm-delay";
    assert!(told("cloud-sql-proxy", &still_there(true, "answered 200")).contains(hint));
    assert!(!told("cloud-sql-proxy", &still_there(false, "answered 503")).contains(hint));
}

#[test]
fn a_known_sidecar_without_a_way_says_what_to_do_instead() {
    for preset in PRESETS.iter().filter(|preset| preset.quit.is_none() && !preset.refused_is_normal) {
        let line = told(preset.name, &Verdict::NoWay);
        assert_eq!(line, format!("{}: this pod may not end: {}", preset.name, preset.enable));
        assert!(preset.enable.starts_with("it has no quit endpoint: "), "{line}");
    }
}

#[test]
fn what_is_as_it_should_be_is_silent_by_default_and_the_rest_is_a_warning() {
    for verdict in every_verdict("words") {
        let loud = |terminating| tell::verdict(&spec("envoy"), &verdict, terminating, ms(0)).0;
        let expected =
            if verdict.is_good() { [LogLevel::Info; 2] } else { [LogLevel::Warn, LogLevel::Debug] };
        assert_eq!(
            [loud(false), loud(true)],
            expected,
            "{verdict:?}: after a stop signal nothing is worth more"
        );
    }
}

#[test]
fn a_gate_that_does_not_open_says_what_it_asked_and_what_came_last() {
    let line = tell::still_waiting(&spec("envoy"), &answer("answered 503 \"INITIALIZING\""));
    assert_eq!(line, "still waiting for envoy: GET 127.0.0.1:9901/ready: answered 503 \"INITIALIZING\"");
    let line = tell::still_waiting(&spec("app:ready=file:/run/up"), &answer(""));
    assert_eq!(line, "still waiting for app: file:/run/up: no answer yet");
}

/// What the agent answers is no matter then: neither the request nor its hint is told.
#[test]
fn a_file_that_does_not_come_is_told_without_the_request_that_was_answered() {
    let lacks = Said::NoFile("/vault/secrets/env, which --env-file reads, is not there".into());
    for name in ["vault-agent", "openbao-agent?"] {
        let spec = spec(name);
        let line = tell::still_waiting(&spec, &lacks);
        assert_eq!(
            line,
            format!(
                "still waiting for {}: /vault/secrets/env, which --env-file reads, is not there",
                spec.name
            )
        );
        let line = tell::not_ready(&spec, &lacks, true);
        assert!(
            line.contains(
                " is not ready: /vault/secrets/env, which --env-file reads, is not there; has it logged in"
            ),
            "{line}"
        );
        assert!(!line.contains("metrics") && !line.contains("port="), "{line}");
    }
}

#[test]
fn a_wait_timeout_says_once_what_an_earlier_life_may_have_done_and_names_the_optional_form_where_it_is_not_used()
 {
    for text in ["istio", "cloud-sql-proxy", "app:ready=tcp://127.0.0.1:1"] {
        let line = tell::not_ready(&spec(text), &answer("connection refused"), false);
        let name = text.split(':').next().unwrap_or_default();
        assert_eq!(line.matches("OnFailure").count(), 1, "{line}");
        assert_eq!(line.matches(&format!("write {name}?")).count(), 1, "{line}");
    }
    let line = tell::not_ready(&spec("istio?"), &answer("answered 503"), false);
    assert!(!line.contains("istio?"), "{line}");
}

#[test]
fn a_wait_timeout_quotes_the_last_answer_and_asks_what_may_have_been_forgotten() {
    let line = tell::not_ready(&spec("cloud-sql-proxy"), &answer("connection refused"), false);
    assert!(
        line.starts_with("cloud-sql-proxy is not ready: GET 127.0.0.1:9090/startup: connection refused; "),
        "{line}"
    );
    assert!(line.contains("--health-check") && line.contains("OnFailure"), "{line}");
    let line = tell::not_ready(&spec("cloud-sql-proxy"), &answer("answered 503"), true);
    assert!(line.contains("--health-check") && !line.contains("OnFailure"), "it was there: {line}");
    let line = tell::not_ready(&spec("app:ready=tcp://127.0.0.1:1"), &answer(""), true);
    assert_eq!(line, "app is not ready: tcp://127.0.0.1:1: no answer yet");
}

/// Lines of all kinds that a log has, and their verdict: what quotes an answer is not always one.
#[test]
fn only_the_lines_of_verdicts_are_read_as_such() {
    let own = [
        "app:quit=/q,port=1",
        "app:quit=file:/run/a b,gone=process:appd",
        "app:process=appd",
        "app:ready=none",
    ];
    for text in PRESETS.iter().map(|preset| preset.name).chain(own) {
        for words in ["answered 503 \"gone after 1 s\"", "not there", ""] {
            for verdict in every_verdict(words) {
                let line = told(text, &verdict);
                assert_eq!(tell::verdict_of(&line), Some(verdict.kind()), "{line}");
            }
            for line in [
                tell::still_waiting(&spec(text), &answer(words)),
                tell::not_ready(&spec(text), &answer(words), false),
                tell::not_ready(&spec(text), &Said::NoFile(words.to_owned()), true),
                format!("{text}: request {}: {words} after 3 ms", spec(text).quit),
                format!("{text}: request {}: answered 200 after 3 ms", spec(text).quit),
                format!("{text}: ready at once: {words}"),
                words.to_owned(),
            ] {
                assert_eq!(tell::verdict_of(&line), None, "{line}");
            }
        }
    }
}

#[test]
fn kinds_of_verdicts_have_names_of_their_own() {
    let mut names: Vec<&str> = VerdictKind::ALL.map(VerdictKind::slug).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), VerdictKind::ALL.len());
    for verdict in every_verdict("words") {
        assert!(VerdictKind::ALL.contains(&verdict.kind()), "{verdict:?}");
    }
}

#[test]
fn a_header_is_in_no_line() {
    let spec = spec("dapr:header=dapr-api-token=s3cr3t");
    for verdict in every_verdict("words") {
        assert!(!tell::verdict(&spec, &verdict, false, ms(1)).1.contains("s3cr3t"), "{verdict:?}");
    }
    assert!(!tell::not_ready(&spec, &answer("words"), false).contains("s3cr3t"));
    assert!(!tell::still_waiting(&spec, &answer("words")).contains("s3cr3t"));
}

proptest! {
    #[test]
    fn every_line_is_one_line_that_begins_with_the_name(
        row in 0..PRESETS.len(),
        path in "[^,:% \0]{1,20}",
        terminating: bool,
        time in 0..1_000_000u64,
    ) {
        for text in [PRESETS[row].name.to_owned(), format!("app:quit=file:/{path},process=a%20b")] {
            let Ok(spec) = lastout_core::spec::Spec::parse(&text, &|_| None) else { continue };
            for verdict in every_verdict("words") {
                let (_, line) = tell::verdict(&spec, &verdict, terminating, ms(time));
                prop_assert!(line.starts_with(&format!("{}: ", spec.name)), "{}", line);
                prop_assert!(!line.contains(char::is_control) && !line.ends_with(['.', ' ', ';', ':']), "{}", line);
            }
        }
    }
}
