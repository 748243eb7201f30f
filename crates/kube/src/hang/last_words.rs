//! What lastout has said about the end of its sidecars: in the report, the log or the termination message of a main.

use super::reason::Why;
use lastout_core::stop::VerdictKind;
use lastout_core::tell;
use serde_json::Value;

/// How a line of the helper's begins that tells what keeps it from watching …
pub(crate) const OUTAGE: &str = "this pod cannot be watched";
/// … and what it says when nothing does any more.
pub(crate) const OUTAGE_ENDS: &str = "the pod can be watched again";

/// What it said of one sidecar that it could not stop, or of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) why: Why,
    /// Its own words.
    pub(crate) words: String,
}

/// What a verdict of the core's says of a pod that hangs; nothing where it keeps none.
fn why(kind: VerdictKind) -> Option<Why> {
    match kind {
        VerdictKind::NotSwitchedOn => Some(Why::NotSwitchedOn),
        VerdictKind::Declined => Some(Why::Declined),
        VerdictKind::Impossible | VerdictKind::NoWay => Some(Why::NoWay),
        VerdictKind::NeverAppeared => Some(Why::NeverAppeared),
        VerdictKind::StillThere => Some(Why::StillThere),
        VerdictKind::CameBack => Some(Why::CameBack),
        VerdictKind::Gone
        | VerdictKind::AlreadyGone
        | VerdictKind::Accepted
        | VerdictKind::NotNeeded
        | VerdictKind::Absent => None,
    }
}

/// What a line of a log comes to.
enum Line {
    /// A report: what it says of the first sidecar that keeps the pod.
    Report(Option<Told>),
    /// The verdict on a sidecar that keeps the pod.
    Verdict(Told),
    /// What keeps the helper from its work, or that nothing does any more.
    Helper(Option<Told>),
    Other,
}

/// Reads the last lines of a log, or a termination message. The last report is believed first, then the last line that names
/// a trouble.
pub(crate) fn read(text: &str) -> Option<Told> {
    let (mut report, mut verdict) = (None, None);
    for line in text.lines() {
        match Line::read(line) {
            Line::Report(told) => report = told,
            Line::Verdict(told) => verdict = Some(told),
            Line::Helper(told) => verdict = told,
            Line::Other => {}
        }
    }
    report.or(verdict)
}

impl Line {
    fn read(line: &str) -> Self {
        if let Some(words) = line.strip_prefix("kubectl-lastout: ") {
            return Self::of_helper(words);
        }
        let json: Option<Value> = serde_json::from_str(line.trim()).ok();
        let text = |key: &str| json.as_ref()?.get(key)?.as_str();
        let sidecars = json.as_ref().and_then(|json| json.get("sidecars")?.as_array());
        if let (Some(_), Some(sidecars)) = (text("outcome"), sidecars) {
            return Self::Report(sidecars.iter().find_map(of_sidecar));
        }
        // `--log-format json`, else with the level in front, which a termination message has not.
        let words = text("severity").and(text("message")).or_else(|| {
            let line = line.strip_prefix("lastout: ")?;
            Some(LEVELS.iter().find_map(|level| line.strip_prefix(level)).unwrap_or(line))
        });
        let told = words.and_then(|words| Some((words, why(tell::verdict_of(words)?)?)));
        told.map_or(Self::Other, |(words, why)| Self::Verdict(Told { why, words: words.to_owned() }))
    }

    /// `helper: …` is how far it is; anything else is what it ended with.
    fn of_helper(words: &str) -> Self {
        let told = |words: &str| Some(Told { why: Why::HelperFails, words: words.to_owned() });
        match words.strip_prefix("helper: ") {
            None => Self::Helper(told(words)),
            Some(words) if words.starts_with(OUTAGE) => Self::Helper(told(words)),
            Some(OUTAGE_ENDS) => Self::Helper(None),
            Some(_) => Self::Other,
        }
    }
}

const LEVELS: [&str; 4] = ["error: ", "warn: ", "info: ", "debug: "];

