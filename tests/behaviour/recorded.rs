//! Sidecars that cannot be had here: stand-ins that give exactly the answers on record (read in the sidecar's
//! source, or measured on a build made by hand), on the sidecar's own ports; wrong methods, "not enabled" and the
//! wrong slash included. Each is known by its name alone.

use std::time::Instant;
use support::{
    Launch, Standin, TempDir,
    http::standin::{Row, beside, row},
    ms, own_network, stopped,
};

fn main_of(spec: &str) -> Launch {
    Launch::pid1().sidecar(spec)
}

/// Held back by `held`, main waits; released, it starts soon; then the quit is sent once, in this way.
fn waited_for_and_stopped(name: &str, rows: &[Row], held: &[Row], quit: &str, asked: &[&str]) {
    own_network(|| {
        let standin = Standin::held(rows, held);
        let run = main_of(name).sh("echo up; exit 3").start();
        support::eventually("a probe", || standin.asked().len() > 1);
        assert!(run.said().is_empty(), "{name}: main starts too early");
        standin.release();
        let released = Instant::now();
        let late = run.says("up") - released;
        assert!(late < ms(100), "{name}: ready to main: {late:?}");
        run.wait().silent(3);
        assert_eq!(standin.asked_for(quit), asked, "{name}");
    });
}

/// With this spec one line is told that has all these words, soon; and the sidecar lives.
fn refused(spec: &str, rows: &[Row], words: &[&str]) {
    beside(rows, |standin| {
        let (end, took) = stopped(main_of(spec));
        end.one_line(3, words);
        assert!(took < ms(1000), "{spec}: {took:?}");
        assert!(!standin.is_gone(), "{spec}");
    });
}

mod linkerd {
    use super::*;

    const READY: Row = row(4191, "*", "/ready", 200, "ready\n");
    const NOT_READY: Row = row(4191, "*", "/ready", 503, "not ready\n");
    const WRONG_METHOD: Row = row(4191, "*", "/shutdown", 405, "");
    const UNKNOWN: Row = row(4191, "*", "*", 404, "");
    /// The admin port refuses as soon as draining begins, up to two minutes before the process ends.
    const ON: [Row; 4] =
        [READY, row(4191, "POST", "/shutdown", 200, "shutdown\n").goes(0), WRONG_METHOD, UNKNOWN];
    const OFF: [Row; 4] = [
        READY,
        row(4191, "POST", "/shutdown", 404, "shutdown endpoint is not enabled\n"),
        WRONG_METHOD,
        UNKNOWN,
    ];

    #[test]
    fn is_waited_for_and_stopped() {
        only_ours!();
        waited_for_and_stopped("linkerd", &ON, &[NOT_READY], "/shutdown", &["POST 4191"]);
    }

    #[test]
    fn on_ipv6_alone_is_found() {
        only_ours!();
        own_network(|| {
            let standin = Standin::start_on("::1", &ON, &[]);
            stopped(main_of("linkerd")).0.silent(3);
            assert_eq!(standin.asked_for("/shutdown"), ["POST 4191"]);
        });
    }

    #[test]
    fn an_endpoint_that_is_not_enabled_is_quoted_with_the_annotation() {
        only_ours!();
        refused(
            "linkerd",
            &OFF,
            &[
                "linkerd: POST ",
                "/shutdown answered 404 \"shutdown endpoint is not enabled\"; set the annotation",
                "config.linkerd.io/proxy-admin-shutdown: enabled",
            ],
        );
    }

    #[test]
    fn a_wrong_method_or_slash_is_told() {
        only_ours!();
        refused("linkerd:method=PUT", &ON, &["linkerd: PUT ", "answered 405"]);
        refused("linkerd:quit=/shutdown/", &ON, &["linkerd: POST ", "/shutdown/ answered 404"]);
        let remote = row(4191, "POST", "/shutdown", 403, "Requests are only permitted from localhost.\n");
        refused("linkerd", &[READY, remote], &["403", "only permitted from localhost", "loopback"]);
    }

    #[test]
    fn one_that_drains_with_its_port_open_is_not_waited_for() {
        only_ours!();
        let open = [READY, row(4191, "POST", "/shutdown", 200, "shutdown\n")];
        beside(&open, |_| {
            let (end, took) = stopped(main_of("linkerd"));
            end.silent(3);
            assert!(took < ms(300), "{took:?}");
        });
    }

