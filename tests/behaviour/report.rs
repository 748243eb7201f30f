//! `--report`, `--log-format json` and the termination log: read as a user's program would, by a JSON parser, and
//! held against the schema in the docs.

use serde_json::Value;
use std::{fs, time::Duration};
use support::{End, Fake, Launch, Port, Reply, TempDir, ms};

/// Runs it with a report in a file; the end and the report.
fn reported(launch: Launch) -> (End, Value) {
    let dir = TempDir::new();
    let file = dir.at("report.json");
    let end = launch.env(format!("LASTOUT_REPORT={}", file.display())).run();
    let text = fs::read_to_string(file).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(text.lines().count(), 1);
    conforms(&report, &schema(), "report");
    (end, report)
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap()
}

/// The part of JSON Schema that ours uses.
fn conforms(value: &Value, schema: &Value, at: &str) {
    let Some(rules) = schema.as_object() else { panic!("{at}: {schema}") };
    for (rule, wanted) in rules {
        match rule.as_str() {
            "type" => {
                let types = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                assert!(
                    types.iter().any(|t| is_a(value, t.as_str().unwrap())),
                    "{at}: {value} is no {wanted}"
                );
            }
            "enum" => assert!(wanted.as_array().unwrap().contains(value), "{at}: {value} is not in {wanted}"),
            "minimum" => {
                assert!(value.as_f64().is_none_or(|n| n >= wanted.as_f64().unwrap()), "{at}: {value}")
            }
            "maximum" => {
                assert!(value.as_f64().is_none_or(|n| n <= wanted.as_f64().unwrap()), "{at}: {value}")
            }
            "required" => {
                for name in wanted.as_array().unwrap().iter().filter(|_| value.is_object()) {
                    assert!(value.get(name.as_str().unwrap()).is_some(), "{at}: no {name} in {value}");
                }
            }
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    let rule =
                        wanted.get(name).unwrap_or_else(|| panic!("{at}: {name} is not in the schema"));
                    conforms(member, rule, &format!("{at}.{name}"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().unwrap().iter().enumerate() {
                    conforms(item, wanted, &format!("{at}[{index}]"));
                }
            }
            "additionalProperties" => assert_eq!(wanted, false, "{at}: `properties` looks at every member"),
            "$schema" | "title" | "description" => {}
            other => panic!("{at}: the test does not know {other}"),
        }
    }
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_report_tells_the_whole_run() {
    only_ours!();
    let fake = Fake::good();
    let main = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; exit 3";
    let (end, report) =
        reported(Launch::pid1().sidecar(&fake.spec("fake")).options(["--linger", "20ms"]).sh(main));
    end.silent(3);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&report["exit_code"], &report["outcome"]), (&3.into(), &"exited".into()));
    let main = &report["main"];
    assert_eq!(main["code"], 3);
    assert!(main["user_ms"].as_f64().unwrap() > 1.0, "{main}");
    assert!(main["max_rss_kib"].as_u64().unwrap() > 100, "{main}");
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{report}"));
    let names: Vec<_> =
        report["phases"].as_array().unwrap().iter().map(|p| p["phase"].as_str().unwrap()).collect();
    assert_eq!(names, ["waiting", "running", "lingering", "stopping"]);
    let phases = report["phases"].as_array().unwrap();
    assert!(phases.windows(2).all(|two| two[0]["end_ms"] == two[1]["start_ms"]));
    assert!(number(&phases[2]["end_ms"]) - number(&phases[2]["start_ms"]) >= 20.0);
    assert!(number(&phases[3]["end_ms"]) <= number(&report["wall_ms"]));
    let sidecar = &report["sidecars"][0];
    assert_eq!((&sidecar["name"], &sidecar["verdict"]), (&"fake".into(), &"gone".into()));
    let times = ["ready_ms", "asked_ms", "gone_ms"].map(|name| number(&sidecar[name]));
    assert!(times.is_sorted(), "{sidecar}");
    assert!(number(&main["started_ms"]) >= times[0] && number(&main["ended_ms"]) <= times[1]);
    assert!(number(&report["wall_ms"]) <= end.took().as_secs_f64() * 1000.0);
}

#[test]
fn every_outcome_has_its_name() {
    only_ours!();
    let nobody = format!("x:ready=tcp://127.0.0.1:{}", Port::free());
    let declining = Fake::script().quit([Reply::Answer(404, "not enabled")]).stays().start();
    let sh = |script: &str| Launch::pid1().sh(script);
    let cases: [(&str, i32, Launch); 9] = [
        ("exited", 0, sh("exit 0")),
        ("killed", 137, sh("kill -9 $$")),
        ("mapped", 0, sh("kill -TERM $$").options(["--map-exit", "143=0"])),
        ("not_found", 127, Launch::pid1().command(["/no/such/program"])),
        ("cannot_execute", 126, Launch::pid1().command(["/etc"])),
        ("internal", 125, sh("exit 0").options(["--linger", "soon"])),
        ("wait_timeout", 124, sh("exit 0").sidecar(&nobody).options(["--wait-timeout", "50ms"])),
        ("done", 0, Launch::pid1().options(["stop", "gcsfuse"])),
        ("not_stopped", 1, Launch::pid1().options(["stop", &declining.spec("x")])),
    ];
    for (name, code, launch) in cases {
        let (end, report) = reported(launch);
        assert_eq!((&report["outcome"], &report["exit_code"]), (&name.into(), &code.into()), "{report}");
        assert_eq!(end.code(), code, "{name}");
        assert_eq!(report["main"].is_null(), !["exited", "killed", "mapped"].contains(&name), "{report}");
    }
    let (_, report) = reported(sh("kill -TERM $$").options(["--map-exit", "143=0"]));
    assert_eq!(report["main"]["signal"], "TERM");
}

