use super::*;
use crate::duration::DurationErrorKind;

#[test]
fn a_bad_value_is_one_line_with_the_way_out() {
    for (option, value, expected) in [
        (Opt::WaitTimeout, "30", "--wait-timeout: `30` has no unit: write 30s"),
        (Opt::WaitTimeout, "a\nb", r"--wait-timeout: `a\nb` is no duration"),
        (
            Opt::OnWaitTimeout,
            "rnu",
            "--on-wait-timeout: `rnu` is unknown: did you mean `run`? write fail, run",
        ),
        (Opt::NoWait, "yes", "--no-wait: `yes` is unknown: write true, false, 1, 0"),
        (Opt::EnvFile, "", "--env-file: it is empty"),
        (Opt::StopOn, "sucess", "--stop-on: `sucess` is unknown: did you mean `success`? write always,"),
        (Opt::StopOn, "0,256", "--stop-on: `0,256` is unknown: codes are 0 to 255"),
        (Opt::StopOn, "78-64", "--stop-on: `78-64` is unknown: codes are 0 to 255"),
        (Opt::StopOn, "1,", "--stop-on: `1,` is unknown: codes are 0 to 255"),
        (Opt::StopOn, "", "--stop-on: `` is unknown: write always"),
        (Opt::StopTimeout, "0", "--stop-timeout: `0` leaves no time to stop anything: write 10s"),
        (Opt::StopSignal, "KILL", "--stop-signal: `KILL` cannot be used: no process sees KILL"),
        (Opt::StopSignal, "17", "--stop-signal: `17` cannot be used: CHLD tells"),
        (Opt::StopSignal, "TREM", "--stop-signal: `TREM` is no signal: did you mean TERM?"),
        (Opt::RewriteSignal, "STOP=TERM", "--rewrite-signal: `STOP` cannot be used"),
        (Opt::RewriteSignal, "TERM", "--rewrite-signal: `TERM` rewrites nothing: write FROM=TO"),
        (Opt::RewriteSignal, "TERM=65", "--rewrite-signal: `65` is no signal"),
        (Opt::RewriteSignal, "0=TERM", "--rewrite-signal: `0` is no signal"),
        (Opt::DelaySignal, "TERM", "--delay-signal: `TERM` delays nothing"),
        (Opt::DelaySignal, "TERM=5", "--delay-signal: `5` has no unit: write 5s"),
        (Opt::DelaySignal, "CHLD=5s", "--delay-signal: `CHLD` cannot be used"),
        (Opt::MapExit, "143", "--map-exit: `143` maps no exit code: write FROM=TO"),
        (Opt::MapExit, "256=0", "--map-exit: `256=0` maps no exit code"),
        (Opt::MapExit, "+1=0", "--map-exit: `+1=0` maps no exit code"),
        (Opt::MapExit, "TERM=0", "--map-exit: `TERM=0` maps a signal: write its exit code, 143=0"),
        (Opt::ParentDeathSignal, "x", "--parent-death-signal: `x` is no signal"),
        (Opt::Report, "", "--report: it is empty"),
        (Opt::LogLevel, "warning", "--log-level: `warning` is unknown: did you mean `warn`?"),
        (Opt::LogFormat, "xml", "--log-format: `xml` is unknown: write text, json"),
        (Opt::Compat, "scutle", "--compat: `scutle` is unknown: did you mean `scuttle`?"),
        (Opt::Sidecar, "istoi", "--sidecar: unknown sidecar `istoi`: did you mean `istio`?"),
    ] {
        let why = error(&[(option, value)]);
        assert!(why.starts_with(expected), "{why}");
        let Resolved { settings, .. } = resolved(Verb::Run, &[(option, value)]);
        assert_eq!(settings, Settings::defaults(Verb::Run), "{why}");
    }
    assert!(error(&[(Opt::WaitTimeout, &"x".repeat(1000))]).len() < 200);
}

