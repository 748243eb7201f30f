use super::*;
use crate::presets::PRESETS;
use alloc::{borrow::ToOwned, format, string::ToString, vec};
use proptest::prelude::*;

fn no_env(_: &str) -> Option<String> {
    None
}

fn spec(text: &str) -> Spec {
    Spec::parse(text, &no_env).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn tcp(candidates: &[&str]) -> Address {
    Address::Tcp(candidates.iter().map(|candidate| candidate.parse().unwrap()).collect())
}

/// Ready and quit as messages show them.
fn shown(text: &str) -> (String, String) {
    let spec = spec(text);
    (spec.ready.to_string(), spec.quit.to_string())
}

#[test]
fn a_known_name_alone_takes_everything_from_its_row() {
    let spec = spec("linkerd");
    assert_eq!(spec.name, "linkerd");
    assert_eq!(spec.preset.map(|preset| preset.name), Some("linkerd"));
    assert!(!spec.optional);
    let both = tcp(&["127.0.0.1:4191", "[::1]:4191"]);
    assert_eq!((spec.ready.address(), spec.quit.address()), (Some(&both), Some(&both)));
    assert_eq!(spec.ready.to_string(), "GET 127.0.0.1:4191/ready");
    assert_eq!(spec.quit.to_string(), "POST 127.0.0.1:4191/shutdown");
    assert_eq!((spec.order, &spec.gone, spec.timeout), (90, &Proof::Accepted, Duration::from_secs(1)));
    assert!(spec.hint(When::Status(404)).unwrap().contains("config.linkerd.io/proxy-admin-shutdown"));
    assert_eq!(spec.hint(When::Status(418)), None);
}

#[test]
fn every_row_is_a_spec_of_its_own_and_may_be_optional() {
    for preset in PRESETS {
        let plain = spec(preset.name);
        assert_eq!(spec(&format!("{}?", preset.name)), Spec { optional: true, ..plain });
    }
}

#[test]
fn candidates_are_tried_port_by_port() {
    let consul = spec("consul-dataplane");
    let ports = ["127.0.0.1:20600", "[::1]:20600", "127.0.0.1:20300", "[::1]:20300"];
    assert_eq!(consul.quit.address(), Some(&tcp(&ports)));
    let kuma = spec("kuma:host=::1");
    assert_eq!(kuma.ready.address(), Some(&tcp(&["[::1]:9902", "[::1]:9901"])));
}

#[test]
fn port_is_the_quit_requests_and_the_ready_ones_where_they_share_it() {
    for (text, ready, quit) in [
        ("envoy:port=15000", "GET 127.0.0.1:15000/ready", "POST 127.0.0.1:15000/quitquitquit"),
        ("envoy:port=1,ready-port=2", "GET 127.0.0.1:2/ready", "POST 127.0.0.1:1/quitquitquit"),
        ("cloud-sql-proxy:port=1", "GET 127.0.0.1:9090/startup", "POST 127.0.0.1:1/quitquitquit"),
        ("cloud-sql-proxy:ready-port=1", "GET 127.0.0.1:1/startup", "POST 127.0.0.1:9091/quitquitquit"),
        ("otel-collector:port=1", "GET 127.0.0.1:1/", "none"),
        ("pgbouncer:port=1", "tcp://127.0.0.1:1", "none"),
        ("x:port=8080,ready=/r,quit=/q?a=b", "GET 127.0.0.1:8080/r", "POST 127.0.0.1:8080/q?a=b"),
        ("x:ready-port=1,port=2,quit=/q", "tcp://127.0.0.1:1", "POST 127.0.0.1:2/q"),
    ] {
        assert_eq!(shown(text), (ready.to_owned(), quit.to_owned()), "{text}");
    }
    let kuma = spec("kuma:host=127.0.0.1,port=1");
    assert_eq!(kuma.ready.address(), Some(&tcp(&["127.0.0.1:9902", "127.0.0.1:1"])));
}

#[test]
fn targets_of_any_kind() {
    for (text, ready, quit) in [
        ("x:ready=http://localhost:1/r", "GET 127.0.0.1:1/r", "none"),
        ("x:ready=HTTP://LOCALHOST/", "GET 127.0.0.1:80/", "none"),
        ("x:ready=http://[::1]", "GET [::1]:80/", "none"),
        ("x:ready=http://[::1]:5/", "GET [::1]:5/", "none"),
        ("x:ready=http://127.0.0.1:1?a=b", "GET 127.0.0.1:1/?a=b", "none"),
        ("x:quit=http://127.0.0.1:1//a/../%2C%25%20", "none", "POST 127.0.0.1:1//a/../%2C%25%20"),
        ("x:ready=tcp://[::1]:6432", "tcp://[::1]:6432", "none"),
        ("x:ready=unix:/run/a%2Cb.sock", "unix:/run/a,b.sock", "none"),
        ("x:ready=unix:///run/a.sock:/r", "GET unix:/run/a.sock:/r", "none"),
        ("x:quit=unix:/a:/q?u=http://x", "none", "POST unix:/a:/q?u=http://x"),
        ("x:ready=file:/run/100%25%20ok", "file:/run/100% ok", "none"),
        ("x:ready=file:///a,quit=file:done", "file:/a", "file:done"),
        ("istio:ready=none", "none", "POST 127.0.0.1:15020/quitquitquit"),
        ("istio:quit=none", "GET 127.0.0.1:15020/healthz/ready", "none"),
        ("pushgateway:quit=/pre/-/quit", "GET 127.0.0.1:9091/-/ready", "POST 127.0.0.1:9091/pre/-/quit"),
        ("x:process=worker", "none", "none"),
    ] {
        assert_eq!(shown(text), (ready.to_owned(), quit.to_owned()), "{text}");
    }
}

#[test]
fn both_requests_go_over_the_socket() {
    for text in [
        "envoy:socket=/run/admin.sock",
        "x:socket=/run/admin.sock,ready=/ready,quit=http://localhost/quitquitquit",
    ] {
        let spec = spec(text);
        let socket = Address::Unix(b"/run/admin.sock".to_vec());
        assert_eq!((spec.ready.address(), spec.quit.address()), (Some(&socket), Some(&socket)), "{text}");
        assert_eq!(spec.ready.to_string(), "GET unix:/run/admin.sock:/ready");
    }
    assert_eq!(shown("pgbouncer:socket=/tmp/.s.PGSQL.6432").0, "unix:/tmp/.s.PGSQL.6432");
}

#[test]
fn all_other_keys() {
    let text = "x?:ready=http://127.0.0.1:1/,quit=http://127.0.0.1:2/,method=put,ok=200|300-399,ready-ok=401,\
                timeout=250ms,order=7,absent=1s,process=my%20worker,signal=INT,header=A=b=c%2Cd,header=Host=x";
    let spec = spec(text);
    assert_eq!(spec.headers, [("A".to_owned(), "b=c,d".to_owned()), ("Host".to_owned(), "x".to_owned())]);
    assert_eq!((spec.timeout, spec.order), (Duration::from_millis(250), 7));
    assert_eq!((spec.optional, spec.absent_after), (true, Some(Duration::from_secs(1))));
    assert_eq!(spec.process, Some(("my worker".to_owned(), Signal::INT)));
    let (Ready::Http(ready), Quit::Http(quit)) = (&spec.ready, &spec.quit) else { panic!("{spec:?}") };
    assert_eq!((ready.method.as_str(), quit.method.as_str()), ("GET", "PUT"));
    assert_eq!(ready.ok, StatusSet(vec![(401, 401)]));
    assert_eq!(quit.ok.to_string(), "200|300-399");
    for (status, contained) in [(200, true), (201, false), (300, true), (399, true), (400, false)] {
        assert_eq!(quit.ok.contains(status), contained, "{status}");
    }
}

#[test]
fn proofs_of_any_kind() {
    let at = |text: &str| text.parse().unwrap();
    for (text, proof, shown) in [
        ("refused", Proof::PortsRefuse, "refused"),
        ("accepted", Proof::Accepted, "accepted"),
        ("tcp://127.0.0.1:1", Proof::Refuses(Address::Tcp(vec![at("127.0.0.1:1")])), "tcp://127.0.0.1:1"),
        ("unix:@x", Proof::Refuses(Address::Unix(b"\0x".to_vec())), "unix:@x"),
        ("FILE:///a%2Cb", Proof::FileThere(b"/a,b".to_vec()), "file:/a,b"),
        ("no-file:/a%20b", Proof::FileAway(b"/a b".to_vec()), "no-file:/a b"),
        ("process:a%2Cb", Proof::NoProcess("a,b".to_owned()), "process:a,b"),
    ] {
        let gone = spec(&format!("envoy:gone={text}")).gone;
        assert_eq!((gone.to_string().as_str(), gone), (shown, proof));
    }
    assert_eq!(spec("linkerd:gone=refused").gone, Proof::PortsRefuse);
}

#[test]
fn ok_is_the_ready_requests_where_nothing_is_asked_to_quit() {
    let Ready::Http(ready) = spec("otel-collector:ok=200-499").ready else { panic!() };
    assert_eq!(ready.ok, StatusSet(vec![(200, 499)]));
}

#[test]
fn dapr_takes_port_and_token_from_the_environment() {
    let env = |name: &str| match name {
        "DAPR_HTTP_PORT" => Some("3600".to_owned()),
        "DAPR_API_TOKEN" => Some("secret\n".to_owned()),
        _ => None,
    };
    let dapr = Spec::parse("dapr", &env).unwrap();
    assert_eq!(dapr.ready.to_string(), "GET 127.0.0.1:3600/v1.0/healthz/outbound");
    assert_eq!(dapr.quit.to_string(), "POST 127.0.0.1:3600/v1.0/shutdown");
    assert_eq!(dapr.headers, [("dapr-api-token".to_owned(), "secret".to_owned())]);
    let Quit::Http(quit) = dapr.quit else { panic!() };
    assert!(quit.ok.contains(204) && quit.ok.contains(200) && !quit.ok.contains(202));

    let own = Spec::parse("dapr:port=1,header=Dapr-Api-Token=mine", &env).unwrap();
    assert_eq!(own.quit.to_string(), "POST 127.0.0.1:1/v1.0/shutdown");
    assert_eq!(own.headers, [("Dapr-Api-Token".to_owned(), "mine".to_owned())]);

    let service_link = |name: &str| (name == "DAPR_HTTP_PORT").then(|| "tcp://10.0.0.1:80".to_owned());
    assert_eq!(Spec::parse("dapr", &service_link), Ok(spec("dapr")));
    let wrong = |name: &str| (name == "DAPR_HTTP_PORT").then(|| "http".to_owned());
    let error = Spec::parse("dapr", &wrong).unwrap_err();
    assert!(error.to_string().starts_with("dapr: DAPR_HTTP_PORT: `http` is no port"), "{error}");
    assert_eq!((error.kind, error.subject), (SpecErrorKind::Port, Subject::Variable("DAPR_HTTP_PORT")));
    assert_eq!((error.value.as_str(), error.at), ("http", 0..4));
    let wrong = |name: &str| (name == "DAPR_API_TOKEN").then(|| "sec\nret".to_owned());
    let error = Spec::parse("dapr", &wrong).unwrap_err();
    let why = error.to_string();
    assert!(why.starts_with("dapr: DAPR_API_TOKEN: ") && !why.contains("sec"), "{why}");
    assert!(!format!("{error:?}").contains("sec"), "{error:?}");
}

/// Text that is often almost a spec.
fn almost_a_spec() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("istio".to_owned()),
        Just("x".to_owned()),
        prop::sample::select(vec![
            "?",
            ":",
            ",",
            "=",
            "ready=",
            "quit=",
            "port=",
            "header=",
            "ok=",
            "http://",
            "unix:",
            "tcp://",
            "file:",
            "127.0.0.1",
            "[::1]",
            "localhost",
            "/",
            "%2C",
            "%",
            "200",
            "-",
            "|",
            "é",
            "\0",
            "@",
            "]",
            "socket=",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_answered_in_one_line_or_connects_to_loopback_only(text in almost_a_spec()) {
        match Spec::parse(&text, &|_| Some("1".to_owned())) {
            Err(error) => {
                let why = error.to_string();
                prop_assert!(!why.is_empty() && !why.chars().any(char::is_control), "{}", why);
                prop_assert!(text.get(error.at.clone()).is_some(), "{:?}", error);
            }
            Ok(spec) => {
                for at in [spec.ready.address(), spec.quit.address()].into_iter().flatten() {
                    match at {
                        Address::Tcp(list) => {
                            prop_assert!(!list.is_empty());
                            prop_assert!(list.iter().all(|a| a.ip().is_loopback() && a.port() != 0));
                        }
                        Address::Unix(path) => prop_assert!(!path.is_empty() && path.len() < 108),
                    }
                }
            }
        }
    }

    #[test]
    fn a_set_of_statuses_reads_back(ranges in prop::collection::vec((200u16..600, 200u16..600), 1..5)) {
        let set = StatusSet(ranges.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect());
        prop_assert_eq!(target::statuses(&set.to_string()).ok(), Some(set));
    }

    #[test]
    fn an_escaped_file_name_reads_back(name in "[^\0/]{1,40}") {
        prop_assume!(!name.starts_with("///"));
        let escaped = name.replace('%', "%25").replace(',', "%2C").replace(' ', "%20");
        let spec = spec(&format!("x:ready=file:{escaped}"));
        prop_assert_eq!(spec.ready, Ready::File(name.into_bytes()));
    }

    #[test]
    fn a_header_never_shows(value in "[ -~]{8,40}", text in "[a-z,=:]{0,10}") {
        let escaped = value.replace('%', "%25");
        if let Err(error) = Spec::parse(&format!("istio:header=Token={escaped}{text}"), &no_env) {
            let why = format!("{error} {error:?}");
            prop_assert!(!why.contains(&value), "{}", why);
        }
    }
}