    /// As one without an identity does for two minutes.
    const DRAINS: [Row; 2] = [READY, row(4191, "POST", "/shutdown", 200, "shutdown\n")];

    #[test]
    fn that_it_may_run_on_is_told_at_info_with_what_sets_for_how_long() {
        only_ours!();
        beside(&DRAINS, |_| {
            let (end, _) = stopped(main_of("linkerd").options(["--log-level", "info"]));
            let told: Vec<_> = end.stderr.lines().filter(|line| line.contains("may run on")).collect();
            assert_eq!(told.len(), 1, "{}", end.stderr);
            for word in
                ["info: linkerd: accepted the request", "120 s", "LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD"]
            {
                assert!(told[0].contains(word), "{word}: {}", told[0]);
            }
        });
    }

    #[test]
    fn with_gone_refused_only_its_ports_are_waited_for_which_refuse_when_its_drain_begins() {
        only_ours!();
        beside(&DRAINS, |_| {
            let (end, _) = stopped(main_of("linkerd:gone=refused").options(["--stop-timeout", "400ms"]));
            end.one_line(3, &["linkerd", "still there", "answered 200", "shutdown-grace-period"]);
        });
        beside(&ON, |standin| {
            stopped(main_of("linkerd:gone=refused")).0.silent(3);
            assert!(standin.is_gone());
        });
    }
}

mod dapr {
    use super::*;

    const NO_ROUTE: &str = "{\"errorCode\":\"ERR_DIRECT_INVOKE\",\"message\":\"failed getting app id either from the \
                            URL path or the header dapr-app-id\"}";
    const READY: Row = row(3500, "GET", "/v1.0/healthz/outbound", 204, "");
    const NOT_READY: Row = row(
        3500,
        "GET",
        "/v1.0/healthz/outbound",
        500,
        "{\"errorCode\":\"ERR_OUTBOUND_HEALTH_NOT_READY\",\"message\":\"dapr outbound is not ready\"}",
    );
    /// Waits for the app, which waits for us.
    const NEVER: Row = row(
        3500,
        "GET",
        "/v1.0/healthz",
        500,
        "{\"errorCode\":\"ERR_HEALTH_NOT_READY\",\"message\":\"dapr is not ready\"}",
    );
    const QUIT: Row = row(3500, "POST", "/v1.0/shutdown", 204, "").goes(6);
    const ELSE: Row = row(3500, "*", "*", 404, NO_ROUTE);
    const SLASH: Row = row(3500, "POST", "/v1.0/shutdown/", 204, "").goes(6);
    const ON: [Row; 5] = [READY, NEVER, QUIT, SLASH, ELSE];
    const TOKEN: Row =
        row(3500, "*", "/v1.0/shutdown", 401, "invalid api token\n").unless("dapr-api-token: s3cret");

    #[test]
    fn is_waited_for_by_its_outbound_health_and_stopped() {
        only_ours!();
        waited_for_and_stopped("dapr", &ON, &[NOT_READY], "/v1.0/shutdown", &["POST 3500"]);
    }

    #[test]
    fn on_ipv6_alone_is_found() {
        only_ours!();
        own_network(|| {
            let standin = Standin::start_on("::1", &ON, &[]);
            stopped(main_of("dapr")).0.silent(3);
            assert_eq!(standin.asked_for("/v1.0/shutdown"), ["POST 3500"]);
        });
    }

    #[test]
    fn its_token_comes_from_the_environment_and_is_never_shown() {
        only_ours!();
        let rows = [TOKEN, READY, QUIT, ELSE];
        refused("dapr", &rows, &["dapr: POST ", "401 \"invalid api token\"", "DAPR_API_TOKEN"]);
        for launch in [
            main_of("dapr").env("DAPR_API_TOKEN=s3cret\n"),
            main_of("dapr:header=dapr-api-token=s3cret"),
            main_of("dapr:header=dapr-api-token=s3cret").env("DAPR_API_TOKEN=old"),
        ] {
            beside(&rows, |_| {
                let (end, _) = stopped(launch.options(["--log-level", "debug"]));
                assert_eq!(end.code(), 3);
                assert!(
                    end.stderr.contains("dapr: gone") && !end.stderr.contains("s3cret"),
                    "{}",
                    end.stderr
                );
            });
        }
    }

