use super::SpecErrorKind as Kind;
use super::*;
use alloc::string::ToString;

fn error(text: &str) -> String {
    Spec::parse(text, &|_| None).expect_err(text).to_string()
}

/// A text without the marks « » in it, and the bytes between them.
fn marked(text: &str) -> (String, Range<usize>) {
    let begin = text.find('«').unwrap_or_else(|| panic!("{text}"));
    let plain = text.replace('«', "");
    let end = plain.find('»').unwrap_or_else(|| panic!("{text}"));
    (plain.replace('»', ""), begin..end)
}

#[test]
fn an_error_says_what_is_wrong_with_which_value_and_where_it_stands() {
    for (text, kind, key, value) in [
        ("«»:port=1", Kind::NoName, "", ""),
        ("linkerd«,port=1»", Kind::CommaBehindName, "", ""),
        ("istio« linkerd»", Kind::BlankBehindName, "", ""),
        ("istio«=15020»", Kind::StrangeCharacter, "", ""),
        ("«-»:quit=/q", Kind::NoLetter, "", ""),
        ("«http://127.0.0.1:1/quit»", Kind::OnlyUrl, "", ""),
        ("«istoi»:port=1", Kind::UnknownSidecar, "", "istoi"),
        ("«mything»?", Kind::UnknownSidecar, "", "mything"),
        ("istio:«»", Kind::NoKey, "", ""),
        ("istio:port=1,«»,order=1", Kind::NoKey, "", ""),
        ("envoy:«9901»", Kind::OnlyNumber, "", "9901"),
        ("istio:order=1,«prot»=1", Kind::UnknownKey, "", "prot"),
        ("istio:header=A=b,«c»=d", Kind::BehindHeader, "", "A"),
        ("istio:«port»", Kind::NoValue, "port", ""),
        ("istio:order=1,«port=»", Kind::NoValue, "port", ""),
        ("istio:port=1,«port=1»", Kind::Twice, "port", ""),
        ("envoy:socket=/a,«port=1»", Kind::SocketToo, "port", ""),
        ("istio:«signal=TERM»", Kind::NoProcess, "signal", ""),
        (
            "istio:port=1,«absent=1s»,order=2",
            Kind::NoEffect("it is for optional sidecars: write NAME?"),
            "absent",
            "",
        ),
        ("pgbouncer:«header=A=b»", Kind::NoEffect("there is no request"), "header", ""),
        ("istio:header=«»", Kind::HeaderIncomplete, "header", ""),
        ("istio:header=«A»", Kind::HeaderIncomplete, "header", ""),
        ("istio:header=«A B»=c", Kind::HeaderName, "header", ""),
        ("istio:header=«Upgrade»=c", Kind::HeaderFraming, "header", "Upgrade"),
        ("istio:header=A=b,header=C=«é»,order=1", Kind::HeaderValue, "header", "C"),
        ("x:ready=«/r»", Kind::OnlyPath, "ready", ""),
        ("x:socket=/a,quit=«http://localhost:1/»", Kind::UrlWithPort, "quit", ""),
        ("x:quit=«tcp://127.0.0.1:1»", Kind::NoRequest, "quit", ""),
        ("x:quit=file:/a,gone=«refused»", Kind::NoPortToRefuse, "gone", ""),
        ("istio:timeout=«30»", Kind::Duration(DurationErrorKind::NoUnit), "timeout", "30"),
        ("istio?:absent=«1x»", Kind::Duration(DurationErrorKind::Malformed), "absent", "1x"),
        ("istio:timeout=«99999h»", Kind::Duration(DurationErrorKind::TooLong), "timeout", "99999h"),
        ("istio:timeout=«0»", Kind::NoTime, "timeout", "0"),
        ("x:ready=«127.0.0.1:80»", Kind::Address, "ready", "127.0.0.1:80"),
        ("x:ready=«ftp://me:secret@127.0.0.1»", Kind::Address, "ready", "127.0.0.1"),
        ("x:ready=«https://127.0.0.1/»", Kind::Https, "ready", ""),
        ("x:ready=«tcp://127.0.0.1»", Kind::TcpWithoutPort, "ready", "tcp://127.0.0.1"),
        ("x:ready=http://«me:secret@127.0.0.1»/", Kind::User, "ready", ""),
        ("x:ready=http://«evil»:1/", Kind::Host, "ready", "evil"),
        ("x:ready=http://«»/", Kind::Host, "ready", ""),
        ("istio:order=1,host=«10.0.0.1»", Kind::Host, "host", "10.0.0.1"),
        ("x:quit=http://localhost:«0»/", Kind::Port, "quit", "0"),
        ("istio:port=«99999»", Kind::Port, "port", "99999"),
        ("x:ready=http://localhost«?a#b»", Kind::Fragment, "ready", "/?a#b"),
        ("x:ready=http://localhost:1«/a b»", Kind::PathCharacter(' '), "ready", "/a b"),
        ("x:quit=file:«»", Kind::NoFile("file"), "quit", ""),
        ("x:quit=file:/a,gone=no-file:«»", Kind::NoFile("no-file"), "gone", ""),
        ("x:ready=unix:«»", Kind::NoFile("unix"), "ready", ""),
        ("x:ready=file:«/a\0»", Kind::Nul, "ready", "/a\0"),
        ("x:ready=unix:«@»", Kind::AbstractName, "ready", ""),
        ("istio:method=«PSOT»", Kind::Method, "method", "PSOT"),
        ("istio:ok=«199»", Kind::Statuses, "ok", "199"),
        ("x:quit=file:/a,gone=«none»", Kind::Proof, "gone", "none"),
        ("x:quit=file:/a,gone=«process:»", Kind::NoProcessName, "gone", ""),
        ("x:process=«a%20\n»", Kind::ControlCharacter, "process", "a \n"),
        ("istio:process=a,signal=«TREM»", Kind::Signal, "signal", "TREM"),
        ("istio:order=«-1»", Kind::Order, "order", "-1"),
    ] {
        let (text, at) = marked(text);
        let error = Spec::parse(&text, &|_| None).expect_err(&text);
        let subject = if key.is_empty() { Subject::Spec } else { Subject::Key(key) };
        assert_eq!(
            (error.kind, error.subject, error.value.as_str(), error.at),
            (kind, subject, value, at),
            "{text}"
        );
    }
}

