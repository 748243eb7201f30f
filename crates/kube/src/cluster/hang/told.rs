//! What lastout has said about the end of its sidecars: in the report, the log or the termination message of a main.

use super::reason::Why;
use serde_json::Value;

/// What it said of one sidecar that it could not stop, or of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) why: Why,
    /// Its own words.
    pub(crate) words: String,
}

/// `verdict` in a report, where the pod cannot end (docs/report.md).
const VERDICTS: [(&str, Why); 7] = [
    ("not_switched_on", Why::NotSwitchedOn),
    ("declined", Why::Declined),
    ("impossible", Why::NoWay),
    ("no_way", Why::NoWay),
    ("never_appeared", Why::NeverAppeared),
    ("still_there", Why::StillThere),
    ("came_back", Why::CameBack),
];

/// What is in the lines of the log (`lastout_core::tell`), in this order: a line may hold several.
const PHRASES: [(&str, Why); 6] = [
    (": not switched on", Why::NotSwitchedOn),
    ("was asked twice and came back", Why::CameBack),
    (": never appeared", Why::NeverAppeared),
    (": is still there after ", Why::StillThere),
    (" answered ", Why::Declined),
    ("this pod may not end", Why::NoWay),
];

/// Reads the last lines of a log, or a termination message. The report is believed first, then the last line that names a
/// trouble.
pub(crate) fn read(text: &str) -> Option<Told> {
    let reports = text.lines().rev().filter_map(report);
    if let Some(told) = reports.into_iter().next().flatten() {
        return Some(told);
    }
    text.lines().rev().find_map(|line| {
        let ours = line.strip_prefix("lastout: ").map(str::to_owned).or_else(|| json_line(line))?;
        let words = ours.split_once(": ").map_or(ours.as_str(), |(_, words)| words);
        let (_, why) = PHRASES.iter().find(|(phrase, _)| ours.contains(phrase))?;
        Some(Told { why: *why, words: words.to_owned() })
    })
}

/// A line that is a report: what it says of the first sidecar that keeps the pod.
fn report(line: &str) -> Option<Option<Told>> {
    let report: Value = serde_json::from_str(line.trim()).ok()?;
    let sidecars = report.get("sidecars")?.as_array()?;
    report.get("outcome")?;
    let text = |sidecar: &Value, key: &str| sidecar.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(sidecars.iter().find_map(|sidecar| {
        let verdict = text(sidecar, "verdict")?;
        let (_, why) = VERDICTS.iter().find(|(name, _)| *name == verdict)?;
        Some(Told { why: *why, words: text(sidecar, "message").unwrap_or(verdict) })
    }))
}

/// `--log-format json`
fn json_line(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let severity = line.get("severity")?.as_str()?;
    Some(format!("{severity}: {}", line.get("message")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastout_core::spec::Spec;
    use lastout_core::stop::Verdict;
    use lastout_core::tell;
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
}