    #[test]
    fn its_port_comes_from_the_environment() {
        only_ours!();
        let rows = [
            row(3600, "GET", "/v1.0/healthz/outbound", 204, ""),
            row(3600, "POST", "/v1.0/shutdown", 204, "").goes(6),
        ];
        beside(&rows, |standin| {
            stopped(main_of("dapr").env("DAPR_HTTP_PORT=3600")).0.silent(3);
            assert_eq!(standin.asked_for("/v1.0/shutdown"), ["POST 3600"]);
        });
    }

    #[test]
    fn an_allow_list_without_shutdown_and_a_wrong_method_are_told() {
        only_ours!();
        let closed = [READY, row(3500, "*", "*", 404, "404 page not found\n")];
        refused("dapr", &closed, &["404 \"404 page not found\"", "allow-list"]);
        refused("dapr:method=PUT", &ON, &["PUT ", "404", "ERR_DIRECT_INVOKE"]);
    }

    #[test]
    fn a_slash_is_sent_as_it_is_written() {
        only_ours!();
        beside(&ON, |standin| {
            stopped(main_of("dapr:quit=/v1.0/shutdown/")).0.silent(3);
            assert_eq!(standin.asked_for("/v1.0/shutdown/"), ["POST 3500"]);
        });
    }

    #[test]
    fn one_that_ignores_an_accepted_shutdown_is_told_with_the_known_bug() {
        only_ours!();
        beside(&[READY, row(3500, "POST", "/v1.0/shutdown", 204, "")], |_| {
            let (end, _) = stopped(main_of("dapr").options(["--stop-timeout", "400ms"]));
            end.one_line(3, &["dapr", "still there", "answered 204", "graceful-shutdown-seconds", "1.17.7"]);
        });
    }
}

/// Vault's agent and OpenBao's, which was made of it.
mod agents {
    use super::*;

    const BOTH: [(&str, &str); 2] = [
        ("vault-agent", "vault.hashicorp.com/agent-enable-quit"),
        ("openbao-agent", "openbao.openbao.org/agent-enable-quit"),
    ];
    const METRICS: Row = row(8200, "GET", "/agent/v1/metrics", 200, "{\"Gauges\":[]}\n");
    const METRICS_ELSE: Row = row(8200, "*", "/agent/v1/metrics", 405, "{\"errors\":[]}\n");
    const QUIT: Row = row(8200, "POST", "/agent/v1/quit", 200, "").goes(4);
    const QUIT_ELSE: Row = row(8200, "*", "/agent/v1/quit", 405, "");
    const OFF: Row = row(8200, "*", "/agent/v1/quit", 404, "");
    /// Whatever is not the agent's own goes to the server, which is down.
    const PROXIED: Row = row(8200, "*", "*", 0, "").silent();
    const ON: [Row; 5] = [METRICS, METRICS_ELSE, QUIT, QUIT_ELSE, PROXIED];

    #[test]
    fn are_waited_for_and_stopped() {
        only_ours!();
        for (name, _) in BOTH {
            own_network(|| {
                let run = main_of(name).sh("echo up; exit 3").start();
                let standin = Standin::start(&ON);
                run.says("up");
                run.wait().silent(3);
                assert_eq!(standin.asked_for("/agent/v1/quit"), ["POST 8200"], "{name}");
            });
        }
    }

    /// The metrics are 200 before auto-auth has succeeded.
    #[test]
    fn with_an_env_file_they_are_ready_when_it_is_there() {
        only_ours!();
        for (name, _) in BOTH {
            beside(&ON, |standin| {
                let dir = TempDir::new();
                let file = dir.at("secret.env");
                let file = file.to_str().unwrap();
                let options = ["--env-file", file, "--log-level", "debug"];
                let run = main_of(name).options(options).sh("echo up; exit $CODE").start();
                run.tells(&format!("ready but for a file: {file}, which --env-file reads, is not there"));
                assert!(run.said().is_empty(), "{name}: main starts too early");
                dir.file("new", "export CODE='7'\n", 0o600);
                std::fs::rename(dir.at("new"), file).unwrap();
                run.says("up");
                assert_eq!(run.wait().code(), 7);
                assert_eq!(standin.asked_for("/agent/v1/quit"), ["POST 8200"], "{name}");
            });
        }
    }

