//! The words of a container's command line, as the kubelet gives them to the program, and where each stands.

use crate::change::{Path, Spot};
use crate::pod::{Container, list};
use lastout_core::argv::Place;
use std::borrow::Cow;

/// A word of a command line.
pub(crate) struct Word<'a> {
    /// As the kubelet gives it.
    pub(crate) text: Cow<'a, str>,
    /// It holds a variable whose value the manifest does not say.
    pub(crate) is_unknown: bool,
    path: Path,
}

/// Those of `command` behind the program's name, and those of `args`.
pub(super) fn words<'a>(container: Container<'a>, path: &Path, in_command: bool) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    let command = list(container.value(), "command").enumerate().skip(usize::from(in_command));
    let args = list(container.value(), "args").enumerate();
    let both = command.map(|item| ("command", item)).chain(args.map(|item| ("args", item)));
    for (key, (index, value)) in both {
        let text = value.as_str().unwrap_or_default();
        let expanded = expand(text, container);
        words.push(Word {
            is_unknown: expanded.is_none(),
            text: expanded.unwrap_or(Cow::Borrowed(text)),
            path: path.key(key).index(index),
        });
    }
    words
}

/// `$(NAME)` is replaced by the variable's value, `$$` by a dollar, and what no variable has stays as it is, as the kubelet
/// does. `None`: the manifest does not say what a variable is.
fn expand<'a>(text: &'a str, container: Container<'_>) -> Option<Cow<'a, str>> {
    if !text.contains('$') {
        return Some(Cow::Borrowed(text));
    }
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = behind;
        if let Some(behind) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = behind;
        } else if let Some((name, behind)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            match container.env(name) {
                Some(value) if value.contains("$(") => return None,
                Some(value) => expanded.push_str(value),
                None if may_be_set(container, name) => return None,
                None => expanded.push_str(&format!("$({name})")),
            }
            rest = behind;
        } else {
            expanded.push('$');
        }
    }
    expanded.push_str(rest);
    // As it is written, so that places in it are those of the file.
    Some(if expanded == text { Cow::Borrowed(text) } else { Cow::Owned(expanded) })
}

/// A variable whose value the manifest does not say: from a Secret, a ConfigMap, or a Service of the namespace.
fn may_be_set(container: Container<'_>, name: &str) -> bool {
    let mut own = list(container.value(), "env").filter_map(|entry| entry.get("name")?.as_str());
    list(container.value(), "envFrom").next().is_some()
        || own.any(|own| own == name)
        || name.contains("_SERVICE_")
        || name.contains("_PORT")
}

/// Where these bytes of a word stand.
pub(super) fn spot(words: &[Word<'_>], place: Place, length: usize, container: &Path) -> Spot {
    match words.get(place.word) {
        Some(word) => {
            let within =
                matches!(word.text, Cow::Borrowed(_)).then(|| place.byte..place.byte + length.max(1));
            Spot { path: word.path.clone(), key: false, within }
        }
        // Something is missing behind the last word.
        None => Spot::value(
            words.last().map_or_else(|| container.key("command").index(0), |word| word.path.clone()),
        ),
    }
}
