mod errors;

use super::*;
use crate::spec::{Quit, Ready, SpecErrorKind};
use alloc::vec;
use alloc::{borrow::ToOwned, format, string::ToString};
use proptest::prelude::*;

const ALL: [(Opt, &str); 25] = [
    (Opt::Sidecar, "--sidecar"),
    (Opt::WaitTimeout, "--wait-timeout"),
    (Opt::OnWaitTimeout, "--on-wait-timeout"),
    (Opt::NoWait, "--no-wait"),
    (Opt::AbsentAfter, "--absent-after"),
    (Opt::EnvFile, "--env-file"),
    (Opt::StopOn, "--stop-on"),
    (Opt::StopTimeout, "--stop-timeout"),
    (Opt::Linger, "--linger"),
    (Opt::StopSignal, "--stop-signal"),
    (Opt::Grace, "--grace"),
    (Opt::Leftovers, "--leftovers"),
    (Opt::SignalGroup, "--signal-group"),
    (Opt::RewriteSignal, "--rewrite-signal"),
    (Opt::DelaySignal, "--delay-signal"),
    (Opt::MapExit, "--map-exit"),
    (Opt::Group, "--group"),
    (Opt::GroupSize, "--group-size"),
    (Opt::GroupName, "--group-name"),
    (Opt::GroupWait, "--group-wait"),
    (Opt::ParentDeathSignal, "--parent-death-signal"),
    (Opt::Report, "--report"),
    (Opt::Compat, "--compat"),
    (Opt::LogLevel, "--log-level"),
    (Opt::LogFormat, "--log-format"),
];

fn raw(option: Opt, value: &[u8]) -> RawValue {
    let origin = ALL.iter().find(|(known, _)| *known == option).unwrap().1;
    RawValue { option, origin: origin.to_owned(), value: value.to_vec() }
}

fn resolved(verb: Verb, values: &[(Opt, &str)]) -> Resolved {
    resolve(verb, values.iter().map(|(option, value)| raw(*option, value.as_bytes())), &|_| None)
}

fn settings(values: &[(Opt, &str)]) -> Settings {
    let Resolved { settings, errors, .. } = resolved(Verb::Run, values);
    assert_eq!(errors, [], "{values:?}");
    settings
}

/// The only error of these values.
fn only_error(values: &[(Opt, &str)]) -> SettingsError {
    let errors = resolved(Verb::Run, values).errors;
    let [error] = errors.as_slice() else { panic!("{values:?}: {errors:?}") };
    error.clone()
}