    #[test]
    fn an_env_file_that_never_comes_is_named_when_the_wait_is_over_and_the_agent_is_stopped() {
        only_ours!();
        for spec in ["vault-agent", "openbao-agent?", "vault-agent:ready=none"] {
            beside(&ON, |standin| {
                let dir = TempDir::new();
                let file = dir.at("secret.env");
                let options = ["--env-file", file.to_str().unwrap(), "--wait-timeout", "300ms"];
                let end = main_of(spec).options(options).sh("exit 3").run();
                let file = "secret.env, which --env-file reads, is not there; has it logged in";
                end.one_line(124, &["is not ready", file]);
                for word in ["metrics", "port=", "ready=file:"] {
                    assert!(!end.stderr.contains(word), "no advice about what is right: {}", end.stderr);
                }
                assert_eq!(standin.asked_for("/agent/v1/quit"), ["POST 8200"], "{spec}");
            });
        }
    }

    /// A hundred requests a second are no way to wait for a login.
    #[test]
    fn while_a_file_is_waited_for_the_agent_is_left_alone() {
        only_ours!();
        beside(&ON, |standin| {
            let dir = TempDir::new();
            let file = dir.at("secret.env");
            let options = ["--env-file", file.to_str().unwrap(), "--wait-timeout", "500ms"];
            let end = main_of("vault-agent").options(options).sh("exit 3").run();
            assert_eq!(end.code(), 124);
            let asked = standin.asked_for("/agent/v1/metrics");
            assert!(asked.len() < 5, "{asked:?}");
        });
    }

    /// What can be seen to fail is not waited for, and fails by its own words.
    #[test]
    fn an_env_file_that_may_not_be_looked_at_is_told_at_once() {
        only_ours!();
        beside(&ON, |_| {
            let dir = TempDir::new();
            let file = dir.at("loop");
            std::os::unix::fs::symlink(&file, &file).unwrap();
            let options = ["--env-file", file.to_str().unwrap(), "--wait-timeout", "20s"];
            let began = Instant::now();
            let end = main_of("vault-agent").options(options).sh("exit 3").run();
            end.one_line(125, &["--env-file", "(os error 40)"]);
            assert!(began.elapsed() < ms(5000), "{:?}", began.elapsed());
        });
    }

    /// The init container of the injector has written the file, and the agent itself starts after a fast main.
    #[test]
    fn a_file_that_is_there_already_is_no_sight_of_the_agent_which_is_stopped_when_it_starts() {
        only_ours!();
        own_network(|| {
            let dir = TempDir::new();
            let file = dir.file("secret.env", "export CODE='7'\n", 0o600);
            let file = file.display();
            let spec = format!("vault-agent:ready=file:{file}");
            let options = ["--env-file".to_owned(), file.to_string(), "--log-level".into(), "debug".into()];
            let run = main_of(&spec).options(options).sh("exit $CODE").start();
            run.tells("connection refused");
            let standin = Standin::start(&ON);
            assert_eq!(run.wait().code(), 7);
            assert_eq!(standin.asked_for("/agent/v1/quit"), ["POST 8200"]);
        });
    }

    #[test]
    fn an_agent_without_a_listener_is_told_with_the_annotation() {
        only_ours!();
        for (name, annotation) in BOTH {
            own_network(|| {
                let dir = TempDir::new();
                let file = dir.file("secret.env", "", 0o600);
                let spec = format!("{name}:ready=file:{}", file.display());
                let end = main_of(&spec).options(["--stop-timeout", "300ms"]).sh("exit 3").run();
                end.one_line(3, &[name, "never appeared", annotation]);
            });
            let elsewhere = row(8199, "*", "*", 200, "");
            let spec = format!("{name}:ready=tcp://127.0.0.1:8199");
            refused(&spec, &[elsewhere], &[name, "not switched on", annotation]);
        }
    }

    #[test]
    fn an_agent_that_is_absent_holds_up_no_env_file() {
        only_ours!();
        own_network(|| {
            let dir = TempDir::new();
            let file = dir.at("secret.env");
            let options = ["--env-file", file.to_str().unwrap(), "--absent-after", "100ms"];
            let end = main_of("vault-agent?").options(options).sh("exit 3").run();
            end.one_line(125, &["--env-file", "secret.env", "No such file"]);
        });
    }

    #[test]
    fn a_quit_that_is_not_enabled_is_told_with_the_annotation() {
        only_ours!();
        for (name, annotation) in BOTH {
            refused(name, &[METRICS, OFF, PROXIED], &[name, "/agent/v1/quit answered 404; set", annotation]);
        }
    }