#[test]
fn a_stop_signal_before_main_is_the_outcome() {
    only_ours!();
    let dir = TempDir::new();
    let file = dir.at("report.json");
    let fake = Fake::script().ready([Reply::Answer(503, "no \"quotes\" and \\ please")]).start();
    let options = ["--report", file.to_str().unwrap()];
    let run = Launch::pid1().sidecar(&fake.spec("fake")).options(options).sh("exit 3").start();
    support::eventually("a probe", || fake.probes().len() > 1);
    run.signal(libc::SIGTERM);
    assert_eq!(run.wait().code(), 143);
    let report: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    conforms(&report, &schema(), "report");
    assert_eq!((&report["outcome"], &report["exit_code"]), (&"signalled".into(), &143.into()));
    assert_eq!(report["sidecars"][0]["last_probe"], "answered 503 \"no \"quotes\" and \\ please\"");
}

#[test]
fn every_verdict_has_its_name() {
    only_ours!();
    let closed = || Fake::script().start_closed();
    let no_quit = Fake::script().ready_port_lags(Duration::ZERO).start();
    no_quit.close_quit_port();
    let stays = |reply| Fake::script().quit([reply]).stays().start();
    let (hung, declining, absent, never) =
        (stays(Reply::Silent), stays(Reply::Answer(404, "not enabled \u{e9}")), closed(), closed());
    let good = Fake::good();
    let returning = Fake::script().ready_port_lags(ms(50)).returns_after(ms(50), 9).start();
    let linkerd = Fake::good();
    let cases = [
        ("gone", good.spec("a")),
        ("accepted", format!("linkerd:ready-port={0},port={0}", linkerd.port())),
        ("not_needed", format!("b:ready=http://127.0.0.1:{}/", hung.port())),
        ("absent", absent.spec("c?")),
        ("not_switched_on", no_quit.spec("d")),
        ("declined", declining.spec("e")),
        ("impossible", "f:quit=file:/no/such/folder/done".to_owned()),
        ("no_way", format!("otel-collector:port={}", hung.port())),
        ("never_appeared", never.spec("g")),
        ("still_there", hung.spec("h")),
        ("came_back", returning.spec("i")),
    ];
    let mut launch =
        Launch::pid1().options(["--no-wait", "--absent-after", "100ms", "--stop-timeout", "1500ms"]);
    for (_, spec) in &cases {
        launch = launch.sidecar(spec);
    }
    let (end, report) = reported(launch.sh("exit 3"));
    assert_eq!(end.code(), 3);
    let told = report["sidecars"].as_array().unwrap();
    let verdicts: Vec<_> = told.iter().map(|s| s["verdict"].as_str().unwrap_or("null")).collect();
    assert_eq!(verdicts, cases.iter().map(|case| case.0).collect::<Vec<_>>(), "{report}");
    assert!(told[5]["message"].as_str().unwrap().contains("404 \"not enabled é\""));
    let mut known: Vec<_> =
        cases.iter().map(|case| case.0).chain(["already_gone"]).map(Value::from).collect();
    known.push(Value::Null);
    let schema = schema();
    let listed = schema["properties"]["sidecars"]["items"]["properties"]["verdict"]["enum"]
        .as_array()
        .unwrap()
        .clone();
    assert!(listed.iter().all(|name| known.contains(name)), "{listed:?}");
}

#[test]
fn a_report_on_stderr_is_one_line_however_long_it_is() {
    only_ours!();
    let fakes: Vec<_> = (0..40).map(|_| Fake::good()).collect();
    let mut launch = Launch::pid1().options(["--report", "-"]);
    for (index, fake) in fakes.iter().enumerate() {
        launch = launch.sidecar(&fake.spec(&format!("sidecar-number-{index}")));
    }
    let end = launch.sh("exit 3").run();
    assert_eq!((end.code(), end.stderr.lines().count()), (3, 1), "{}", end.stderr);
    assert!(end.stderr.len() > 8192, "{}", end.stderr.len());
    let report: Value = serde_json::from_str(&end.stderr).unwrap();
    conforms(&report, &schema(), "report");
    assert_eq!(report["sidecars"].as_array().unwrap().len(), 40);
}