/// What a report says of a sidecar, if it keeps the pod.
fn of_sidecar(sidecar: &Value) -> Option<Told> {
    let text = |key: &str| sidecar.get(key).and_then(Value::as_str);
    let verdict = text("verdict")?;
    let why = why(VerdictKind::ALL.into_iter().find(|kind| kind.slug() == verdict)?)?;
    Some(Told { why, words: text("message").unwrap_or(verdict).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastout_core::spec::Spec;
    use lastout_core::stop::Verdict;
    use std::time::Duration;

    /// Every verdict of the core, in its own words: those that keep a pod are read again, and no other.
    #[test]
    fn the_cores_own_words_are_understood() {
        let spec = |text: &str| Spec::parse(text, &|_| None).unwrap();
        let (envoy, bare) = (spec("cloud-sql-proxy"), spec("own:ready=none,quit=http://127.0.0.1:1/q"));
        let still = |asked| Verdict::StillThere { asked, last: "no answer within 1000 ms".to_owned() };
        let declined = Verdict::Declined { status: 404, quote: "not found".to_owned() };
        let rows = [
            (Verdict::Gone, None),
            (Verdict::AlreadyGone, None),
            (Verdict::Accepted, None),
            (Verdict::NotNeeded, None),
            (Verdict::Absent, None),
            (Verdict::NotSwitchedOn, Some(Why::NotSwitchedOn)),
            (declined, Some(Why::Declined)),
            (Verdict::Impossible("no folder".to_owned()), Some(Why::NoWay)),
            (Verdict::NoWay, Some(Why::NoWay)),
            (Verdict::NeverAppeared, Some(Why::NeverAppeared)),
            (still(true), Some(Why::StillThere)),
            (still(false), Some(Why::StillThere)),
            (Verdict::CameBack, Some(Why::CameBack)),
        ];
        for (verdict, expected) in rows {
            assert_eq!(verdict.is_good(), expected.is_none(), "{verdict:?}");
            for spec in [&envoy, &bare] {
                let (_, words) = tell::verdict(spec, &verdict, false, Duration::from_secs(2));
                let log = format!("done\nlastout: warn: {words}\n");
                let told = read(&log);
                assert_eq!(told.as_ref().map(|told| told.why), expected, "{log}");
                assert!(told.is_none_or(|told| told.words == words), "{log}");
                let line = serde_json::json!({ "severity": "warn", "message": words, "sidecar": spec.name });
                assert_eq!(read(&line.to_string()).map(|told| told.why), expected, "{line}");
            }
        }
    }

    /// A slow start, and what a debug log has of a stop that went well.
    #[test]
    fn a_line_that_quotes_an_answer_is_no_verdict() {
        let spec = Spec::parse("envoy", &|_| None).unwrap();
        let answered = |words: &str| tell::Said::Answer(words.to_owned());
        for line in [
            format!("warn: {}", tell::still_waiting(&spec, &answered("answered 503 \"INITIALIZING\""))),
            format!(
                "warn: --wait-timeout is over: {}",
                tell::not_ready(&spec, &answered("answered 503"), true)
            ),
            "debug: envoy: request POST 127.0.0.1:9901/quitquitquit: answered 200 \"OK\" after 2 ms"
                .to_owned(),
        ] {
            assert_eq!(
                read(&format!("lastout: {line}\nlastout: info: envoy: gone after 3 ms\n")),
                None,
                "{line}"
            );
        }
    }

    #[test]
    fn a_termination_message_has_no_level_and_is_read_as_well() {
        let told = read("lastout: envoy: POST 127.0.0.1:9901/quitquitquit answered 403 \"no\"\n").unwrap();
        assert_eq!(told.why, Why::Declined);
        assert!(told.words.starts_with("envoy: POST "), "{}", told.words);
    }

    #[test]
    fn a_report_knows_every_verdict_by_the_name_that_lastout_gives_it() {
        for kind in VerdictKind::ALL {
            let report = serde_json::json!({ "outcome": "exited", "sidecars": [{ "name": "x", "verdict": kind.slug() }] });
            assert_eq!(read(&report.to_string()).map(|told| told.why), why(kind), "{kind:?}");
        }
    }

    #[test]
    fn the_report_is_believed_before_the_lines() {
        let report = |verdict: &str| {
            format!(
                "lastout: warn: envoy: never appeared\n{{\"version\":\"1\",\"outcome\":\"exited\",\"sidecars\":[\
                 {{\"name\":\"envoy\",\"verdict\":\"gone\",\"message\":\"envoy: gone\"}},\
                 {{\"name\":\"sql\",\"verdict\":{verdict},\"message\":\"sql: words\"}}]}}\n"
            )
        };
        let told = read(&report("\"still_there\"")).unwrap();
        assert_eq!((told.why, told.words.as_str()), (Why::StillThere, "sql: words"));
        assert_eq!(read("nothing of ours\n{\"severity\":1}\nlastout: info: envoy: gone after 3 ms\n"), None);
    }

    #[test]
    fn a_helper_says_what_keeps_it_until_nothing_does_or_it_ends() {
        let outage = format!("kubectl-lastout: helper: {OUTAGE}: pods is forbidden\n");
        let ends = format!("kubectl-lastout: helper: {OUTAGE_ENDS}\n");
        let failed = "kubectl-lastout: --main x: the pod has no such container\n";
        let stays = "lastout: warn: envoy: is still there after 10 s, so this pod may not end: x\n";
        for (log, expected) in [
            (outage.clone(), Some(Why::HelperFails)),
            (format!("{outage}{ends}"), None),
            (format!("{outage}{ends}{outage}"), Some(Why::HelperFails)),
            (format!("{outage}{ends}{failed}"), Some(Why::HelperFails)),
            (
                format!("{outage}{ends}kubectl-lastout: helper: main ended with 0: stopping envoy\n{stays}"),
                Some(Why::StillThere),
            ),
            ("kubectl-lastout: helper: waiting for main\n".to_owned(), None),
        ] {
            assert_eq!(read(&log).map(|told| told.why), expected, "{log}");
        }
    }
}
