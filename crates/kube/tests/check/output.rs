//! What is printed, and the exit codes.

use super::{DISTROLESS, HANGS, check, job, wrapped};
use kubectl_lastout::check::RULES;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::pty::Pty;

#[test]
fn a_finding_shows_its_place_its_line_and_the_mend() {
    let (code, stdout, stderr) = check(&["-"], &job(HANGS));
    assert_eq!(code, 1);
    assert_eq!(
        stdout,
        "-:12:15: error[hangs]: job/report: `istio-proxy` runs on when `report` is over, so the Job never ends
 12 |       - name: istio-proxy
    |               ^^^^^^^^^^^
    mend: kubectl lastout inject -
"
    );
    assert_eq!(stderr, "kubectl-lastout: 1 file, 1 pod: 1 error, 0 warnings\n");
}

#[test]
fn a_name_cannot_end_the_line() {
    let odd = job(HANGS).replace("name: report\n", "name: \"a\\n::error::\\e[2J\"\n");
    for format in ["text", "github"] {
        let (_, stdout, _) = check(&["-o", format, "-"], &odd);
        assert!(stdout.contains("`a\u{fffd}::error::\u{fffd}[2J` is over"), "{stdout}");
    }
}

#[test]
fn the_mend_repeats_the_options() {
    let (_, stdout, _) =
        check(&["--kube-version", "1.28", "--sidecar", "mine:quit=file:/x", "-"], &job(HANGS));
    let mend = "mend: kubectl lastout inject --kube-version 1.28 --sidecar mine:quit=file:/x -\n";
    assert!(stdout.ends_with(mend), "{stdout}");
}

#[test]
fn where_a_command_is_missing_the_mend_names_the_option_that_asks_for_it() {
    let silent = job(HANGS).replace("        command: [/app/report]\n", "");
    let (code, stdout, _) = check(&["--kube-version", "1.28", "-"], &silent);
    assert!(code == 1 && stdout.contains("error[no-command]"), "{stdout}");
    let mend = "   mend: command: [\"/ENTRYPOINT\", \"CMD\"]  # the ENTRYPOINT and the CMD of r/report:1, then: kubectl lastout inject --kube-version 1.28 -
         # or, where its registry can be asked: kubectl lastout inject --resolve-images --kube-version 1.28 -
";
    assert!(stdout.ends_with(mend), "{stdout}");
}

#[test]
fn what_is_clean_or_only_warned_of_is_0() {
    let clean = job("      containers: [{ name: a, image: a }]\n");
    assert_eq!(
        check(&["-"], &clean),
        (0, String::new(), "kubectl-lastout: 1 file, 1 pod: 0 errors, 0 warnings\n".into())
    );
    let warned = job(&format!(
        "      terminationGracePeriodSeconds: 5\n{}",
        wrapped("--grace, 10s, --sidecar, istio")
    ));
    let (code, stdout, _) = check(&["-"], &warned);
    assert!(code == 0 && stdout.contains(": warning[grace]: "), "{stdout}");
}

#[test]
fn sarif_has_what_its_schema_asks_for() {
    let (code, stdout, _) = check(&["-o", "sarif", "-"], &job(DISTROLESS));
    let whole: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, whole["version"].as_str()), (1, Some("2.1.0")));
    let run = &whole["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    assert!(run["tool"]["driver"]["name"].is_string());
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let number = |key: &str| region[key].as_u64().unwrap();
        assert!(
            number("startLine") >= 1
                && number("startColumn") >= 1
                && number("endColumn") > number("startColumn")
        );
        assert!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].is_string());
    }
    let empty: Value = serde_json::from_str(&check(&["-o", "sarif", "-"], "").1).unwrap();
    assert_eq!(empty["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn github_gets_one_line_for_each_finding() {
    let (_, stdout, _) = check(&["-o", "github", "-"], &job(DISTROLESS));
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with(
        "::error file=-,line=12,col=15,endColumn=26,title=hangs%3A job/report::`istio-proxy` runs on"
    ));
    assert!(lines[2].contains("%0Amend: - --quitquitquit%0A- --health-check"), "{}", lines[2]);
}

/// `check`, and `inject`, whose first file comes by stdin when the time is over, and whose messages go to a terminal.
#[test]
fn on_a_terminal_what_takes_longer_than_a_second_tells_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.yaml");
    std::fs::write(&file, job(HANGS)).unwrap();
    let started = |verb: &str| {
        let terminal = Pty::new();
        let stderr = std::fs::File::options().write(true).open(&terminal.path).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-lastout"));
        command.args([verb, "-"]).arg(&file).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(stderr);
        (command.spawn().unwrap(), terminal)
    };
    let runs = [("check", "2 of 2 files\u{1b}[K"), ("inject", "2 of 2 files read\u{1b}[K")];
    let all = runs.map(|(verb, shown)| (started(verb), shown));
    // What is quicker tells nothing.
    std::thread::sleep(Duration::from_millis(1100));
    for ((mut child, terminal), shown) in all {
        assert!(!terminal.screen().contains(" of "), "{}", terminal.screen());
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), job(HANGS).as_bytes()).unwrap();
        child.wait().unwrap();
        terminal.shows(shown);
    }
}
