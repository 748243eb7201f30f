//! docs/sidecars.md and docs/migration.md are held against the program.

use lastout_core::injectors::{INJECTORS, On, Otherwise, Place, Switch};
use lastout_core::presets::{Gone, IMAGES, PRESETS};
use lastout_core::spec::{Proof, Spec};
use serde_json::Value;
use std::process::Command;
use support::binary;

fn page(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn presets() -> Vec<Value> {
    let output = Command::new(binary()).args(["presets", "--json"]).output().unwrap();
    serde_json::from_slice::<Value>(&output.stdout).unwrap().as_array().unwrap().clone()
}

/// The cells of a table's row, without code marks and links.
fn cells(line: &str) -> Vec<String> {
    let line = line.replace("\\|", "\u{1}");
    let plain = |cell: &str| {
        let cell = cell.replace('\u{1}', "|").trim().to_owned();
        let code = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
        code.map_or(cell.clone(), str::to_owned)
    };
    line.split('|').skip(1).map(plain).collect()
}

/// The first table below this heading: its rows.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let below = page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1;
    let rows =
        below.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).map(cells).collect()
}

fn text<'a>(preset: &'a Value, member: &str) -> &'a str {
    preset[member].as_str().unwrap_or("none")
}

#[test]
fn the_table_has_every_preset_as_the_program_prints_it() {
    only_ours!();
    let rows = table(&page("docs/sidecars.md"), "## The known ones");
    let presets = presets();
    assert_eq!(rows.len(), presets.len());
    for (row, preset) in rows.iter().zip(&presets) {
        let name = text(preset, "name");
        assert_eq!(row[0], format!("[`{name}`](#{name})"));
        assert_eq!(row[1..4], [text(preset, "ready"), text(preset, "quit"), &preset["order"].to_string()]);
        let known = ["run against ", "against its recorded answers (", "against the recorded answers of "];
        let read =
            ["source", "documentation"].map(|what| format!("it has no quit request; read in its {what}"));
        let none = preset["quit"].is_null() && read.contains(&row[4]);
        assert!(none || known.iter().any(|start| row[4].starts_with(start)), "{name}: {}", row[4]);
    }
}

#[test]
fn run_against_names_the_version_that_is_installed_for_the_tests() {
    only_ours!();
    let pins =
        Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/sidecars")).arg("list").output().unwrap();
    let pins = String::from_utf8(pins.stdout).unwrap();
    for row in
        table(&page("docs/sidecars.md"), "## The known ones").iter().filter(|row| row[4].starts_with("run"))
    {
        let name = row[0].split('`').nth(1).unwrap();
        let program = if name == "istio" { "pilot-agent" } else { name };
        let pin = pins.lines().find_map(|line| line.strip_prefix(program)?.strip_prefix(' ')).unwrap().trim();
        // Debian's part of a version is nobody else's.
        let version = pin.split(['+', '-']).next().unwrap();
        assert!(
            row[4].contains(if pin.starts_with('v') { pin } else { version }),
            "{name}: {pin}: {}",
            row[4]
        );
    }
}