#[test]
fn an_error_says_what_is_wrong_with_which_value_and_where_it_stands() {
    use SettingsErrorKind as Kind;
    let no_unit = Kind::Duration(DurationErrorKind::NoUnit);
    for (option, text, kind, value, mend) in [
        (Opt::WaitTimeout, "«30»", no_unit.clone(), "30", "30s"),
        (Opt::StopTimeout, "«0»", Kind::NoTime, "0", ""),
        (Opt::OnWaitTimeout, "«rnu»", Kind::Word(&["fail", "run"]), "rnu", "run"),
        (Opt::EnvFile, "«»", Kind::NoPath, "", ""),
        (Opt::Report, "«a\0»", Kind::Nul, "a\0", ""),
        (Opt::StopOn, "«sucess»", Kind::StopOn, "sucess", "success"),
        (Opt::StopOn, "«1,256»", Kind::ExitCodes, "1,256", ""),
        (Opt::StopSignal, "«TREM»", Kind::Signal, "TREM", "TERM"),
        (Opt::StopSignal, "«KILL»", Kind::Uncatchable(Signal::KILL), "KILL", ""),
        (Opt::StopSignal, "«17»", Kind::ChildSignal, "17", ""),
        (Opt::RewriteSignal, "«TERM»", Kind::Rewrite, "TERM", ""),
        (Opt::RewriteSignal, "TERM=«QUI»", Kind::Signal, "QUI", "QUIT"),
        (Opt::RewriteSignal, "«STOP»=TERM", Kind::Uncatchable(Signal::STOP), "STOP", ""),
        (Opt::DelaySignal, "«TERM»", Kind::Delay, "TERM", ""),
        (Opt::DelaySignal, "TERM=«5»", no_unit, "5", "5s"),
        (Opt::MapExit, "«143»", Kind::MapExit, "143", ""),
        (Opt::MapExit, "«TERM=0»", Kind::MapSignal { from: 143, to: 0 }, "TERM=0", "143=0"),
        (Opt::GroupSize, "«0»", Kind::GroupSize, "0", ""),
        (Opt::GroupName, "«.a»", Kind::GroupName("begins with a dot"), ".a", ""),
    ] {
        let plain = text.replace(['«', '»'], "");
        let begin = text.find('«').unwrap();
        let at = begin..text.find('»').unwrap() - '«'.len_utf8();
        let mut values = vec![(Opt::Sidecar, "istio"), (option, plain.as_str())];
        if matches!(option, Opt::GroupSize | Opt::GroupName) {
            values.push((Opt::Group, "/g"));
            if option == Opt::GroupSize {
                values.push((Opt::GroupName, "a"));
            }
        }
        let error = only_error(&values);
        assert_eq!((error.kind.clone(), error.option, error.given), (kind, option, Some(1)), "{text}");
        assert_eq!((error.value.as_str(), error.at.clone()), (value, at), "{text}");
        assert_eq!(error.mend().unwrap_or_default(), mend, "{text}");
    }
}

#[test]
fn an_error_of_a_spec_is_in_that_of_its_option() {
    let error = only_error(&[(Opt::Linger, "1s"), (Opt::Sidecar, "istio:order=1,prot=1")]);
    let SettingsErrorKind::Spec(of_spec) = &error.kind else { panic!("{error:?}") };
    assert_eq!(of_spec.kind, SpecErrorKind::UnknownKey);
    assert_eq!((error.value.as_str(), error.at.clone(), error.given), ("prot", 14..18, Some(1)));
    assert_eq!(error.mend().as_deref(), Some("port"));
}

#[test]
fn what_is_missing_is_of_no_value_and_what_is_too_much_is() {
    let lonely = only_error(&[(Opt::Linger, "1s"), (Opt::GroupSize, "2")]);
    assert_eq!((lonely.kind, lonely.given, lonely.at), (SettingsErrorKind::NoGroup, Some(1), 0..1));
    let nameless = only_error(&[(Opt::Group, "/g")]);
    assert_eq!((nameless.kind, nameless.given), (SettingsErrorKind::MemberWithoutName, Some(0)));
    let [groupless] = resolved(Verb::Guard, &[]).errors.try_into().unwrap();
    assert_eq!((groupless.kind, groupless.given), (SettingsErrorKind::GuardWithoutGroup, None));
    let folder = RawValue { origin: "LASTOUT_SIDECAR".to_owned(), ..raw(Opt::Sidecar, b"") };
    let words = [&b"istio:header=A=hunter2"[..], b"hunter2"]
        .map(|value| RawValue { value: value.to_vec(), ..folder.clone() });
    let [behind] = resolve(Verb::Run, words, &|_| None).errors.try_into().unwrap();
    assert_eq!(
        (&behind.kind, behind.given, behind.at.clone()),
        (&SettingsErrorKind::BehindHeader, Some(1), 0..7)
    );
    assert!(!format!("{behind} {behind:?}").contains("hunter2"));
}
