//! `lastout wait`, `lastout stop`, `lastout presets`.

use serde_json::Value;
use support::{End, Fake, Launch, Reply, ms, own_network};

fn call(words: &[&str]) -> Launch {
    Launch::pid1().options(words)
}

fn run(words: &[&str]) -> End {
    call(words).run()
}

#[test]
fn wait_ends_with_0_when_all_are_ready_and_stops_nothing() {
    only_ours!();
    let fakes =
        [Fake::good(), Fake::script().ready([Reply::Answer(503, ""), Reply::Answer(200, "")]).start()];
    run(&["wait", &fakes[0].spec("a"), &fakes[1].spec("b")]).silent(0);
    assert!(fakes.iter().all(|fake| fake.quits().is_empty() && !fake.probes().is_empty()));
}

#[test]
fn wait_ends_with_124_and_the_last_answer_when_one_is_not() {
    only_ours!();
    let fake = Fake::script().ready([Reply::Answer(503, "INITIALIZING")]).start();
    let end = run(&["wait", "--wait-timeout", "200ms", &fake.spec("a")]);
    end.one_line(124, &["a", "503", "INITIALIZING"]);
    assert!(end.took() >= ms(200) && end.took() < ms(1000));
    assert_eq!(fake.quits().len(), 0);
}

#[test]
fn wait_takes_an_optional_one_as_absent() {
    only_ours!();
    let fake = Fake::script().start_closed();
    run(&["wait", "--absent-after", "100ms", &fake.spec("a?")]).silent(0);
}

#[test]
fn a_stop_signal_ends_wait_with_128_plus_n() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let run = call(&["wait", &fake.spec("a")]).start();
    support::pause(ms(50));
    run.signal(libc::SIGTERM);
    assert_eq!(run.wait().code(), 143);
}

#[test]
fn wait_for_nothing_says_so_and_a_bad_spec_is_125() {
    only_ours!();
    run(&["wait"]).one_line(0, &["no sidecar is given"]);
    run(&["wait", "istoi"]).one_line(125, &["istoi", "did you mean `istio`"]);
    run(&["wait", "--linger", "soon", "istio"]).one_line(125, &["--linger"]);
}

#[test]
fn specs_come_from_the_variable_and_the_option_as_well() {
    only_ours!();
    for verb in ["wait", "stop"] {
        let fake = Fake::good();
        call(&[verb]).env(format!("LASTOUT_SIDECAR={}", fake.spec("a"))).run().silent(0);
        assert_eq!(fake.quits().len(), usize::from(verb == "stop"));
        let fake = Fake::good();
        run(&[verb, "--sidecar", &fake.spec("a")]).silent(0);
        assert_eq!(fake.quits().len(), usize::from(verb == "stop"));
    }
}

#[test]
fn stop_ends_with_0_when_all_are_gone() {
    only_ours!();
    let slow = Fake::script().leaves_after(ms(200)).start();
    let good = Fake::good();
    let end = run(&["stop", &slow.spec("a"), &good.spec("b")]);
    end.silent(0);
    assert!(end.ended >= slow.left_at().unwrap() && slow.quits().len() == 1 && good.quits().len() == 1);
}

#[test]
fn stop_ends_with_1_and_the_reason_when_one_is_still_there() {
    only_ours!();
    let declining = Fake::script().quit([Reply::Answer(404, "not enabled")]).stays().start();
    run(&["stop", &declining.spec("a")]).one_line(1, &["a", "404", "not enabled"]);
    let hung = Fake::script().quit([Reply::Silent]).stays().start();
    run(&["stop", "--stop-timeout", "300ms", &hung.spec("b")]).one_line(1, &["b", "still there"]);
}

#[test]
fn stop_takes_an_optional_one_that_is_not_there_as_absent() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let end = run(&["stop", "--absent-after", "100ms", &fake.spec("a?")]);
    end.silent(0);
    assert!(end.took() < ms(1000));
}

