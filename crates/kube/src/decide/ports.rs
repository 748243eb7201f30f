//! What a manifest shows of a known sidecar that its row does not: another port, and the version of its image.

use crate::pod::{Container, Pod};
use lastout_core::presets::{PORTS, PortSetting, Preset, QUITS_FROM};

/// A port that the manifest sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The key of a SPEC that says the same: `port`, `ready-port`.
    pub key: &'static str,
    /// Where the sidecar listens.
    pub port: u16,
    /// As it is written: `--http-port=9801`.
    pub by: String,
}

/// The ports that are not those of the row. `container`: the sidecar's, where it is there already.
#[must_use]
pub fn moved(pod: Pod<'_>, container: Option<Container<'_>>, preset: &Preset) -> Vec<Moved> {
    let mut all: Vec<Moved> = Vec::new();
    for (_, setting, key) in PORTS.iter().filter(|(row, _, _)| *row == preset.name) {
        let found = match setting {
            PortSetting::Flag(flag) => {
                container.and_then(|container| flag_of(container, flag)).map(|value| (*flag, value))
            }
            PortSetting::Env(name) => {
                container.and_then(|container| container.env(name)).map(|value| (*name, value))
            }
            PortSetting::Annotation(name) => pod.annotation(name).map(|value| (*name, value)),
        };
        let Some((name, value)) = found else { continue };
        // 0 switches the listener off, and what is no number is known to the cluster only.
        let port = value.rsplit(':').next().and_then(|port| port.parse().ok()).filter(|port| *port != 0);
        let Some(port) = port.filter(|port| !ports_of(preset, key).contains(port)) else { continue };
        if !all.iter().any(|moved| moved.key == *key) {
            all.push(Moved { key, port, by: format!("{name}={value}") });
        }
    }
    all
}

/// The SPEC that says so: `istio:port=15999`.
#[must_use]
pub fn spec_with(preset: &Preset, moved: &[Moved], is_optional: bool) -> String {
    let keys: Vec<String> = moved.iter().map(|moved| format!("{}={}", moved.key, moved.port)).collect();
    let optional = if is_optional { "?" } else { "" };
    let colon = if keys.is_empty() { "" } else { ":" };
    format!("{}{optional}{colon}{}", preset.name, keys.join(","))
}

/// The ports of a row that this key of a SPEC is about.
pub(crate) fn ports_of(preset: &Preset, key: &str) -> &'static [u16] {
    match key {
        "ready-port" => preset.ready.ports(),
        _ => preset.quit.map_or(preset.ready.ports(), |quit| quit.ports),
    }
}

/// The value of a flag: `--flag=value`, or in the word behind it.
fn flag_of<'a>(container: Container<'a>, flag: &str) -> Option<&'a str> {
    let mut words = ["command", "args"].into_iter().filter_map(|key| container.words(key)).flatten();
    while let Some(word) = words.next() {
        match word.strip_prefix(flag) {
            Some("") => return words.next(),
            Some(rest) if rest.starts_with('=') => return rest.strip_prefix('='),
            Some(_) | None => {}
        }
    }
    None
}

/// The version from which a sidecar can be asked to quit, and that of its image, where it is older.
#[must_use]
pub fn too_old(container: Container<'_>, preset: &Preset) -> Option<(String, String)> {
    let (_, from, old) = QUITS_FROM.iter().find(|(row, _, _)| *row == preset.name)?;
    let since = from.map(|part| part.to_string()).join(".");
    let image = container.image().split('@').next().unwrap_or_default();
    let (folder, name) = image.rsplit_once('/').unwrap_or(("", image));
    let (name, tag) = name.split_once(':').unwrap_or((name, ""));
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let is_old_image = old.is_some_and(|old| path == old || path.ends_with(&format!("/{old}")));
    (is_old_image || is_below(tag, from)).then(|| (since, container.image().to_owned()))
}

/// `2` may be the newest of them: what the tag does not say is not held against it.
fn is_below(tag: &str, from: &[u32; 3]) -> bool {
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let numbers = tag.split(['-', '+', '_']).next().unwrap_or_default();
    for (part, from) in numbers.split('.').zip(from) {
        match part.parse::<u32>() {
            // A tag that is one long number is a date or a build.
            Ok(number) if number < *from => return true,
            Ok(number) if number == *from => {}
            Ok(_) | Err(_) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_how_old_an_image_is() {
        for (tag, old) in [
            ("2.0.0", true),
            ("2.0", true),
            ("v1.33.1-alpine", true),
            ("1", true),
            ("2", false),
            ("2.1", false),
            ("2.1.0", false),
            ("2.14.1-alpine", false),
            ("20240101", false),
            ("latest", false),
            ("", false),
        ] {
            assert_eq!(is_below(tag, &[2, 1, 0]), old, "{tag}");
        }
    }
}
