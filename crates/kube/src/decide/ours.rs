//! What is ours in a pod: the names that we give, and how we are recognised where somebody else wrote them down.

use crate::pod::{Container, list};
use lastout_core::argv::Subcommand;

/// The volume that the program is in, and the init container that puts it there.
pub const VOLUME: &str = "lastout";
/// Where it is mounted.
pub const FOLDER: &str = "/.lastout";
/// The program there.
pub const BINARY: &str = "/.lastout/lastout";
/// The volume of the group of mains.
pub const GROUP_VOLUME: &str = "lastout-group";
/// Where that is mounted.
pub const GROUP_FOLDER: &str = "/.lastout-group";
/// The sizes of the two.
pub(crate) const SIZE: &str = "16Mi";
pub(crate) const GROUP_SIZE: &str = "1Mi";
/// The helper container.
pub const HELPER: &str = "lastout-helper";
/// The volume that has its account.
pub const TOKEN_VOLUME: &str = "lastout-token";
/// The first word that it is given.
pub(crate) const HELPER_VERB: &str = "helper";

/// It runs under lastout already, wherever the program is: in front of its command, or as its image's own entrypoint, which is
/// told by variables or is our own image's.
#[must_use]
pub fn is_wrapped(container: Container<'_>) -> bool {
    match container.words("command") {
        Some(words) => words.first().is_some_and(|word| is_lastout(word)),
        None => is_own_image(container) || has_own_variable(container),
    }
}

/// Its image is lastout's own: `registry/lastout:1.2`, not what is made from it.
#[must_use]
pub fn is_own_image(container: Container<'_>) -> bool {
    let image = container.image().split('@').next().unwrap_or_default();
    image.rsplit('/').next().and_then(|name| name.split(':').next()) == Some("lastout")
}

/// One that names sidecars: others may be there for a program that is still to be put in.
fn has_own_variable(container: Container<'_>) -> bool {
    let mut names = list(container.value(), "env").filter_map(|entry| entry.get("name")?.as_str());
    names.any(|name| ["LASTOUT_SIDECAR", "LASTOUT_COMPAT"].contains(&name))
}

/// The init container that brings the program.
#[must_use]
pub fn is_ours_init(container: Container<'_>) -> bool {
    container.name() == VOLUME && install_target(container) == Some(FOLDER)
}

/// The helper container: one of the user's own may have its name.
pub(crate) fn is_helper(container: Container<'_>) -> bool {
    let is_told = container.words("args").is_some_and(|words| words.first() == Some(&HELPER_VERB));
    container.name() == HELPER && container.words("command").is_none() && is_told
}

/// A path to the program.
pub(crate) fn is_lastout(word: &str) -> bool {
    word.rsplit('/').next() == Some("lastout")
}

/// The folder into which a container installs the program: `lastout install FOLDER`, by its command or as the image's own
/// entrypoint has it.
pub(crate) fn install_target(container: Container<'_>) -> Option<&str> {
    let mut words: Vec<&str> = container.words("command").unwrap_or_default();
    if words.first().is_some_and(|word| is_lastout(word)) {
        words.remove(0);
    } else if !words.is_empty() {
        return None;
    }
    words.extend(container.words("args").unwrap_or_default());
    match words.as_slice() {
        [verb, folder] if *verb == Subcommand::Install.name() => Some(folder),
        _ => None,
    }
}
