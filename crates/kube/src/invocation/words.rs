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

/// `$(NAME)` is replaced by the variable's value, `$$` by a dollar, as the kubelet does. `None`: the manifest does not say
/// what a variable is.
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
            expanded.push_str(container.env(name)?);
            rest = behind;
        } else {
            expanded.push('$');
        }
    }
    expanded.push_str(rest);
    Some(Cow::Owned(expanded))
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