#[test]
fn a_report_that_cannot_be_written_is_a_warning_and_never_holds_us() {
    only_ours!();
    let dir = TempDir::new();
    let fifo = dir.at("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for file in [fifo.to_str().unwrap(), "/no/such/folder/report", "/"] {
        let end = Launch::pid1().options(["--report", file]).sh("exit 3").run();
        end.one_line(3, &["--report"]);
        assert!(end.took() < Duration::from_secs(1));
    }
}

#[test]
fn a_relative_report_is_relative_to_where_lastout_was_started() {
    only_ours!();
    let dir = TempDir::new();
    Launch::pid1().cwd(dir.path()).options(["--report", "report.json"]).sh("cd /; exit 3").run().silent(3);
    assert!(serde_json::from_slice::<Value>(&fs::read(dir.at("report.json")).unwrap()).is_ok());
}

#[test]
fn the_log_as_json_is_one_object_a_line() {
    only_ours!();
    let words: &'static str = "say \"no\"\u{7f} \\ \u{e9}\t.";
    let fake = Fake::script().quit([Reply::Answer(404, words)]).stays().start();
    let end = Launch::pid1()
        .sidecar(&fake.spec("fake"))
        .options(["--log-format", "json", "--log-level", "debug"])
        .sh("exit 3")
        .run();
    assert_eq!(end.code(), 3);
    let lines: Vec<Value> = end
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(lines.len() > 3, "{}", end.stderr);
    for line in &lines {
        let time = line["time"].as_str().unwrap();
        assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{time}");
        assert!(["error", "warn", "info", "debug"].contains(&line["severity"].as_str().unwrap()));
        assert!(line["message"].is_string());
    }
    let warning = lines.iter().find(|line| line["severity"] == "warn").unwrap();
    assert_eq!(warning["sidecar"], "fake");
    assert!(
        warning["message"].as_str().unwrap().contains("answered 404 \"say \"no\"  \\ é .\""),
        "{warning}"
    );
}

#[test]
fn a_long_line_of_json_is_still_json() {
    only_ours!();
    let long = "\u{1}\"\\".repeat(3000);
    for option in ["--linger", "--map-exit", "--report"] {
        let end = Launch::pid1().options(["--log-format", "json", option, &long]).sh("exit 3").run();
        for line in end.stderr.lines() {
            assert!(line.len() < 4096, "{}", line.len());
            serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        }
        assert!(!end.stderr.is_empty(), "{option}");
    }
}

/// Runs it with a termination log that holds this before; what it holds in the end.
fn last_words(before: &str, launch: Launch) -> (End, String) {
    let dir = TempDir::new();
    let file = dir.file("termination-log", before, 0o666);
    let end = launch.termination_log(&file).run();
    (end, fs::read_to_string(file).unwrap())
}

#[test]
fn what_is_ours_and_what_may_hang_the_pod_is_in_the_termination_log_as_well() {
    only_ours!();
    let stays = || Fake::script().quit([Reply::Answer(404, "not enabled")]).stays().start();
    let (one, two, nobody) = (stays(), stays(), Fake::script().start_closed());
    let sh = || Launch::pid1().sh("exit 3");
    let gate = ["--wait-timeout", "50ms", "--stop-timeout", "50ms"];
    for (launch, lines) in [
        (sh().options(["--linger", "soon"]), &[&["--linger", "soon"][..]][..]),
        (Launch::pid1().command(["/no/such/program"]), &[&["/no/such/program"]]),
        (Launch::pid1().command(["/etc"]), &[&["/etc"]]),
        (sh().sidecar(&one.spec("one")).sidecar(&two.spec("two")), &[&["404", "not enabled"], &["404"]]),
        (sh().sidecar(&nobody.spec("x")).options(gate), &[&["x", "refused"], &["x", "never appeared"]]),
    ] {
        let (end, words) = last_words("", launch);
        assert_eq!(words.lines().count(), lines.len(), "{words:?}; stderr: {}", end.stderr);
        for (line, wanted) in words.lines().zip(lines) {
            assert!(line.starts_with("lastout: ") && wanted.iter().all(|w| line.contains(w)), "{line}");
        }
    }
}

#[test]
fn what_main_has_written_there_stands_and_a_good_run_leaves_it_empty() {
    only_ours!();
    let fake = Fake::script().quit([Reply::Answer(404, "no")]).stays().start();
    let launch = || Launch::pid1().sidecar(&fake.spec("fake"));
    let (end, words) = last_words("main's own\n", launch().sh("exit 3"));
    assert_eq!((end.stderr.lines().count(), words.as_str()), (1, "main's own\n"));
    let (_, words) = last_words("", launch().sh("echo mine > /dev/termination-log; exit 3"));
    assert_eq!(words, "mine\n");
    for script in ["exit 0", "exit 3", "kill -9 $$"] {
        let (end, words) = last_words("", Launch::pid1().sidecar(&Fake::good().spec("good")).sh(script));
        assert_eq!((words.as_str(), end.stderr.as_str()), ("", ""), "{script}");
    }
}