fn error(values: &[(Opt, &str)]) -> String {
    only_error(values).to_string()
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn saying_nothing_gives_the_defaults_of_the_contract() {
    for verb in [Verb::Run, Verb::Wait, Verb::Stop, Verb::Guard] {
        let s = resolved(verb, &[]).settings;
        assert_eq!((s.wait_timeout, s.run_unready, s.gate), (Some(seconds(120)), false, true));
        assert_eq!((s.absent_after, s.stop_timeout), (seconds(3), seconds(10)));
        assert_eq!((s.linger, s.leftovers), (Duration::ZERO, Duration::ZERO));
        assert_eq!((s.stop_on, s.stop_signals), (StopOn::Always, vec![Signal::TERM, Signal::INT]));
        assert_eq!(s.grace, (verb == Verb::Guard).then(|| seconds(10)));
        assert_eq!((s.log_level, s.log_json), (LogLevel::Warn, false));
    }
}

#[test]
fn every_option_is_read() {
    let s = settings(&[
        (Opt::Sidecar, "linkerd?"),
        (Opt::Sidecar, "cloud-sql-proxy"),
        (Opt::WaitTimeout, "1m30s"),
        (Opt::OnWaitTimeout, "run"),
        (Opt::NoWait, "1"),
        (Opt::AbsentAfter, "500ms"),
        (Opt::EnvFile, "/a b"),
        (Opt::EnvFile, "c"),
        (Opt::StopOn, "0,3,64-78"),
        (Opt::StopTimeout, "20s"),
        (Opt::Linger, "2s"),
        (Opt::StopSignal, "SIGQUIT"),
        (Opt::StopSignal, "10"),
        (Opt::Grace, "25s"),
        (Opt::Leftovers, "1s"),
        (Opt::SignalGroup, "true"),
        (Opt::RewriteSignal, "TERM=QUIT"),
        (Opt::RewriteSignal, "1=drop"),
        (Opt::RewriteSignal, "INT=0"),
        (Opt::RewriteSignal, "USR1=KILL"),
        (Opt::DelaySignal, "TERM=5s"),
        (Opt::MapExit, "143=0"),
        (Opt::Group, "/group"),
        (Opt::GroupSize, "3"),
        (Opt::GroupName, "a"),
        (Opt::GroupWait, "1h"),
        (Opt::ParentDeathSignal, "KILL"),
        (Opt::Report, "-"),
        (Opt::LogLevel, "debug"),
        (Opt::LogFormat, "json"),
    ]);
    let names: Vec<_> = s.sidecars.iter().map(|spec| (spec.name.as_str(), spec.optional)).collect();
    assert_eq!(names, [("linkerd", true), ("cloud-sql-proxy", false)]);
    assert_eq!((s.wait_timeout, s.run_unready, s.gate), (Some(seconds(90)), true, false));
    assert_eq!(s.absent_after, Duration::from_millis(500));
    assert_eq!(s.env_files, [b"/a b".to_vec(), b"c".to_vec()]);
    assert_eq!(s.stop_on, StopOn::Codes(vec![(0, 0), (3, 3), (64, 78)]));
    assert_eq!((s.stop_timeout, s.linger, s.leftovers), (seconds(20), seconds(2), seconds(1)));
    assert_eq!(s.stop_signals, [Signal::QUIT, Signal::new(10).unwrap()]);
    assert_eq!((s.grace, s.signal_group), (Some(seconds(25)), true));
    let usr1 = Signal::new(10).unwrap();
    let rewrites = [(Signal::TERM, Some(Signal::QUIT)), (Signal::HUP, None), (Signal::INT, None)];
    assert_eq!(s.rewrites[..3], rewrites);
    assert_eq!(s.rewrites[3..], [(usr1, Some(Signal::KILL))]);
    assert_eq!(s.delays, [(Signal::TERM, seconds(5))]);
    assert_eq!(s.map_exit, ExitMap(vec![(143, 0)]));
    let group =
        Group { dir: b"/group".to_vec(), size: 3, name: Some("a".to_owned()), wait: Some(seconds(3600)) };
    assert_eq!(s.group, Some(group));
    assert_eq!((s.parent_death_signal, s.report), (Some(Signal::KILL), Some(Report::Stderr)));
    assert_eq!((s.log_level, s.log_json), (LogLevel::Debug, true));
}

#[test]
fn the_last_value_wins_and_zero_waits_for_ever() {
    let s = settings(&[
        (Opt::WaitTimeout, "1"),
        (Opt::WaitTimeout, "0"),
        (Opt::Report, "-"),
        (Opt::Report, "r.json"),
    ]);
    assert_eq!(s.wait_timeout, None);
    assert_eq!(s.report, Some(Report::File(b"r.json".to_vec())));
}

#[test]
fn a_wrong_value_spoils_neither_the_others_nor_the_sidecars() {
    let Resolved { settings, errors, .. } = resolved(
        Verb::Run,
        &[
            (Opt::Sidecar, "istio"),
            (Opt::Sidecar, "istoi"),
            (Opt::Sidecar, "dapr"),
            (Opt::StopSignal, "HUP"),
            (Opt::StopSignal, "KILL"),
            (Opt::StopOn, "succes"),
            (Opt::StopTimeout, "5s"),
        ],
    );
    assert_eq!(errors.len(), 3);
    assert_eq!(
        settings.sidecars.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>(),
        ["istio", "dapr"]
    );
    assert_eq!((settings.stop_signals, settings.stop_on), (vec![Signal::HUP], StopOn::Always));
    assert_eq!(settings.stop_timeout, seconds(5));
}

#[test]
fn bytes_that_are_no_text_are_paths_or_errors() {
    let values = [
        raw(Opt::EnvFile, b"/\xff"),
        raw(Opt::WaitTimeout, b"1\xff"),
        raw(Opt::Sidecar, b"x:header=A=hunter2\xff"),
    ];
    let Resolved { settings, errors, .. } = resolve(Verb::Run, values, &|_| None);
    assert_eq!(settings.env_files, [b"/\xff".to_vec()]);
    assert_eq!((errors[0].at.clone(), errors[1].at.clone()), (1..2, 18..19), "the bad bytes");
    assert!(!format!("{errors:?}").contains("hunter2"));
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let expected = [
        "--wait-timeout: `1\u{fffd}` is not UTF-8: write plain text",
        "--sidecar: `x:` is not UTF-8: write plain text",
    ];
    assert_eq!(errors, expected);
}

#[test]
fn two_sidecars_may_have_one_name() {
    assert_eq!(settings(&[(Opt::Sidecar, "envoy"), (Opt::Sidecar, "envoy:port=9902")]).sidecars.len(), 2);
}

#[test]
fn group_values_need_a_group_and_a_member_needs_a_name() {
    let dir = (Opt::Group, "/g");
    for (values, expected) in [
        (&[dir][..], "--group: a member needs a name of its own: add --group-name NAME"),
        (&[(Opt::GroupSize, "2")], "--group-size: there is no group: add --group DIR"),
        (&[(Opt::GroupName, "a")], "--group-name: there is no group: add --group DIR"),
        (&[(Opt::GroupWait, "1s")], "--group-wait: there is no group: add --group DIR"),
        (&[dir, (Opt::GroupName, "a/b")], "--group-name: `a/b` holds a slash"),
        (&[dir, (Opt::GroupName, "")], "--group-name: `` is empty"),
        (&[dir, (Opt::GroupName, ".a")], "--group-name: `.a` begins with a dot"),
        (&[dir, (Opt::GroupName, "a"), (Opt::GroupSize, "0")], "--group-size: `0` is no group size"),
        (&[dir, (Opt::GroupName, "a"), (Opt::GroupSize, "1000")], "--group-size: `1000` is no group size"),
    ] {
        let why = error(values);
        assert!(why.starts_with(expected), "{why}");
        assert_eq!(resolved(Verb::Run, values).settings.group, None, "{why}");
    }
    assert!(error(&[dir, (Opt::GroupName, &"x".repeat(65))]).contains("is longer than 64 bytes"));
}

#[test]
fn a_guard_needs_a_group_and_no_name() {
    let guard = resolved(Verb::Guard, &[(Opt::Group, "/g"), (Opt::GroupName, "a"), (Opt::GroupWait, "0")]);
    assert_eq!(guard.errors, []);
    assert_eq!(guard.settings.group, Some(Group { dir: b"/g".to_vec(), size: 1, name: None, wait: None }));
    assert_eq!(resolved(Verb::Guard, &[]).errors.len(), 1);
    assert_eq!(resolved(Verb::Wait, &[(Opt::Group, "/g")]).errors, []);
}

#[test]
fn a_bad_group_wait_keeps_the_member_in_its_group() {
    let values = [(Opt::Group, "/g"), (Opt::GroupName, "a"), (Opt::GroupWait, "5")];
    let Resolved { settings, errors, .. } = resolved(Verb::Run, &values);
    assert_eq!((settings.group.is_some(), errors.len()), (true, 1));
}

proptest! {
    #[test]
    fn any_values_are_answered_in_single_lines(
        picks in prop::collection::vec((0..ALL.len(), prop::collection::vec(any::<u8>(), 0..12)), 0..20)
    ) {
        let values = picks.iter().map(|(index, value)| raw(ALL[*index].0, value));
        let Resolved { errors, .. } = resolve(Verb::Run, values, &|_| Some("1".to_owned()));
        for error in errors {
            let given = error.given.and_then(|given| picks.get(given)).map(|(index, value)| (ALL[*index].0, value));
            let given = given.filter(|(option, value)| *option == error.option && value.get(error.at.clone()).is_some());
            prop_assert!(given.is_some(), "{:?}", error);
            let why = error.to_string();
            prop_assert!(!why.chars().any(char::is_control), "{}", why);
            prop_assert!(ALL.iter().any(|(_, origin)| why.starts_with(&format!("{origin}: "))), "{}", why);
        }
    }

    #[test]
    fn codes_read_back(ranges in prop::collection::vec((any::<u8>(), any::<u8>()), 1..6)) {
        let ranges: Vec<_> = ranges.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        let text = ranges.iter().map(|(a, b)| format!("{a}-{b}")).collect::<Vec<_>>().join(",");
        prop_assert_eq!(settings(&[(Opt::StopOn, text.as_str())]).stop_on, StopOn::Codes(ranges));
    }

    #[test]
    fn signals_read_back(from in 1i32..=64, to in 1i32..=64) {
        let (from, to) = (Signal::new(from).unwrap(), Signal::new(to).unwrap());
        prop_assume!(!from.is_uncatchable() && from != Signal::CHLD);
        let text = format!("{}={to}", from.to_string().to_lowercase());
        prop_assert_eq!(settings(&[(Opt::RewriteSignal, text.as_str())]).rewrites, [(from, Some(to))]);
    }
}

#[test]
fn relative_paths_are_made_absolute_and_others_left_alone() {
    let values = [
        raw(Opt::Sidecar, b"a:socket=run/a.sock,quit=/q"),
        raw(Opt::Sidecar, b"b:ready=file:ok,quit=file:/done"),
        raw(Opt::EnvFile, b"secrets"),
        raw(Opt::Report, b"report.json"),
        raw(Opt::Group, b"/group"),
        raw(Opt::GroupName, b"x"),
    ];
    let Resolved { mut settings, errors, .. } = resolve(Verb::Run, values, &|_| None);
    assert_eq!(errors, []);
    let lost = settings.clone().make_paths_absolute(|| None).unwrap_err();
    assert_eq!((&lost.kind, lost.option), (&SettingsErrorKind::NoWorkingDirectory, Opt::Sidecar));
    assert_eq!(lost.to_string(), "run/a.sock: the working directory is gone: write a whole path");
    let deep = settings.clone().make_paths_absolute(|| Some([b'/'; 107].to_vec())).unwrap_err();
    let SettingsErrorKind::Spec(of_spec) = &deep.kind else { panic!("{deep:?}") };
    assert_eq!((of_spec.name.as_str(), &of_spec.kind), ("a", &SpecErrorKind::SocketTooLong));
    assert!(deep.to_string().ends_with("is too long for a unix socket: at most 107 bytes as a whole path"));
    settings.make_paths_absolute(|| Some(b"/w".to_vec())).unwrap();
    let [a, b] = settings.sidecars.try_into().unwrap();
    assert_eq!(a.quit.to_string(), "POST unix:/w/run/a.sock:/q");
    assert_eq!((b.ready, b.quit), (Ready::File(b"/w/ok".to_vec()), Quit::CreateFile(b"/done".to_vec())));
    assert_eq!(settings.env_files, [b"/w/secrets".to_vec()]);
    assert_eq!(settings.report, Some(Report::File(b"/w/report.json".to_vec())));
    assert_eq!(settings.group.unwrap().dir, b"/group");
}

#[test]
fn every_default_of_the_table_is_what_holds_when_it_is_given_and_when_it_is_not() {
    for verb in [Verb::Run, Verb::Wait, Verb::Stop, Verb::Guard] {
        for row in OPTIONS.iter().filter(|row| row.option != Opt::GroupSize) {
            let words = row.default(verb);
            let given: Vec<_> = words.iter().map(|text| (row.option, text.as_str())).collect();
            let group = if verb == Verb::Guard { &[(Opt::Group, "/g")][..] } else { &[] };
            let told = resolved(verb, &[&given[..], group].concat());
            assert_eq!((told.errors, told.warnings), (vec![], vec![]), "{} {verb:?}", row.name);
            let silent = Settings { group: told.settings.group.clone(), ..Settings::defaults(verb) };
            assert_eq!(told.settings, silent, "{} {verb:?}", row.name);
        }
    }
    let group = [(Opt::Group, "/g"), (Opt::GroupName, "a")];
    let told = resolved(Verb::Run, &[&group[..], &[(Opt::GroupSize, "1")]].concat());
    assert_eq!(told.settings.group, resolved(Verb::Run, &group).settings.group);
}

#[test]
fn every_option_has_one_row() {
    let mut rows: Vec<_> = OPTIONS.iter().map(|row| row.option).collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), OPTIONS.len());
    assert!(OPTIONS.iter().all(|row| row.value.is_some() || row.default(Verb::Run).is_empty()));
}
