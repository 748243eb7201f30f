//! What an injection does to a text, its inverse undoes to the byte: over manifests in many styles, and mutations of them.

use crate::support::{Injection, Random, edited, fills_a_gap, injection, manifests, mutated, pod_specs};
use kubectl_lastout::yaml;

struct Tally {
    undone: usize,
    gaps: usize,
    refused: Vec<String>,
    differing: Vec<String>,
}

fn try_all(name: &str, text: &str, tally: &mut Tally) {
    let (documents, error) = yaml::read(text);
    if error.is_some() {
        return;
    }
    for (number, document) in documents.iter().enumerate() {
        for at in pod_specs(&document.value) {
            let pod = at.of(&document.value).expect("the pod spec");
            let containers = pod["containers"].as_array().map_or(0, Vec::len);
            let natives = (0..containers).filter(|_| containers > 1).map(Injection::Native);
            for which in std::iter::once(Injection::Wrap).chain(natives) {
                let what = format!("{name}: document {number}, {at}, {which:?}");
                let (changes, inverse) = injection(pod, which);
                let there = match edited(text, number, &at, &changes) {
                    Ok(there) => there,
                    Err(refused) => {
                        tally.refused.push(format!("{what}: {refused}"));
                        continue;
                    }
                };
                match edited(&there, number, &at, &inverse) {
                    Ok(back) if back == text || fills_a_gap(pod, which) => tally.undone += 1,
                    // Between items in brackets: there are no lines that would be an item's own.
                    Ok(back) if same_but_for_flow_gaps(text, &back) => tally.gaps += 1,
                    Ok(back) => tally
                        .differing
                        .push(format!("{what}\n--- text\n{text}\n--- there\n{there}\n--- back\n{back}")),
                    Err(refused) => {
                        tally.differing.push(format!("{what}\n--- there\n{there}\n--- {refused}"))
                    }
                }
            }
        }
    }
}

/// Comments and blank lines between items in brackets may have changed their places, and nothing else.
fn same_but_for_flow_gaps(text: &str, back: &str) -> bool {
    let comments = |text: &str| {
        let mut found: Vec<String> =
            text.lines().filter_map(|line| line.find('#').map(|at| line[at..].trim().to_owned())).collect();
        found.sort();
        found
    };
    let values = |text| yaml::read(text).0.into_iter().map(|document| document.value).collect::<Vec<_>>();
    let has_list = text.lines().any(|line| line.contains("containers") && line.contains('['));
    has_list && comments(text) == comments(back) && values(text) == values(back)
}

#[test]
fn what_was_injected_into_any_manifest_is_taken_out_to_the_byte() {
    let mut tally = Tally { undone: 0, gaps: 0, refused: Vec::new(), differing: Vec::new() };
    let manifests = manifests();
    assert!(manifests.len() >= 60);
    for (name, text) in &manifests {
        try_all(name, text, &mut tally);
    }
    assert!(tally.differing.is_empty(), "{}\n{} differ", tally.differing.join("\n\n"), tally.differing.len());
    assert!(tally.undone > 200 && tally.gaps == 0, "{} and {}", tally.undone, tally.gaps);
    let expected = [
        // Its alias would come before its anchor.
        "anchors-elsewhere.yaml: document 0, spec.template.spec, Native(2): line 18: the change cannot be written here: \
         there is no anchor &resources before this alias",
        // The blank line at the end would become one of the `|+` before it.
        "block-end-folded-keep.yaml: document 0, spec, Native(1): line 1: the change cannot be written here: \
         it would have changed something else, too",
        "block-end-literal-keep.yaml: document 0, spec, Native(1): line 1: the change cannot be written here: \
         it would have changed something else, too",
    ];
    assert_eq!(tally.refused, expected);
}

/// `LASTOUT_MUTATIONS` and `LASTOUT_SEED` make it as long and as new as wanted.
#[test]
fn what_was_injected_into_a_mutated_manifest_is_taken_out_to_the_byte_or_refused() {
    let manifests = manifests();
    let rounds = std::env::var("LASTOUT_MUTATIONS").map_or(300, |rounds| rounds.parse().unwrap());
    let mut random = Random(std::env::var("LASTOUT_SEED").map_or(14, |seed| seed.parse().unwrap()));
    let mut tally = Tally { undone: 0, gaps: 0, refused: Vec::new(), differing: Vec::new() };
    for round in 0..rounds {
        let (name, text) = &manifests[random.below(manifests.len())];
        let text = mutated(text, &mut random);
        try_all(&format!("{round}: {name}"), &text, &mut tally);
    }
    let Tally { undone, gaps, refused, differing } = &tally;
    let tally = format!(
        "{undone} undone, {gaps} but for gaps, {} refused, {} differ",
        refused.len(),
        differing.len()
    );
    let all = format!("{tally}\n{}\n{}", refused.join("\n"), differing.join("\n\n"));
    assert!(differing.is_empty(), "{all}");
    assert!(refused.len() * 50 < *undone && gaps * 100 < *undone, "{all}");
}
