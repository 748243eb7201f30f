//! A typo fails the Job, it does not hang it: the sidecars that can be read are stopped, wherever they are named.

use support::{Launch, TempDir};

/// Runs `lastout ARGUMENTS… -- true` with a sidecar that is told to quit by a file: whether it was.
fn stopped_in_spite_of(arguments: &[&str]) -> bool {
    let dir = TempDir::new();
    let spec = format!("agent:ready=none,quit=file:{}", dir.at("done").display());
    let arguments = arguments.iter().map(|word| if *word == "SPEC" { &spec } else { *word });
    assert_eq!(Launch::pid1().options(arguments).run().code(), 125);
    dir.at("done").exists()
}

#[test]
fn sidecars_named_behind_an_unknown_option_are_stopped() {
    only_ours!();
    assert!(stopped_in_spite_of(&["--stop-timout=5s", "--sidecar", "SPEC", "--", "true"]));
    assert!(stopped_in_spite_of(&["--stop-timout", "5s", "--sidecar", "SPEC", "--", "true"]));
    assert!(stopped_in_spite_of(&["--no-wait=maybe", "--sidecar", "SPEC", "--", "true"]));
    assert!(stopped_in_spite_of(&["stop", "--stop-timout=5s", "SPEC"]));
    assert!(stopped_in_spite_of(&["stop", "--stop-timout=5s", "--", "SPEC"]));
}

#[test]
fn a_policy_named_behind_an_unknown_option_counts() {
    only_ours!();
    assert!(!stopped_in_spite_of(&[
        "--stop-timout=5s",
        "--stop-on",
        "never",
        "--sidecar",
        "SPEC",
        "--",
        "true"
    ]));
}

#[test]
fn what_follows_the_dashes_is_the_commands_own() {
    only_ours!();
    assert!(!stopped_in_spite_of(&["--stop-timout=5s", "--", "true", "--sidecar", "SPEC"]));
}

/// What is said of `lastout ARGUMENTS…`, in one line, with 125.
fn said(arguments: &[&str], words: &[&str]) {
    Launch::pid1().options(arguments).run().one_line(125, words);
}