#[test]
fn each_section_has_what_must_be_switched_on_every_hint_and_the_source() {
    only_ours!();
    let page = page("docs/sidecars.md");
    for preset in presets() {
        let name = text(&preset, "name");
        let section = page.split_once(&format!("\n### {name}\n")).unwrap_or_else(|| panic!("no {name}")).1;
        let section = section.split("\n## ").next().unwrap().split("\n### ").next().unwrap();
        let lower = section.to_lowercase();
        assert!(
            lower.contains(&text(&preset, "enable").to_lowercase()),
            "{name}: {}",
            text(&preset, "enable")
        );
        assert!(section.contains(&format!("Source: {}.", text(&preset, "source"))), "{name}");
        for container in preset["containers"].as_array().unwrap() {
            assert!(section.contains(&format!("`{}`", container.as_str().unwrap())), "{name}: {container}");
        }
        for variable in ["port_from", "header_from"].map(|member| text(&preset, member)) {
            assert!(variable == "none" || section.contains(variable), "{name}: {variable}");
        }
        let switched = switched(&preset);
        assert!(
            section.contains(&switched) && section.contains("\nFor the ") != switched.is_empty(),
            "{switched}"
        );
        for image in IMAGES.iter().filter(|(of, _)| *of == name).flat_map(|(_, tails)| *tails) {
            assert!(section.contains(&format!("`{image}`")), "{name}: {image}");
        }
        assert_eq!(section.contains("Its end is not waited for"), preset["gone"] == "accepted", "{name}");
        if let Some((key, _)) = preset["proof"].as_str().and_then(|how| how.split_once(' ')) {
            assert!(section.contains(&format!("`{key}` waits")), "{name}: {key}");
        }
        let told = table(&page, &format!("### {name}"));
        let hints = preset["hints"].as_array().unwrap();
        assert_eq!(told.len(), hints.len(), "{name}");
        for (row, hint) in told.iter().zip(hints) {
            let when = match text(hint, "when") {
                "not_switched_on" => "quit port refuses, ready port accepts".to_owned(),
                "not_ready" => "not ready in time".to_owned(),
                "still_there" => "still there at the deadline".to_owned(),
                "accepted" => "accepted, at info".to_owned(),
                status => format!("answered {status}"),
            };
            assert_eq!(row[..2], [when.as_str(), text(hint, "hint")], "{name}");
        }
    }
}

/// What is needed, as each section says it: what of it for which request, alternatives with an "or".
fn switched(preset: &Value) -> String {
    let list = |asked: &str| {
        let needs = preset["needs"].as_array().unwrap().iter().filter(|need| need["for"] == asked);
        needs.map(need).collect::<Vec<_>>().join(" or ")
    };
    let parts = [("both", "the wait and the quit"), ("ready", "the wait"), ("quit", "the quit")];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(asked, _)| !list(asked).is_empty())
        .map(|(asked, words)| format!("For {words}: {}.", list(asked)))
        .collect();
    if parts.is_empty() { String::new() } else { format!("\n{}\n", parts.join(" ")) }
}

fn need(need: &Value) -> String {
    let value = need["value"].as_str().unwrap_or_default();
    let of = |kind: &str| need[kind].as_str();
    match (of("flag"), of("env"), of("annotation"), of("not_annotation"), of("config")) {
        (Some(flag), ..) => format!("`{flag}`"),
        (_, Some(name), ..) => format!("`{name}={value}`"),
        (_, _, Some(key), ..) => format!("the annotation `{key}: \"{value}\"`"),
        (_, _, _, Some(key), _) => format!("no annotation `{key}: \"{value}\"`"),
        (.., config) => config.unwrap().to_owned(),
    }
}

#[test]
fn the_program_prints_every_need_and_the_table_those_of_rows_without_a_quit() {
    only_ours!();
    let output = Command::new(binary()).arg("presets").output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    for (printed, preset) in presets().iter().zip(PRESETS) {
        let needs = printed["needs"].as_array().unwrap();
        assert_eq!((text(printed, "name"), needs.len()), (preset.name, preset.needs.len()));
        for need in needs.iter().filter(|_| preset.quit.is_none()) {
            let line = format!("ready needs {}; {}", self::need(need).trim_matches('`'), preset.enable);
            assert!(table.lines().any(|printed| printed.trim_start() == line), "{line}");
        }
    }
}

#[test]
fn the_table_says_of_which_rows_the_end_is_not_proven_and_how_it_would_be() {
    only_ours!();
    let output = Command::new(binary()).arg("presets").output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    for preset in PRESETS {
        let proof = match preset.gone {
            Gone::Accepted(how) => format!("; its end is not proven: {how}"),
            Gone::Refused => String::new(),
        };
        assert!(table.contains(&format!("{}{proof}\n", preset.enable)), "{}", preset.name);
        let Gone::Accepted(how) = preset.gone else { continue };
        let key = how.split(' ').next().unwrap();
        let spec = Spec::parse(&format!("{}:{key}", preset.name), &|_| None).unwrap();
        assert_ne!(spec.gone, Proof::Accepted, "{}: {key}", preset.name);
    }
}