#[test]
fn what_is_plain_is_mended_by_what_the_error_offers() {
    for (text, mended) in [
        ("istoi:port=1", "istio:port=1"),
        ("istio-proxy?", "istio?"),
        ("istio:order=1,prot=1", "istio:order=1,port=1"),
        ("envoy:9901", "envoy:port=9901"),
        ("istio:timeout=30,port=1", "istio:timeout=30s,port=1"),
        ("istio:method=PSOT", "istio:method=POST"),
    ] {
        let error = Spec::parse(text, &|_| None).expect_err(text);
        let mut written = text.to_owned();
        written.replace_range(error.at.clone(), &error.mend().unwrap());
        assert_eq!(written, mended);
        assert!(Spec::parse(mended, &|_| None).is_ok(), "{mended}");
    }
    for text in ["mything", "istio:something=1", "istio:port=x", "istio:method=x"] {
        assert_eq!(Spec::parse(text, &|_| None).unwrap_err().mend(), None, "{text}");
    }
}

#[test]
fn an_error_names_the_thing_and_the_way_out() {
    for (text, expected) in [
        ("istoi", "unknown sidecar `istoi`: did you mean `istio`?"),
        ("istio-proxy", "unknown sidecar `istio-proxy`: did you mean `istio`?"),
        ("linkred:port=4191", "unknown sidecar `linkred`: did you mean `linkerd`?"),
        ("mything", "unknown sidecar `mything`: say ready= and quit=, or take one of istio, envoy,"),
        ("", "a sidecar spec begins with a name"),
        ("?", "a sidecar spec begins with a name"),
        ("-:quit=/q", "-: a name needs a letter or a digit"),
        (":port=1", "a sidecar spec begins with a name"),
        ("istio linkerd", "istio: a blank behind the name: write each word as an item of its own"),
        ("linkerd,port=1", "linkerd: a comma behind the name: write NAME:key=value"),
        ("envoy:9901", "envoy: `9901` is no key=value: write envoy:port=9901"),
        ("http://127.0.0.1:1/quit", "http: an URL needs a name and a key"),
        ("istio:", "istio: a key is missing between the commas"),
        ("istio:port=1,", "istio: a key is missing between the commas"),
        ("istio:prot=1", "istio: unknown key `prot`: did you mean `port`?"),
        ("istio:something=1", "istio: unknown key `something`: write one of host, port,"),
        ("istio:port=1,port=2", "istio: `port` is given twice"),
        ("istio:port", "istio: `port` has no value"),
        ("istio:port=", "istio: `port` has no value"),
        ("istio:port=0", "istio: port: `0` is no port: write a number from 1 to 65535"),
        ("istio:port=65536", "istio: port: `65536` is no port"),
        ("istio:port=+1", "istio: port: `+1` is no port"),
        ("istio:host=10.0.0.1", "istio: host: `10.0.0.1` is no loopback host"),
        ("istio:host=0.0.0.0", "istio: host: `0.0.0.0` is no loopback host"),
        ("x:ready=http://localhost.evil/", "x: ready: `localhost.evil` is no loopback host"),
        ("x:ready=http://127.0.0.1.evil:1/", "x: ready: `127.0.0.1.evil` is no loopback host"),
        ("x:ready=http://127.0.0.1:/", "x: ready: `` is no port"),
        ("x:ready=http:///", "x: ready: `` is no loopback host"),
        ("x:ready=https://127.0.0.1/", "x: ready: https is not spoken here"),
        ("x:ready=127.0.0.1:80", "x: ready: `127.0.0.1:80` is no address: write http://"),
        ("x:ready=tcp://127.0.0.1", "x: ready: `tcp://127.0.0.1` has no port"),
        ("x:ready=tcp://127.0.0.1:1/x", "x: ready: `1/x` is no port"),
        ("x:ready=http://localhost/a b", "x: ready: `/a b` holds ' '"),
        ("x:ready=http://localhost/ä", "x: ready: `/ä` holds 'ä'"),
        ("x:ready=http://localhost/#a", "x: ready: `/#a` has a fragment"),
        ("x:ready=file:", "x: ready: a file name is missing"),
        ("x:ready=unix:", "x: ready: a file name is missing: write unix:/PATH"),
        ("x:ready=/r", "x: ready: a path alone needs port= or socket="),
        ("x:quit=/q", "x: quit: a path alone needs port= or socket="),
        ("x:quit=tcp://127.0.0.1:1", "x: quit: there is no request in it"),
        ("x:quit=unix:/a", "x: quit: there is no request in it"),
        ("envoy:socket=/a,port=1", "envoy: `port` and `socket` both say where"),
        ("x:socket=/a,quit=http://localhost:1/", "x: quit: both socket= and the URL's port say where"),
        ("istio:method=PSOT", "istio: method: `PSOT` is no method: did you mean POST?"),
        ("istio:ok=200,204", "istio: unknown key `204`"),
        ("istio:ok=199", "istio: ok: `199` is no set of statuses"),
        ("istio:ok=299-200", "istio: ok: `299-200` is no set of statuses"),
        ("istio:ok=|", "istio: ok: `|` is no set of statuses"),
        ("istio:timeout=30", "istio: timeout: `30` has no unit: write 30s"),
        ("istio:timeout=0", "istio: timeout: 0 leaves no time"),
        ("istio:order=first", "istio: order: `first` is no whole number"),
        ("istio:order=4294967296", "istio: order: `4294967296` is no whole number"),
        ("istio:signal=TERM", "istio: `signal` needs `process`"),
        ("istio:process=a,signal=TREM", "istio: signal: `TREM` is no signal"),
        ("x:quit=file:/a,gone=unix:/s:/q", "x: gone: `unix:/s:/q` is no proof: write file:FILE"),
        ("x:quit=file:/a,gone=no-file:", "x: gone: a file name is missing: write no-file:/PATH"),
        ("istio:quit=none,gone=accepted", "istio: `gone` has no effect: it is not asked to end"),
        ("istio:absent=1s", "istio: `absent` has no effect: it is for optional sidecars: write NAME?"),
        ("istio:quit=none,method=PUT", "istio: `method` has no effect: there is no quit request"),
        ("pgbouncer:ok=200", "pgbouncer: `ok` has no effect: there is no request"),
        ("istio:ready=none,ready-port=1", "istio: `ready-port` has no effect"),
        ("x:port=1,quit=http://localhost:2/", "x: `port` has no effect"),
        ("pgbouncer:header=A=b", "pgbouncer: `header` has no effect"),
    ] {
        let why = error(text);
        assert!(why.starts_with(expected), "{text}: {why}");
    }
    assert!(error(&"x".repeat(8193)).contains("8193 bytes is too long: at most 8192"));
    assert!(error(&format!("x:ready=unix:/{}", "x".repeat(107))).contains("at most 107 bytes"));
}

#[test]
fn no_error_holds_what_may_be_a_secret() {
    for text in [
        "istio:header=A=hunter2,hunter2",
        "istio:header=A=x,hunter2=",
        "istio:header=A=hunter2\n",
        "istio:header=A=hunter2é",
        "istio:header=hunter2",
        "istio:header=hunter2 =x",
        "istio:header==hunter2",
        "istio:header=Content-Length=hunter2",
        "istio:headr=A=hunter2",
        "istio:header=A=hunter2,port=0",
        "istio,header=A=hunter2",
        "istio header=A=hunter2:",
        "pgbouncer:header=A=hunter2",
        "istoi:header=A=hunter2",
        "x:quit=http://me:hunter2@127.0.0.1/",
        "x:quit=ftp://me:hunter2@127.0.0.1/",
        "x:ready=tcp://hunter2@127.0.0.1:1",
    ] {
        let error = Spec::parse(text, &|_| None).expect_err(text);
        let why = error.to_string();
        assert!(!why.contains("hunter2") && !why.contains('\n'), "{text}: {why}");
        assert!(!format!("{error:?}").contains("hunter2"), "{text}: {error:?}");
    }
}