    #[test]
    fn one_that_does_not_go_is_told_with_what_may_hold_it_up() {
        only_ours!();
        for (name, server) in [("vault-agent", "Vault server"), ("openbao-agent", "OpenBao server")] {
            beside(&[METRICS, row(8200, "POST", "/agent/v1/quit", 200, "")], |_| {
                let (end, _) = stopped(main_of(name).options(["--stop-timeout", "400ms"]));
                end.one_line(3, &[name, "still there", server]);
            });
        }
    }

    #[test]
    fn a_wrong_method_is_told() {
        only_ours!();
        for (name, _) in BOTH {
            refused(&format!("{name}:method=GET"), &ON, &[name, "answered 405", "POST"]);
        }
    }

    #[test]
    fn a_slash_goes_to_the_server_which_never_answers_and_is_told_at_the_deadline() {
        only_ours!();
        beside(&ON, |standin| {
            let spec = "vault-agent:quit=/agent/v1/quit/,timeout=200ms";
            let (end, took) = stopped(main_of(spec).options(["--stop-timeout", "600ms"]));
            end.one_line(3, &["vault-agent", "still there", "no answer within 200 ms"]);
            assert!(took < ms(1500), "{took:?}");
            assert_eq!(standin.asked_for("/agent/v1/quit/"), ["POST 8200"]);
        });
    }
}

/// The way out is told at the gate, and not only when main has ended.
mod prometheus_behind {
    use super::*;

    #[test]
    fn a_password_or_a_prefix_is_told_at_the_gate() {
        only_ours!();
        for (name, port) in [("prometheus", 9090), ("pushgateway", 9091)] {
            for (status, words) in [(401, "header=Authorization=Basic"), (404, "ready=/PREFIX/-/ready")] {
                beside(&[row(port, "*", "*", status, "")], |_| {
                    let options = ["--wait-timeout", "200ms"];
                    let end = main_of(name).options(options).sh("exit 3").run();
                    let gate = end.stderr.lines().find(|line| line.contains("is not ready")).unwrap();
                    assert!(gate.contains(words), "{gate}");
                });
            }
        }
    }
}

mod consul {
    use super::*;

    const WAITING: Row = row(19_000, "*", "/ready", 503, "PRE_INITIALIZING\n").head("server: envoy");
    const LIVE: Row = row(19_000, "*", "/ready", 200, "LIVE\n").head("server: envoy");
    const INJECTED: Row = row(20_600, "POST GET PUT HEAD", "/graceful_shutdown", 200, "").goes(18);
    const ALONE: Row = row(20_300, "POST GET PUT HEAD", "/graceful_shutdown", 200, "").goes(18);
    const ELSE: Row = row(20_600, "*", "*", 404, "404 page not found\n");

    #[test]
    fn is_waited_for_by_its_envoy_and_stopped_where_it_is_injected_or_alone() {
        only_ours!();
        for (quit, asked) in [(INJECTED, "POST 20600"), (ALONE, "POST 20300")] {
            waited_for_and_stopped(
                "consul-dataplane",
                &[LIVE, quit],
                &[WAITING],
                "/graceful_shutdown",
                &[asked],
            );
        }
    }

    #[test]
    fn its_grace_period_is_not_waited_for() {
        only_ours!();
        // 19000 answers all the while, and a second quit would be answered 200, too.
        let slow = row(20_600, "POST GET PUT HEAD", "/graceful_shutdown", 200, "").goes(3_000);
        beside(&[LIVE, slow], |standin| {
            let (end, took) = stopped(main_of("consul-dataplane"));
            end.silent(3);
            assert!(took < ms(300), "{took:?}");
            assert_eq!(standin.asked_for("/graceful_shutdown").len(), 1);
        });
    }

    #[test]
    fn its_grace_period_is_told_at_info() {
        only_ours!();
        beside(&[LIVE, INJECTED], |_| {
            let (end, _) = stopped(main_of("consul-dataplane").options(["--log-level", "info"]));
            let words = "shutdown-grace-period-seconds";
            assert_eq!(end.stderr.lines().filter(|line| line.contains(words)).count(), 1, "{}", end.stderr);
        });
    }

    #[test]
    fn a_path_of_another_name_and_a_slash_are_told() {
        only_ours!();
        let rows = [LIVE, INJECTED, ELSE];
        for path in ["/graceful_shutdown/", "/quit"] {
            refused(
                &format!("consul-dataplane:quit={path}"),
                &rows,
                &["404 \"404 page not found\"", "graceful-shutdown-path"],
            );
        }
    }

