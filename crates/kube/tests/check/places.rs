//! Where a finding is, and the comments that leave it out.

use super::{HANGS, check, examples, findings, job, rules, wrapped};
use kubectl_lastout::check::check as look;
use kubectl_lastout::decide::{Context, Options};
use proptest::prelude::*;

#[test]
fn a_comment_leaves_a_rule_out() {
    let with = |what: &str, to: &str| job(&HANGS.replace(what, to));
    for (manifest, ignored) in [
        (with("istio-proxy\n", "istio-proxy # lastout: ignore=hangs\n"), true),
        (
            with(
                "      - name: istio",
                "      # lastout: ignore=grace,hangs it is stopped\n      - name: istio",
            ),
            true,
        ),
        (
            with(
                "      - name: istio",
                "      # lastout: ignore=hangs\n      # and why\n      - name: istio",
            ),
            true,
        ),
        (with("      - name: istio", "      # lastout: ignore=grace\n      - name: istio"), false),
        (with("[/app/report]", "[/app/report] # lastout: ignore=hangs"), false),
        (format!("# lastout: ignore=hangs\n{}", job(HANGS)), true),
        (format!("---\n\n# lastout: ignore=hangs\n---\n{}", job(HANGS)), false),
    ] {
        assert_eq!(rules(&manifest).is_empty(), ignored, "{manifest}");
    }
    let (_, _, stderr) = check(&["-"], &format!("# lastout: ignore=hang\n{}", job(HANGS)));
    assert!(stderr.starts_with("kubectl-lastout: -:1: ignore=hang: there is no such rule\n"), "{stderr}");
    let (_, _, stderr) = check(&["-"], &format!("# lastout: ignore=hangs\n{}", job(HANGS)));
    assert!(stderr.ends_with("0 errors, 0 warnings, 1 ignored\n"), "{stderr}");
}

#[test]
fn a_place_is_that_of_the_text_whatever_its_style() {
    let place = |manifest: &str| {
        let (_, found) = findings(manifest);
        let number = |key: &str| found[0][key].as_u64().unwrap();
        (number("line"), number("column"), number("endColumn"))
    };
    let json = r#"{"kind":"Job","metadata":{"name":"é"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","command":["/a"]},{"name":"daprd"}]}}}}"#;
    let column =
        json.chars().collect::<String>().split("\"daprd\"").next().unwrap().chars().count() as u64 + 1;
    assert_eq!(place(json), (1, column, column + 7));
    // A character in two halves, escaped: YAML has none, and JSON is read first.
    let halves =
        format!("\n\n{}", json.replace('é', "\\ud83d\\ude00").replace("\"spec\":{\"t", "\n\"spec\":{\"t"));
    let last = halves.lines().last().unwrap().split("\"daprd\"").next().unwrap();
    let column = last.chars().count() as u64 + 1;
    assert_eq!(place(&halves), (4, column, column + 7));
    // The last of two keys counts, a merged one among them; an alias is followed.
    let twice = job(HANGS).replace("name: istio-proxy", "name: x\n        name: istio-proxy");
    assert_eq!(place(&twice), (13, 15, 26));
    let alias = job(HANGS)
        .replace("metadata: { name: report }", "x: &proxy { name: istio-proxy }\nmetadata: { name: report }")
        .replace("      - name: istio-proxy\n        image: istio/proxyv2:1\n", "      - *proxy\n");
    assert_eq!(place(&alias).0, 3);
    let merged = job(HANGS)
        .replace("metadata: { name: report }", "x: &proxy { name: istio-proxy }\nmetadata: { name: report }")
        .replace("      - name: istio-proxy\n", "      - <<: *proxy\n");
    assert_eq!(place(&merged).0, 3);
    let crlf = job(HANGS).replace('\n', "\r\n");
    assert_eq!(place(&format!("\u{feff}{crlf}")), (12, 15, 26));
    // Within a word, in quotes and in a block as well.
    let script = "\n        command: [sh, -c]\n        args:\n        - |\n          /app\n          curl -X POST localhost:15020/quitquitquit\n";
    let block = job(&HANGS.replace("\n        command: [/app/report]\n", script));
    assert_eq!(place(&block), (15, 40, 52));
}

#[test]
fn a_wrong_option_is_pointed_at_where_it_stands() {
    let found = |options: &str| {
        let (rules, found) = findings(&job(&wrapped(options)));
        assert_eq!(rules, ["spec-error"], "{options}");
        let number = |key: &str| usize::try_from(found[0][key].as_u64().unwrap()).unwrap();
        let line = job(&wrapped(options)).lines().nth(number("line") - 1).unwrap().to_owned();
        let at: String =
            line.chars().skip(number("column") - 1).take(number("endColumn") - number("column")).collect();
        (at, found[0]["severity"].as_str().unwrap().to_owned(), found[0]["mend"].as_str().unwrap().to_owned())
    };
    let error = |at: &str, mend: &str| (at.to_owned(), "error".to_owned(), mend.to_owned());
    assert_eq!(found("--sidecar, istio, --stop-timout=5s").0, "--stop-timout=5s");
    assert_eq!(
        found("--sidecar, istio, --stop-timout=5s"),
        error("--stop-timout=5s", "\"--stop-timeout=5s\"")
    );
    assert_eq!(found("--sidecar, istio, \"--grace=20\""), error("20", "\"20s\""));
    assert_eq!(found("--sidecar, \"istio:prot=1\""), error("prot", "\"istio:port=1\""));
    // Of a variable's words.
    let env = "\n        env: [{ name: LASTOUT_LINGER, value: soon }]\n        command: [/.l";
    let variable = job(&wrapped("--sidecar, istio").replace("\n        command: [/.l", env));
    assert_eq!(rules(&variable), ["spec-error"]);
    // What the kubelet expands is expanded; what nobody can know is not judged.
    let known = variable.replace("value: soon", "value: $(X)");
    assert_eq!(rules(&known), [""; 0]);
    let expanded = job(&wrapped("--sidecar, istio, --grace, $(G)")
        .replace("\n        command", "\n        env: [{ name: G, value: 5s }]\n        command"));
    assert_eq!(rules(&expanded), [""; 0]);
    assert_eq!(rules(&expanded.replace("value: 5s", "value: \"5\"")), ["spec-error"]);
    assert_eq!(rules(&expanded.replace("value: 5s", "valueFrom: {}")), [""; 0]);
}

proptest! {
    /// Whatever a manifest is turned into, each finding has a place in it.
    #[test]
    fn every_place_is_in_the_text(
        index: prop::sample::Index,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40, "[-a-z:,\\[\\]{}&*<|#\"'$é \t\r\n]{0,6}"), 1..6),
    ) {
        let mut text: Vec<char> = index.get(&examples()).chars().collect();
        for (at, length, new) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, new.chars());
        }
        let text: String = text.into_iter().collect();
        for finding in look("x.yaml", &text, Context::default(), &Options::default(), &[], "").findings {
            let place = finding.place;
            let line = text.split('\n').nth(place.line - 1);
            let line = line.unwrap_or_else(|| panic!("line {} of {text:?}", place.line));
            prop_assert!(place.column >= 1 && place.width >= 1);
            prop_assert!(place.column <= line.chars().count() + 1, "{place:?} of {text:?}");
            prop_assert!(!finding.message.contains('\n'), "{}", finding.message);
        }
    }
}
