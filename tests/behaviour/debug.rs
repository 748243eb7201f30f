//! `--log-level debug`: every probe, request and look, with what came of it, and no header's value.

use support::{Fake, Launch, Reply, Standin, TempDir, http::standin::row, own_network};

#[test]
fn each_probe_and_request_is_a_line_with_method_path_candidate_answer_and_time() {
    only_ours!();
    let ready = [Reply::Answer(503, "INITIALIZING"), Reply::Answer(200, "LIVE")];
    let fake = Fake::script().ready(ready).start();
    let spec = fake.spec("mesh") + ",header=X-Token=s3cret";
    let end = Launch::pid1().sidecar(&spec).options(["--log-level", "debug"]).sh("exit 3").run();
    assert_eq!(end.code(), 3);
    let lines = |begin: &str| -> Vec<&str> {
        let begin = format!("lastout: debug: mesh: {begin}");
        end.stderr.lines().filter(|line| line.starts_with(&begin)).collect()
    };
    let probes = lines("probe GET ");
    assert_eq!(probes.len(), 2, "{}", end.stderr);
    let at = |port: u16, path: &str| format!("127.0.0.1:{port}{path}");
    for (probe, answer) in probes.iter().zip(["answered 503 \"INITIALIZING\" after ", ": ready after "]) {
        assert!(probe.contains(&at(fake.ready_port(), "/")) && probe.contains(answer), "{probe}");
    }
    let requests = lines("request POST ");
    assert_eq!(requests.len(), 1, "{}", end.stderr);
    assert!(
        requests[0].contains(&at(fake.port(), "/")) && requests[0].contains("answered 200"),
        "{}",
        requests[0]
    );
    assert!(!lines("look: ").is_empty(), "{}", end.stderr);
    assert!(!end.stderr.contains("s3cret"), "{}", end.stderr);
}

#[test]
fn the_candidate_that_answered_is_named_where_it_is_not_the_first_one() {
    only_ours!();
    own_network(|| {
        // kuma asks at 9902, then at 9901.
        let standin =
            Standin::start(&[row(9901, "GET", "*", 200, "LIVE"), row(9901, "POST", "*", 200, "bye").goes(5)]);
        let launch = Launch::pid1().sidecar("kuma:host=127.0.0.1,quit=http://127.0.0.1:9901/quitquitquit");
        let end = launch.options(["--log-level", "debug"]).sh("exit 3").run();
        assert_eq!(end.code(), 3);
        let line = "debug: kuma: probe GET 127.0.0.1:9902/ready at 127.0.0.1:9901: ready after ";
        assert!(end.stderr.contains(line), "{}", end.stderr);
        assert_eq!(standin.asked_for("/quitquitquit").len(), 1);
    });
}

/// The sidecar says the token back, without what stood before it.
#[test]
fn a_sidecar_that_quotes_a_token_is_quoted_without_it() {
    only_ours!();
    let fake =
        Fake::script().ready([Reply::Answer(200, "")]).quit([Reply::Answer(403, "bad token S3CRET")]).start();
    let spec = fake.spec("mesh") + ",header=Authorization=Bearer%20S3CRET";
    let end = Launch::pid1().sidecar(&spec).options(["--report", "-"]).sh("exit 3").run();
    assert_eq!(end.code(), 3);
    assert!(end.stderr.contains("bad token ***") && !end.stderr.contains("S3CRET"), "{}", end.stderr);
}

#[test]
fn files_and_connections_are_told_as_well() {
    only_ours!();
    let dir = TempDir::new();
    let (ready, quit) = (dir.file("ready", "", 0o644), dir.at("quit"));
    let spec = format!("agent:ready=file:{},quit=file:{}", ready.display(), quit.display());
    let end = Launch::pid1().sidecar(&spec).options(["--log-level", "debug"]).sh("exit 3").run();
    for line in [
        format!("agent: probe file:{}: ready after", ready.display()),
        format!("agent: request file:{}: created after", quit.display()),
    ] {
        assert!(end.stderr.contains(&line), "{}", end.stderr);
    }
}