#[test]
fn stop_finds_one_that_is_not_there_gone() {
    only_ours!();
    let fake = Fake::script().start_closed();
    let end = run(&["stop", &fake.spec("a")]);
    end.silent(0);
    assert!(end.took() < ms(1000));
}

#[test]
fn stop_goes_by_the_order() {
    only_ours!();
    let (proxy, mesh) = (Fake::script().leaves_after(ms(100)).start(), Fake::good());
    run(&["stop", &(mesh.spec("mesh") + ",order=90"), &(proxy.spec("proxy") + ",order=10")]).silent(0);
    assert!(mesh.quits()[0].at >= proxy.left_at().unwrap());
}

#[test]
fn stop_obeys_no_policy_of_the_main_job() {
    only_ours!();
    let fake = Fake::good();
    call(&["stop", &fake.spec("a")]).env("LASTOUT_STOP_ON=never").run().silent(0);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn behind_a_double_dash_a_verb_is_a_program() {
    only_ours!();
    let end = Launch::pid1().command(["wait"]).run();
    end.one_line(127, &["wait"]);
}

fn presets() -> Vec<Value> {
    let end = run(&["presets", "--json"]);
    assert_eq!((end.code(), end.stderr.as_str()), (0, ""));
    serde_json::from_slice::<Value>(&end.stdout).unwrap().as_array().unwrap().clone()
}

#[test]
fn presets_is_a_table_of_names_requests_and_what_must_be_switched_on() {
    only_ours!();
    let end = run(&["presets"]);
    end_is_0(&end);
    let table = String::from_utf8(end.stdout).unwrap();
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("NAME "));
    for preset in presets() {
        let text = |name: &str| preset[name].as_str().unwrap_or("none").to_owned();
        let (row, below) = (lines.next().unwrap(), lines.next().unwrap());
        let row: Vec<_> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(row, [text("name"), text("ready"), text("quit")], "{table}");
        let unproven = match preset["proof"].as_str() {
            Some(how) => format!("; its end is not proven: {how}"),
            None => String::new(),
        };
        assert_eq!(unproven.is_empty(), preset["gone"] != "accepted", "{below}");
        assert!(below.starts_with("    ") && below.ends_with(&(text("enable") + &unproven)), "{below}");
        assert_eq!(below.contains("needs: "), !preset["quit"].is_null(), "{below}");
    }
}

fn end_is_0(end: &End) {
    assert_eq!((end.code(), end.stderr.as_str()), (0, ""));
}

#[test]
fn presets_as_json_says_everything_and_each_name_is_a_spec() {
    only_ours!();
    let all = presets();
    let names: Vec<_> = all.iter().map(|preset| preset["name"].as_str().unwrap()).collect();
    for name in [
        "istio",
        "envoy",
        "linkerd",
        "cloud-sql-proxy",
        "alloydb-auth-proxy",
        "dapr",
        "consul-dataplane",
        "kuma",
        "vault-agent",
        "openbao-agent",
        "pushgateway",
        "prometheus",
        "otel-collector",
        "fluent-bit",
        "pgbouncer",
        "datadog-agent",
        "spiffe-helper",
        "gcsfuse",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    for preset in &all {
        let name = preset["name"].as_str().unwrap();
        assert!(preset["source"].as_str().unwrap().len() > 5, "{preset}");
        assert!(preset["enable"].as_str().unwrap().len() > 5, "{preset}");
        assert!(preset["order"].is_u64() && !preset["containers"].as_array().unwrap().is_empty());
        assert!(!preset["hints"].as_array().unwrap().is_empty(), "{preset}");
        own_network(|| run(&["wait", "--absent-after", "1ms", &format!("{name}?")])).silent(0);
    }
}

#[test]
fn presets_takes_nothing_else_and_reads_no_variable() {
    only_ours!();
    run(&["presets", "istio"]).one_line(125, &["presets"]);
    let end = call(&["presets"]).env("LASTOUT_LINGER=soon").env("LASTOUT_NONSENSE=1").run();
    end_is_0(&end);
}