/// The images and the injectors are for programs that read manifests; here they would cost size.
#[test]
fn what_only_a_manifest_shows_is_not_in_the_program() {
    only_ours!();
    let program = std::fs::read(binary()).unwrap();
    let has = |word: &str| program.windows(word.len()).any(|bytes| bytes == word.as_bytes());
    assert!(has("config.linkerd.io/proxy-admin-shutdown"), "it has what it prints");
    for word in ["cloudsql-docker/gce-proxy", "config.linkerd.io/proxy-enable-native-sidecar"] {
        assert!(!has(word), "{word}");
    }
}

#[test]
fn every_injector_is_in_the_table_with_its_switches() {
    let told = table(&page("docs/sidecars.md"), "## Added by an injector");
    let known = INJECTORS.iter().map(|injector| {
        let native = match injector.otherwise {
            Otherwise::Plain => "never".to_owned(),
            Otherwise::Depends(on) => {
                // The rest are older spellings, or the namespace's.
                let first = injector.native.first().map(|switch| format!("{}; else ", switch_cell(switch)));
                format!("{}{on}", first.unwrap_or_default())
            }
        };
        let switches: Vec<_> = injector.switches.iter().map(switch_cell).collect();
        [injector.name.to_owned(), injector.preset.to_owned(), switches.join("; "), native]
    });
    let known: Vec<_> = known.collect();
    assert_eq!(told.len(), known.len());
    for (told, known) in told.iter().zip(known) {
        assert_eq!(told[..4], known);
    }
}

/// `pod label KEY: VALUE, not VALUE`, with the first spelling of each.
fn switch_cell(switch: &Switch) -> String {
    let place = match switch.place {
        Place::PodLabel => "pod label",
        Place::PodAnnotation => "pod annotation",
        Place::NamespaceLabel => "namespace label",
        Place::NamespaceAnnotation => "namespace annotation",
    };
    let on = match switch.on {
        On::OneOf(values) => values.first().map(|value| format!("`{value}`")),
        On::AnyOther => Some("any value".to_owned()),
    };
    let off = switch.off.first().map(|value| format!("not `{value}`"));
    let values: Vec<_> = on.into_iter().chain(off).collect();
    format!("{place} `{}`: {}", switch.key, values.join(", "))
}

#[test]
fn the_keys_are_those_that_the_program_knows_and_the_examples_are_specs() {
    only_ours!();
    let page = page("docs/sidecars.md");
    let output = Command::new(binary()).args(["wait", "istio:something=1"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let known = told.trim().split_once("write one of ").unwrap().1.split(", ").map(str::to_owned);
    let rows = table(&page, "## Your own, and deviations");
    assert_eq!(rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), known.collect::<Vec<_>>());
    let examples = page.split_once("\nenvoy:port=15000 ").unwrap().1.split("\n```").next().unwrap();
    for line in format!("envoy:port=15000 {examples}").lines() {
        let spec = line.split(' ').next().unwrap();
        let spec = if spec.contains('?') {
            spec.to_owned()
        } else {
            format!("{}?{}", name(spec), &spec[name(spec).len()..])
        };
        let output = Command::new(binary()).args(["wait", "--wait-timeout", "1ms", &spec]).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 124)), "{spec}: {output:?}");
    }
}

fn name(spec: &str) -> &str {
    spec.split(':').next().unwrap()
}

#[test]
fn every_variable_of_the_migration_page_is_read_and_the_other_way_round() {
    only_ours!();
    let source = page("crates/core/src/settings/compat.rs");
    let source = source.split("#[cfg(test)]").next().unwrap();
    let read: Vec<_> = source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains('_') && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        .collect();
    let page = page("docs/migration.md");
    for variable in &read {
        assert!(page.contains(&format!("`{variable}`")), "{variable}");
    }
    for row in [table(&page, "## scuttle"), table(&page, "## linkerd-await")].concat() {
        for variable in row[0].split('`').filter(|word| word.contains('_')) {
            let ignored = row[1].starts_with("not read");
            assert_eq!(read.contains(&variable), !ignored, "{variable}");
        }
    }
}
