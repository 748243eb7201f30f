//! The rules: the page that tells of them, and what its examples do not show.

use super::{DISTROLESS, check, file, findings, job, repository, rules, run, wrapped};
use kubectl_lastout::check::RULES;

/// What check says hangs is what inject changes, and nothing of it is left then.
#[test]
fn a_distroless_job_with_istio_and_cloud_sql_is_clean_with_the_mends_pasted_in() {
    let (_folder, path) = file("job.yaml", &job(DISTROLESS));
    let path = path.to_str().unwrap();
    let (rules, findings) = findings(&job(DISTROLESS));
    assert_eq!(rules, ["hangs", "hangs", "not-switched-on"]);
    // The list of the proxy's arguments gets the items of the mend.
    let flags: String =
        findings[2]["mend"].as_str().unwrap().lines().map(|line| format!("        {line}\n")).collect();
    let mended = job(DISTROLESS).replace("        args:\n", &format!("        args:\n{flags}"));
    std::fs::write(path, mended).unwrap();
    // The command is run as it stands.
    let (_, stdout, _) = check(&[path], "");
    let mend = stdout.lines().find_map(|line| line.trim().strip_prefix("mend: kubectl lastout ")).unwrap();
    let words: Vec<&str> = mend.split(' ').collect();
    assert_eq!(run(&words, "").status.code(), Some(0), "{mend}");
    assert_eq!(check(&[path], "").0, 0, "{}", check(&[path], "").1);
    assert!(check(&[path], "").1.is_empty(), "{}", check(&[path], "").1);
}

#[test]
fn every_rule_has_a_section_whose_example_fires_it_alone_and_is_clean_when_mended() {
    let page = std::fs::read_to_string(repository().join("docs/check.md")).unwrap();
    let (head, sections) = page.split_once("\n## The rules\n").unwrap();
    assert!(head.starts_with("# "));
    let mut sections = sections.split("\n## ");
    let table = sections.next().unwrap();
    let rows: Vec<String> = table.lines().filter(|line| line.starts_with("| [")).map(str::to_owned).collect();
    let expected: Vec<String> = RULES
        .iter()
        .map(|rule| format!("| [{0}](#{0}) | {1} | {2} |", rule.slug, rule.severity, rule.summary))
        .collect();
    assert_eq!(rows, expected);
    let sections: Vec<&str> = sections.collect();
    let slugs: Vec<&str> = sections.iter().map(|section| section.lines().next().unwrap()).collect();
    assert_eq!(slugs, RULES.iter().map(|rule| rule.slug).collect::<Vec<_>>());
    for (slug, section) in slugs.iter().zip(sections) {
        let examples: Vec<&str> =
            section.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        let [before, after] = examples.as_slice() else { panic!("{slug}: {} examples", examples.len()) };
        let mut fired = rules(before);
        fired.dedup();
        assert_eq!(fired, [*slug]);
        assert_eq!(rules(after), [""; 0], "{slug}, mended");
    }
}

#[test]
fn our_own_examples_are_clean() {
    let (code, stdout, stderr) = check(&[repository().join("examples").to_str().unwrap()], "");
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
}

#[test]
fn mains_of_a_group_are_counted_named_and_share_a_folder() {
    let two = |first: &str, second: &str| {
        let member = |name: &str, options: &str| {
            format!(
                "      - name: {name}\n        image: a\n        command: [/.lastout/lastout, {options}, --sidecar, istio, --, /app]\n        volumeMounts: [{{ name: lastout, mountPath: /.lastout }}, {{ name: g, mountPath: /g }}]\n"
            )
        };
        job(&format!(
            "      volumes: [{{ name: lastout, image: {{ reference: l }} }}, {{ name: g, emptyDir: {{}} }}]\n      containers:\n      - name: istio-proxy\n        image: i\n{}{}",
            member("a", first),
            member("b", second)
        ))
    };
    let group =
        |size: &str, name: &str| format!("--group, /g, --group-size, \"{size}\", --group-name, {name}");
    assert_eq!(rules(&two(&group("2", "a"), &group("2", "b"))), [""; 0]);
    assert_eq!(rules(&two(&group("2", "a"), &group("3", "b"))), ["group"]);
    assert_eq!(rules(&two(&group("2", "a"), &group("2", "a"))), ["group"]);
    assert_eq!(rules(&two(&group("2", "a"), &group("2", "b").replace("/g", "/h"))), ["group"; 3]);
    let read_only = two(&group("2", "a"), &group("2", "b")).replacen(
        "mountPath: /g }",
        "mountPath: /g, readOnly: true }",
        1,
    );
    assert_eq!(rules(&read_only), ["group"]);
    assert_eq!(rules(&two("--linger, 0s", "--linger, 0s")), ["group"; 2]);
}

#[test]
fn the_program_has_to_be_there() {
    let wrapped = wrapped("--sidecar, istio");
    let image = "volumes: [{ name: lastout, image: { reference: l } }]";
    let mount = "        volumeMounts: [{ name: lastout, mountPath: /.lastout, readOnly: true }]\n";
    assert_eq!(rules(&job(&wrapped)), [""; 0]);
    assert_eq!(rules(&job(&wrapped.replace(image, "volumes: []"))), ["not-installed"]);
    assert_eq!(rules(&job(&wrapped.replace(mount, ""))), ["not-installed"]);
    assert_eq!(rules(&job(&wrapped.replace("image: { reference: l }", "emptyDir: {}"))), ["not-installed"]);
    assert_eq!(rules(&job(&wrapped.replace("image: { reference: l }", "hostPath: { path: /opt }"))), [""; 0]);
    // The image itself may have it.
    assert_eq!(rules(&job(&wrapped.replace("[/.lastout/lastout", "[/usr/bin/lastout"))), [""; 0]);
    assert_eq!(rules(&job(&wrapped.replace("[/.lastout/lastout", "[lastout"))), [""; 0]);
    let init = |target: &str| {
        let init = format!(
            "initContainers:\n      - name: lastout\n        image: r/lastout:1\n        args: [install, {target}]\n        volumeMounts: [{{ name: lastout, mountPath: /in }}]\n      containers:"
        );
        rules(&job(&wrapped.replace("image: { reference: l }", "emptyDir: {}").replace("containers:", &init)))
    };
    assert_eq!((init("/in"), init("/out")), (vec![], vec!["not-installed".to_owned()]));
}