    #[test]
    fn another_port_is_told() {
        only_ours!();
        let rows = [LIVE, row(20_601, "*", "*", 200, "")];
        refused("consul-dataplane", &rows, &["not switched on", "graceful-port"]);
    }

    #[test]
    fn without_a_server_nothing_listens_and_the_hint_says_so() {
        only_ours!();
        own_network(|| {
            let options = ["--wait-timeout", "200ms", "--stop-timeout", "200ms"];
            let end = main_of("consul-dataplane").options(options).sh("exit 3").run();
            end.lines(124, &[&["refused", "Is the Consul server|is the Consul server"], &["never appeared"]]);
        });
    }
}

mod kuma {
    use super::*;

    const READY: Row = row(9902, "*", "/ready", 200, "READY").head("x-powered-by: kuma-dp");
    const NOT_READY: Row = row(9902, "*", "/ready", 503, "NOT_READY").head("x-powered-by: kuma-dp");
    const ELSE: Row = row(9902, "*", "*", 404, "");
    /// Envoy's own admin, up to 2.x.
    const ADMIN: [Row; 4] = [
        row(9901, "*", "/ready", 200, "LIVE\n"),
        row(9901, "POST", "/quitquitquit", 200, "OK\n").goes(8),
        row(9901, "*", "/quitquitquit", 405, "Method GET not allowed, POST required."),
        row(9901, "*", "*", 404, "invalid path. admin commands are:\n  /: Admin home page\n"),
    ];

    #[test]
    fn two_is_waited_for_and_stopped() {
        only_ours!();
        let [ready, quit, wrong, other] = ADMIN;
        let rows = [READY, ELSE, ready, quit, wrong, other];
        waited_for_and_stopped("kuma", &rows, &[NOT_READY], "/quitquitquit", &["POST 9901"]);
        refused("kuma:method=PUT", &rows, &["kuma: PUT ", "405"]);
        refused("kuma:quit=/quitquitquit/", &rows, &["404 \"invalid path. admin commands are:\"", "port="]);
    }

    #[test]
    fn an_older_one_without_9902_is_waited_for_by_its_envoy() {
        only_ours!();
        beside(&ADMIN, |standin| {
            stopped(main_of("kuma")).0.silent(3);
            assert_eq!(standin.asked_for("/ready"), ["GET 9901"]);
            assert_eq!(standin.asked_for("/quitquitquit"), ["POST 9901"]);
        });
    }

    #[test]
    fn three_has_no_quit_and_needs_none() {
        only_ours!();
        beside(&[READY, ELSE], |standin| {
            let (end, took) = stopped(main_of("kuma"));
            end.silent(3);
            assert!(took < ms(300), "{took:?}");
            assert!(!standin.is_gone());
        });
    }
}

/// No preset of those that never end by a request pretends that one was sent.
mod without_an_endpoint {
    use super::*;

    #[test]
    fn each_says_what_to_do_instead() {
        only_ours!();
        for (name, ready, words) in [
            ("otel-collector", row(13_133, "GET", "/", 200, "{}"), &["native sidecar", "lastout guard"][..]),
            (
                "fluent-bit",
                row(2020, "GET", "/api/v1/health", 200, "ok\n"),
                &["native sidecar", "lastout guard"],
            ),
            ("datadog-agent", row(5555, "GET", "/ready", 200, "{}"), &["DD_AUTO_EXIT_NOPROCESS_ENABLED"]),
            ("spiffe-helper", row(8081, "GET", "/ready", 200, ""), &["daemon_mode = false"]),
            (
                "graphite-exporter",
                row(9108, "GET", "/metrics", 200, "# TYPE up gauge\n"),
                &["native sidecar", "lastout guard"],
            ),
            ("alloy", row(12_345, "GET", "/-/ready", 200, "Alloy is ready.\n"), &["native sidecar"]),
            ("pgbouncer", row(6432, "*", "*", 0, "").silent(), &["native sidecar", "signal=QUIT"]),
        ] {
            beside(&[ready], |standin| {
                let (end, took) = stopped(main_of(name));
                end.one_line(3, &[&[name, "no quit endpoint"], words].concat());
                assert!(took < ms(1000), "{name}: {took:?}");
                assert!(standin.asked().iter().all(|asked| asked.method == "GET"));
            });
        }
    }

    #[test]
    fn gcsfuse_is_left_to_its_driver() {
        only_ours!();
        own_network(|| stopped(main_of("gcsfuse")).0).silent(3);
    }
}
