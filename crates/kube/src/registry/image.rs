//! What an image runs: from its manifest, or from those of all its platforms, to ENTRYPOINT and CMD.

use super::client::{Answer, Client};
use super::reference::{Reference, is_digest};
use crate::decide::ImageConfig;
use ring::digest::{SHA256, SHA512, digest};
use serde_json::Value;
use std::fmt;

/// The limit that registries themselves have for manifests.
const MANIFEST: u64 = 4 * 1024 * 1024;
/// A config is mostly the history of a build.
const CONFIG: u64 = 8 * 1024 * 1024;
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// `linux/arm64/v8`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    /// Reads one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let platform = Self { os: parts.next()?, architecture: parts.next()?, variant: parts.next() };
        let words = [Some(&platform.os), Some(&platform.architecture), platform.variant.as_ref()];
        let known = parts.next().is_none() && words.into_iter().flatten().all(|word| !word.is_empty());
        known.then_some(platform)
    }

    fn of(value: &Value) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            os: text("os").unwrap_or_default(),
            architecture: text("architecture").unwrap_or_default(),
            variant: text("variant").filter(|variant| !variant.is_empty()),
        }
    }

    /// What is meant by `wanted`: all variants, where it names none.
    fn is(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || self.variant == wanted.variant)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// What the image runs.
///
/// # Errors
/// Why that cannot be said.
pub fn read(
    client: &mut Client<'_>,
    image: &Reference,
    wanted: Option<&Platform>,
) -> Result<ImageConfig, String> {
    let (answer, top) = manifest(client, image.wanted())?;
    let digest = match &image.digest {
        Some(digest) => digest.clone(),
        None => format!("sha256:{}", hex(digest(&SHA256, &answer.bytes).as_ref())),
    };
    if !is_index(&answer, &top) {
        let (platform, (entrypoint, cmd)) = config(client, &answer, &top)?;
        if let Some(wanted) = wanted.filter(|wanted| !platform.is(wanted)) {
            return Err(format!("it is for {platform}, not for {wanted}"));
        }
        return Ok(ImageConfig { entrypoint, cmd, digest });
    }
    let mut entries = entries(&top);
    if entries.is_empty() {
        return Err("it is for no platform with Linux".to_owned());
    }
    if let Some(wanted) = wanted {
        let all = names(entries.iter().map(|(platform, _)| platform));
        entries.retain(|(platform, _)| platform.is(wanted));
        if entries.is_empty() {
            return Err(format!("it is for {all}, not for {wanted}"));
        }
    }
    let mut found: Vec<(Platform, Argv)> = Vec::new();
    for (platform, digest) in entries {
        known(&digest)?;
        let (answer, value) = manifest(client, &digest)?;
        found.push((platform, config(client, &answer, &value)?.1));
    }
    let mut different = found.clone();
    different.dedup_by(|one, other| one.1 == other.1);
    match different.as_slice() {
        [(_, (entrypoint, cmd))] => {
            Ok(ImageConfig { entrypoint: entrypoint.clone(), cmd: cmd.clone(), digest })
        }
        _ => Err(format!(
            "it does not run the same on {}: choose by --platform",
            names(found.iter().map(|(platform, _)| platform))
        )),
    }
}

/// ENTRYPOINT and CMD.
type Argv = (Vec<String>, Vec<String>);

fn names<'a>(platforms: impl Iterator<Item = &'a Platform>) -> String {
    platforms.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The manifest under a tag, or under a digest, which it must have.
fn manifest(client: &mut Client<'_>, wanted: &str) -> Result<(Answer, Value), String> {
    let accept = [INDEXES.as_slice(), MANIFESTS.as_slice()].concat().join(", ");
    let answer = client.get(&format!("manifests/{wanted}"), &accept, MANIFEST)?;
    if wanted.contains(':') {
        verify(&answer.bytes, wanted)?;
    }
    let value: Value = serde_json::from_slice(&answer.bytes)
        .map_err(|_| format!("what it answers is no manifest, but {:?}", answer.kind))?;
    Ok((answer, value))
}

/// The manifest's own word, else the answer's, else what it looks like.
fn kind<'a>(answer: &'a Answer, value: &'a Value) -> &'a str {
    let own = value.get("mediaType").and_then(Value::as_str);
    own.unwrap_or_else(|| answer.kind.split(';').next().unwrap_or_default().trim())
}

fn is_index(answer: &Answer, value: &Value) -> bool {
    let kind = kind(answer, value);
    INDEXES.contains(&kind) || (!MANIFESTS.contains(&kind) && value.get("manifests").is_some())
}

/// The images for Linux: the platform and the digest. Attestations and the like are no images, and have no platform.
fn entries(index: &Value) -> Vec<(Platform, String)> {
    let mut entries: Vec<(Platform, String)> = Vec::new();
    for entry in index.get("manifests").and_then(Value::as_array).into_iter().flatten() {
        let annotated =
            entry.get("annotations").and_then(|all| all.get("vnd.docker.reference.type")).is_some();
        let platform = entry.get("platform").map(Platform::of);
        let digest = entry.get("digest").and_then(Value::as_str);
        if let (false, Some(platform), Some(digest)) = (annotated, platform, digest)
            && platform.os == "linux"
            && !entries.iter().any(|(_, known)| known == digest)
        {
            entries.push((platform, digest.to_owned()));
        }
    }
    entries
}

/// The config that a manifest names.
fn config(client: &mut Client<'_>, answer: &Answer, manifest: &Value) -> Result<(Platform, Argv), String> {
    let config = manifest.get("config");
    let text = |key: &str| config.and_then(|config| config.get(key)).and_then(Value::as_str);
    let (Some(kind), Some(digest)) = (text("mediaType"), text("digest")) else {
        return Err(format!("what it answers is no image's manifest, but {:?}", kind(answer, manifest)));
    };
    if !CONFIGS.contains(&kind) {
        return Err(format!("it is no image, but an artifact: {kind:?}"));
    }
    known(digest)?;
    let blob = client.get(&format!("blobs/{digest}"), "*/*", CONFIG)?;
    verify(&blob.bytes, digest)?;
    let value: Value = serde_json::from_slice(&blob.bytes).map_err(|_| "its config is no JSON".to_owned())?;
    let platform = Platform::of(&value);
    if !platform.os.is_empty() && platform.os != "linux" {
        return Err(format!("it is for {platform}, and not for Linux"));
    }
    Ok((platform, (words(&value, "Entrypoint")?, words(&value, "Cmd")?)))
}

fn words(config: &Value, key: &str) -> Result<Vec<String>, String> {
    let value = config.get("config").and_then(|config| config.get(key)).unwrap_or(&Value::Null);
    let wrong = || format!("its config is broken: {key} is no list of words");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

/// It comes from elsewhere, and becomes part of an address.
fn known(digest: &str) -> Result<(), String> {
    if is_digest(digest) { Ok(()) } else { Err(format!("{digest:?} is no sha256 or sha512 digest")) }
}

fn verify(bytes: &[u8], wanted: &str) -> Result<(), String> {
    let (algorithm, own) = match wanted.split_once(':') {
        Some(("sha512", _)) => ("sha512", digest(&SHA512, bytes)),
        _ => ("sha256", digest(&SHA256, bytes)),
    };
    let own = format!("{algorithm}:{}", hex(own.as_ref()));
    if own == wanted { Ok(()) } else { Err(format!("asked for {wanted}, it answers {own}")) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