#[test]
fn habits_of_other_inits_are_told_the_way_out() {
    only_ours!();
    for (arguments, words) in [
        (&["-e143"][..], &["-e", "--map-exit"][..]),
        (&["-r15:2"], &["-r", "--rewrite-signal"]),
        (&["-g"], &["-g", "--signal-group"]),
        (&["-s"], &["-s", "orphans"]),
        (&["-v"], &["-v", "--log-level"]),
        (&["-vv"], &["-v", "--log-level"]),
        (&["--verbose"], &["--verbose", "--log-level"]),
        (&["-e", "143"], &["-e", "--map-exit"]),
        (&["-r", "15:2"], &["-r", "--rewrite-signal"]),
        (&["-p", "SIGTERM"], &["-p", "--parent-death-signal"]),
        (&["-c"], &["-c", "default"]),
        (&["--single-child"], &["--single-child", "default"]),
    ] {
        said(&[arguments, &["true"]].concat(), words);
        assert!(
            stopped_in_spite_of(&[arguments, &["--sidecar", "SPEC", "--", "true"]].concat()),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_option_and_its_value_as_one_item_of_a_list_are_told_the_way_out() {
    only_ours!();
    let dir = TempDir::new();
    let one_word = format!("--sidecar agent:ready=none,quit=file:{}", dir.at("done").display());
    said(
        &[&one_word, "true"],
        &["`--sidecar …`", "one word", "each of its words as an item", "--sidecar=VALUE"],
    );
    assert!(dir.at("done").exists(), "it is stopped all the same");
    said(&["--stop-timout 5s", "true"], &["`--stop-timout …`", "one word"]);
    assert!(stopped_in_spite_of(&["--stop-timout 5s", "--sidecar", "SPEC", "--", "true"]));
}

/// The sidecar is `envoy`, with its own ports: in a network of the test's own nobody else has them.
#[test]
fn a_list_of_names_and_a_bare_port_are_told_the_way_out_and_all_that_they_mean_are_stopped() {
    only_ours!();
    for (launch, words) in [
        (Launch::pid1().options(["--sidecar", "envoy,pushgateway"]), &["--sidecar", "envoy", "a comma"][..]),
        (
            Launch::pid1().env("LASTOUT_SIDECAR=envoy,pushgateway"),
            &["LASTOUT_SIDECAR", "envoy", "blanks between"],
        ),
    ] {
        let end = launch.own_network().options(["--stop-timeout", "200ms"]).command(["true"]).run();
        assert_eq!((end.code(), end.stderr.lines().count()), (125, 3), "{}", end.stderr);
        let first = end.stderr.lines().next().unwrap();
        assert!(words.iter().all(|word| first.contains(word)), "{first}");
        for name in ["envoy", "pushgateway"] {
            assert!(end.stderr.contains(&format!("{name}: never appeared")), "{}", end.stderr);
        }
    }
    let end = Launch::pid1()
        .own_network()
        .options(["--sidecar", "envoy:9901", "--stop-timeout", "200ms"])
        .command(["true"])
        .run();
    end.lines(125, &[&["`9901`", "write envoy:port=9901"], &["envoy", "never appeared"]]);
}

#[test]
fn other_ways_to_write_several_sidecars_stop_them_as_well() {
    only_ours!();
    for (text, words) in [
        ("envoy pushgateway", ["envoy", "a blank behind the name"]),
        ("envoy;pushgateway", ["envoy", "letters, digits"]),
        ("envoy, pushgateway", ["envoy", "a comma behind the name"]),
        ("envoy@9901,pushgateway", ["envoy", "letters, digits"]),
        ("envoy=9901 pushgateway", ["envoy", "letters, digits"]),
        ("envoy,nonsense,pushgateway", ["envoy", "a comma behind the name"]),
    ] {
        let launch = Launch::pid1().own_network().options(["--sidecar", text, "--stop-timeout", "200ms"]);
        let end = launch.command(["true"]).run();
        assert_eq!(end.code(), 125, "{text}");
        let first = end.stderr.lines().next().unwrap();
        assert!(words.iter().all(|word| first.contains(word)), "{text}: {first}");
        for name in ["envoy", "pushgateway"] {
            assert!(end.stderr.contains(&format!("{name}: never appeared")), "{text}: {}", end.stderr);
        }
    }
    said(
        &["--sidecar", "localhost:9901", "true"],
        &["`9901`", "NAME:port=9901", "NAME:ready=tcp://127.0.0.1:9901"],
    );
}

#[test]
fn several_options_as_one_item_of_a_list_are_told_the_way_out() {
    only_ours!();
    let dir = TempDir::new();
    let spec = format!("agent:ready=none,quit=file:{}", dir.at("done").display());
    for item in [
        format!("--sidecar={spec} --wait-timeout=5s"),
        format!("--wait-timeout=5s --sidecar {spec}"),
        format!("--no-wait --sidecar={spec}"),
    ] {
        said(&[&item, "--", "true"], &["came as one word", "each of its words as an item"]);
        assert!(dir.at("done").exists(), "{item}");
        std::fs::remove_file(dir.at("done")).unwrap();
    }
    let end = Launch::pid1().options(["true", "--sidecar envoy"]).run();
    end.one_line(0, &["--sidecar", "behind the command"]);
}

/// Wherever a blank or a wrong option takes it.
#[test]
fn no_error_shows_a_headers_value() {
    only_ours!();
    let spec = "envoy?:header=Authorization=Bearer S3CRET";
    let words: Vec<&str> = spec.split(' ').collect();
    for launch in [
        Launch::pid1().env(format!("LASTOUT_SIDECAR={spec}")).sh("exit 3"),
        Launch::pid1().options(["wait"]).options(&words),
        Launch::pid1().options(["stop"]).options(&words),
        Launch::pid1().options(["--stop-on", "a:header=X=S3CRET"]).sh("exit 3"),
        Launch::pid1().options(["--stop-timeout", "a:header=X=S3CRET"]).sh("exit 3"),
        Launch::pid1().options(["--sidecar", "a header=X=S3CRET"]).sh("exit 3"),
        Launch::pid1().options(["--sidecar", "header=X=S3CRET"]).sh("exit 3"),
        Launch::pid1().options(["--sidecar envoy:header=X=S3CRET"]).sh("exit 3"),
        Launch::pid1().options(["--rewrite-signal", &spec.replace("envoy?", "x")]).sh("exit 3"),
        Launch::pid1().options(["--env-file", "a:header=X=S3CRET"]).sh("exit 3"),
        Launch::pid1().options(["wait", "envoy", "--sidecar=istio:header=X=S3CRET"]),
        Launch::pid1().options(["wait", "--sidecar"]).options(&words),
        Launch::pid1().options(["--header=X=S3CRET"]).sh("exit 3"),
    ] {
        let end = launch.own_network().options::<&str>([]).run();
        assert_eq!(end.code(), 125, "{}", end.stderr);
        assert!(!end.stderr.contains("S3CRET") && !end.stderr.is_empty(), "{}", end.stderr);
    }
}

#[test]
fn options_behind_the_specs_are_told_the_way_out_and_stop_stops_the_sidecar() {
    only_ours!();
    said(
        &["wait", "x:ready=none,quit=none", "--wait-timeout", "1s"],
        &["--wait-timeout", "before the SPECs"],
    );
    assert!(stopped_in_spite_of(&["stop", "SPEC", "--stop-timeout", "1s"]));
}

#[test]
fn an_option_that_stands_behind_the_command_is_told_unless_the_dashes_say_that_it_is_meant() {
    only_ours!();
    for (arguments, option) in [
        (&["true", "--sidecar", "envoy"][..], "--sidecar"),
        (&["true", "--sidecar=envoy"], "--sidecar"),
        (&["--log-level", "warn", "true", "x", "--stop-on", "success"], "--stop-on"),
        (&["guard", "--group", "GROUP", "true", "--sidecar", "envoy"], "--sidecar"),
    ] {
        let dir = TempDir::new();
        let group = dir.dir("group", 0o777).display().to_string();
        let arguments = arguments.iter().map(|word| if *word == "GROUP" { &group } else { *word });
        let end = Launch::pid1().options(arguments).run();
        end.one_line(0, &[option, "behind the command", "before the command"]);
    }
    for arguments in [
        &["--", "true", "--sidecar", "envoy"][..],
        &["true", "--log-level", "debug"],
        &["true", "--", "--sidecar"],
    ] {
        Launch::pid1().options(arguments).run().silent(0);
    }
}

/// `lastout ARGUMENTS…` is a command that is not there; what is said, and whether the sidecar is stopped.
fn not_found(command: &str, words: &[&str]) {
    let dir = TempDir::new();
    let spec = format!("agent:ready=none,quit=file:{}", dir.at("done").display());
    // By the variable: the command is the very first word.
    Launch::pid1().env(format!("LASTOUT_SIDECAR={spec}")).options([command]).run().one_line(127, words);
    assert!(dir.at("done").exists(), "{command}");
}

#[test]
fn a_misspelt_verb_and_a_line_as_one_word_are_told_the_way_out() {
    only_ours!();
    not_found("waitt", &["waitt", "not found", "did you mean `lastout wait`"]);
    not_found("preset", &["preset", "did you mean `lastout presets`"]);
    let long = format!("sh -c 'echo {}'", "x".repeat(300));
    Launch::pid1().options([&long]).run().one_line(126, &["whole command line in one word"]);
    Launch::pid1().options(["/mnt/My Data/run"]).run().one_line(127, &["there is no /mnt/My Data"]);
    for (behind_options, none_of_ours) in
        [(&["--", "waitt"][..], "waitt"), (&["cat0"], "cat0"), (&["wget0"], "wget0")]
    {
        let end = Launch::pid1().options(behind_options).run();
        end.one_line(127, &[none_of_ours, "not found in PATH"]);
        assert!(!end.stderr.contains("did you mean"), "{}", end.stderr);
    }
    not_found("help", &["did you mean `lastout --help`"]);
    not_found("version", &["did you mean `lastout --version`"]);
    not_found("sh -c 'exit 3'", &["sh -c", "whole command line in one word", "an item of its own"]);
    not_found("/bin/sh -c true", &["/bin/sh", "whole command line in one word"]);
}

#[test]
fn a_program_whose_name_is_like_a_verb_or_holds_a_blank_runs() {
    only_ours!();
    let dir = TempDir::new();
    for name in ["waitt", "help", "my job"] {
        dir.file(name, "#!/bin/sh\nexit 4\n", 0o755);
        let path = format!("PATH={}:/usr/bin:/bin", dir.path().display());
        Launch::pid1().no_env().env(&path).options([name]).run().silent(4);
    }
}

#[test]
fn each_verb_has_a_page_of_its_own() {
    only_ours!();
    for verb in ["install", "wait", "stop", "guard", "sleep", "presets"] {
        for flag in ["--help", "-h"] {
            let end = Launch::pid1().options([verb, flag]).run();
            end.silent(0);
            let page = String::from_utf8(end.stdout).unwrap();
            assert!(
                page.starts_with(&format!("Usage: lastout {verb}")) && page.contains("Exit codes:"),
                "{page}"
            );
            assert_eq!(page.contains("--stop-timeout"), ["stop", "guard"].contains(&verb), "{page}");
        }
    }
}
