//! What lastout would refuse, or take for something else: judged by the readers that it has itself.

use crate::change::Spot;
use crate::check::subject::{Found, Subject};
use crate::decide::{COMMAND, said};
use lastout_core::argv::Wrong;

pub(super) fn look(subject: &Subject<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    for invocation in &subject.invocations {
        let name = invocation.container.name();
        let mut add = |found: Found| all.push(found.of(invocation.container, invocation.path.clone()));
        for (place, wrong) in &invocation.problems {
            let word = invocation.words.get(place.word);
            if word.is_some_and(|word| word.is_unknown) {
                continue;
            }
            let length = word.map_or(1, |word| word.text.len().saturating_sub(place.byte));
            let spot = invocation.spot(*place, length);
            let found = if wrong.is_refused() { Found::error } else { Found::warning };
            add(found(spot, format!("`{name}`: {wrong}"), meant(wrong, word.map_or("", |word| &word.text))));
        }
        for (error, spot, mend) in invocation.wrong_values() {
            add(Found::error(spot, format!("`{name}`: {error}"), mend));
        }
        for (variable, meant, spot) in invocation.unknown_variables() {
            let hint = meant.as_ref().map_or(String::new(), |meant| format!("; did you mean {meant}?"));
            let message = format!("`{name}`: {variable}: no such setting{hint}");
            add(Found::warning(spot, message, meant.unwrap_or_default()));
        }
    }
    for warning in &subject.facts.warnings {
        let at = warning.at.clone().unwrap_or_default();
        all.push(Found::warning(Spot::key(subject.workload.pod.join(&at)), warning.to_string(), ""));
    }
    let annotations = subject.workload.pod.key("metadata").key("annotations");
    for (key, value) in subject.pod.annotations().filter(|(key, _)| key.starts_with(COMMAND)) {
        let not_text = || format!("{key}: {value} is no JSON list of words, as text");
        if let Err(why) = value.as_str().ok_or_else(not_text).and_then(|text| said(key, text)) {
            let spot = Spot::value(annotations.key(key));
            all.push(Found::error(spot, why, format!("{key}: '[\"/app\", \"ARG\"]'")));
        }
    }
    all
}

/// What to write instead, where that is plain.
fn meant(wrong: &Wrong, word: &str) -> String {
    match wrong {
        Wrong::UnknownOption { option, meant: Some(meant) } => {
            format!("{:?}", word.replacen(option, &format!("--{meant}"), 1))
        }
        Wrong::UnknownOption { meant: None, .. }
        | Wrong::OptionOfAnotherInit { .. }
        | Wrong::ValueMissing(_)
        | Wrong::ValueUnexpected { .. }
        | Wrong::Repeated(_)
        | Wrong::SeveralWords { .. }
        | Wrong::OptionBehindSpecs { .. }
        | Wrong::OptionBehindCommand(_)
        | Wrong::NoCommand
        | Wrong::Misused { .. } => String::new(),
    }
}
