//! Options, variables, verbs; and settings that do not parse: 125 with one line, main never starts, and
//! the sidecars whose specs do parse are stopped.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
use support::{End, Fake, Launch, TempDir};

#[test]
fn help_and_version_are_on_stdout() {
    only_ours!();
    let help = Launch::pid1().options(["--help"]).run();
    help.silent(0);
    let text = String::from_utf8(help.stdout).unwrap();
    for word in ["--sidecar", "--wait-timeout", "--stop-on", "--linger", "install", "COMMAND"] {
        assert!(text.contains(word), "no {word} in the help");
    }
    let version = Launch::pid1().options(["--version"]).run();
    version.silent(0);
    assert_eq!(
        String::from_utf8(version.stdout).unwrap(),
        concat!("lastout ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn option_parsing_ends_at_the_first_word_that_is_no_option() {
    only_ours!();
    Launch::pid1().options(["sh", "-c", "exit 3"]).run().silent(3);
    Launch::pid1().options(["--stop-on", "never", "sh", "-c", "exit 4"]).run().silent(4);
    let end = Launch::pid1().options(["echo", "--linger", "soon", "--help", "--", "install"]).run();
    end.silent(0);
    assert_eq!(end.stdout, b"--linger soon --help -- install\n");
}

#[test]
fn a_verb_is_one_only_as_the_very_first_argument() {
    only_ours!();
    let dir = TempDir::new();
    for verb in ["wait", "install", "sleep"] {
        dir.file(verb, "#!/bin/sh\necho \"program $*\"\nexit 5\n", 0o755);
    }
    let path = format!("PATH={}:/usr/bin:/bin", dir.path().display());
    for words in [&["--", "wait", "x"][..], &["--linger", "0", "install", "x"], &["--no-wait", "sleep", "x"]]
    {
        let end = Launch::pid1().no_env().env(&path).options(words).run();
        end.silent(5);
        assert_eq!(end.stdout, b"program x\n");
    }
}

#[test]
fn both_spellings_of_a_value_work() {
    only_ours!();
    for words in [vec!["--sidecar".to_owned()], vec![]] {
        let fake = Fake::good();
        let spec = fake.spec("fake");
        let words =
            if words.is_empty() { vec![format!("--sidecar={spec}")] } else { [words, vec![spec]].concat() };
        Launch::pid1().options(words).sh("exit 3").run().silent(3);
        assert_eq!(fake.quits().len(), 1);
    }
}

#[test]
fn every_option_has_a_variable() {
    only_ours!();
    let (one, two) = (Fake::good(), Fake::good());
    Launch::pid1()
        .env(format!("LASTOUT_SIDECAR={}\n  {}", one.spec("one"), two.spec("two")))
        .env("LASTOUT_STOP_ON=3")
        .env("LASTOUT_NO_WAIT=0")
        .env("LASTOUT_LINGER=") // empty counts as unset
        .sh("exit 3")
        .run()
        .silent(3);
    assert_eq!((one.quits().len(), two.quits().len()), (1, 1));
    assert!(!one.probes().is_empty());
}

#[test]
fn the_flag_wins_over_the_variable_and_replaces_its_whole_list() {
    only_ours!();
    let (flag, variable) = (Fake::good(), Fake::good());
    Launch::pid1()
        .env(format!("LASTOUT_SIDECAR={}", variable.spec("variable")))
        .env("LASTOUT_STOP_ON=never")
        .options(["--stop-on", "always"])
        .sidecar(&flag.spec("flag"))
        .sh("exit 3")
        .run()
        .silent(3);
    assert_eq!((flag.quits().len(), variable.connections()), (1, 0));
}

#[test]
fn switches_take_true_false_1_0() {
    only_ours!();
    for (value, waits) in [("1", false), ("true", false), ("0", true), ("false", true)] {
        let fake = Fake::good();
        let env = format!("LASTOUT_NO_WAIT={value}");
        Launch::pid1().env(env).sidecar(&fake.spec("fake")).sh("exit 3").run().silent(3);
        assert_eq!(!fake.probes().is_empty(), waits, "LASTOUT_NO_WAIT={value}");
    }
}

#[test]
fn an_unknown_variable_is_a_warning_with_the_nearest_name() {
    only_ours!();
    let end = Launch::pid1().env("LASTOUT_SIDECARS=envoy").sh("exit 3").run();
    end.one_line(3, &["LASTOUT_SIDECARS", "LASTOUT_SIDECAR"]);
}

#[test]
fn service_links_are_silent() {
    only_ours!();
    let links = ["SERVICE_HOST=10.0.0.1", "SERVICE_PORT=80", "PORT=tcp://10.0.0.1:80", "PORT_80_TCP=x"];
    let more =
        ["PORT_80_TCP_PROTO=tcp", "PORT_80_TCP_PORT=80", "PORT_80_TCP_ADDR=10.0.0.1", "SERVICE_PORT_HTTP=80"];
    let all = links.into_iter().chain(more);
    all.fold(Launch::pid1(), |l, link| l.env(format!("LASTOUT_{link}"))).sh("exit 3").run().silent(3);
}

/// Runs a main that must not start, beside a sidecar that must be stopped.
fn bad(with: impl Fn(Launch) -> Launch) -> End {
    let (dir, fake) = (TempDir::new(), Fake::good());
    let started = dir.at("started");
    let launch = with(Launch::pid1().sidecar(&fake.spec("good")));
    let end = launch.command(["touch".as_ref(), started.as_os_str()]).run();
    assert!(!started.exists(), "main has started: {}", end.stderr);
    assert_eq!(fake.quits().len(), 1, "the sidecar whose spec parses is stopped: {}", end.stderr);
    end
}

#[test]
fn a_bad_option_value_is_125_with_one_line_naming_option_value_and_way_out() {
    only_ours!();
    for (option, value, shown, way_out) in [
        ("--sidecar", "envyo", "envyo", "envoy"),
        ("--sidecar", "istoi", "istoi", "istio"),
        ("--sidecar", "envoy:port=70000", "70000", "65535|port"),
        ("--sidecar", "envoy:port=http", "http", "65535|port"),
        ("--sidecar", "envoy:prot=9901", "prot", "port"),
        ("--sidecar", "envoy:host=example.com", "example.com", "127.0.0.1|localhost|loopback"),
        ("--sidecar", "x:ready=https://127.0.0.1:1/,quit=http://127.0.0.1:1/", "https", "http://"),
        (
            "--sidecar",
            "x:ready=http://127.0.0.1:1/,quit=http://10.0.0.1:1/",
            "10.0.0.1",
            "127.0.0.1|localhost|loopback",
        ),
        ("--sidecar", "envoy:timeout=fast", "fast", "ms|s"),
        ("--wait-timeout", "5", "5", "5s"),
        ("--wait-timeout", "soon", "soon", "10s|500ms|2m"),
        ("--wait-timeout", "-3s", "-3s", "10s|500ms|2m"),
        ("--wait-timeout", "1y", "1y", "10s|500ms|2m"),
        ("--wait-timeout", "", "", "10s|500ms|2m"),
        ("--stop-timeout", "99999999999999999999h", "99999999999999999999h", "10s|500ms|2m|large|long"),
        ("--linger", "1.5s", "1.5s", "10s|500ms|2m|1s500ms"),
        ("--absent-after", "3", "3", "3s"),
        ("--on-wait-timeout", "retry", "retry", "fail"),
        ("--stop-on", "sometimes", "sometimes", "success"),
        ("--stop-on", "0,256", "0,256", "255"),
        ("--stop-signal", "TREM", "TREM", "TERM"),
        ("--stop-signal", "65", "65", "64"),
        ("--stop-signal", "", "", "TERM"),
        ("--log-level", "loud", "loud", "debug"),
    ] {
        let end = bad(|l| l.options([option, value]));
        end.one_line(125, &[option, shown, way_out]);
    }
}

#[test]
fn a_bad_variable_is_125_with_one_line_naming_variable_value_and_way_out() {
    only_ours!();
    for (variable, value, way_out) in [
        ("LASTOUT_WAIT_TIMEOUT", "5", "5s"),
        ("LASTOUT_NO_WAIT", "yes", "true"),
        ("LASTOUT_STOP_ON", "sometimes", "success"),
        ("LASTOUT_STOP_SIGNAL", "TERM TREM", "TREM"),
    ] {
        let end = bad(|l| l.env(format!("{variable}={value}")));
        end.one_line(125, &[variable, value.split(' ').next_back().unwrap(), way_out]);
    }
}

#[test]
fn a_bad_spec_among_good_ones_in_the_variable_stops_the_good_ones() {
    only_ours!();
    let fake = Fake::good();
    let env = format!("LASTOUT_SIDECAR=envyo {}", fake.spec("good"));
    let end = Launch::pid1().env(env).sh("echo started").run();
    end.one_line(125, &["LASTOUT_SIDECAR", "envyo", "envoy"]);
    assert_eq!((end.stdout.len(), fake.quits().len()), (0, 1));
}

#[test]
fn an_unknown_option_is_125_with_the_nearest_one() {
    only_ours!();
    bad(|l| l.options(["--wait-timeuot", "5s"])).one_line(125, &["--wait-timeuot", "--wait-timeout"]);
    bad(|l| l.options(["-x"])).one_line(125, &["-x"]);
    bad(|l| l.options(["--no-wait=maybe"])).one_line(125, &["--no-wait"]);
}

#[test]
fn an_option_without_its_value_is_125() {
    only_ours!();
    Launch::pid1().options(["--linger"]).run().one_line(125, &["--linger", "value"]);
}

#[test]
fn bytes_that_are_no_text_are_125_and_no_panic() {
    only_ours!();
    let bytes = OsStr::from_bytes(b"5\xff\xfes");
    for option in ["--wait-timeout", "--sidecar", "--stop-on", "--stop-signal", "--log-level"] {
        let end = bad(|l| l.options([option.as_ref(), bytes]));
        end.one_line(125, &[option, "5"]);
    }
    let end = bad(|l| l.options([OsStr::from_bytes(b"--\xff\xfe")]));
    assert_eq!((end.code(), end.stderr.lines().count()), (125, 1), "{}", end.stderr);
}

#[test]
fn no_command_is_125_and_stops_the_sidecar() {
    only_ours!();
    Launch::pid1().run().one_line(125, &["COMMAND|command"]);
    for end_of_options in [&[][..], &["--"]] {
        let fake = Fake::good();
        let end = Launch::pid1().sidecar(&fake.spec("good")).options(end_of_options).run();
        end.one_line(125, &["COMMAND|command"]);
        assert_eq!(fake.quits().len(), 1);
    }
}

#[test]
fn an_empty_command_is_a_failure_of_ours_with_one_line() {
    only_ours!();
    let fake = Fake::good();
    let end = Launch::pid1().sidecar(&fake.spec("good")).command([""]).run();
    assert!([125, 127].contains(&end.code()), "{}", end.code());
    end.one_line(end.code(), &["command|COMMAND"]);
    assert_eq!(fake.quits().len(), 1);
}

#[test]
fn after_a_bad_setting_the_policy_is_kept_but_an_unreadable_one_counts_as_always() {
    only_ours!();
    for (policy, stops) in
        [("always", 1), ("never", 0), ("success", 0), ("125", 1), ("0", 0), ("sometimes", 1)]
    {
        let fake = Fake::good();
        let words = ["--stop-on", policy, "--linger", "soon"];
        let end = Launch::pid1().sidecar(&fake.spec("good")).options(words).sh("exit 3").run();
        assert_eq!((end.code(), fake.quits().len()), (125, stops), "--stop-on {policy}: {}", end.stderr);
    }
}

#[test]
fn a_bad_setting_outside_pid_1_is_125_too() {
    only_ours!();
    Launch::process().options(["--linger", "soon"]).sh("exit 3").run().one_line(125, &["--linger", "soon"]);
}
