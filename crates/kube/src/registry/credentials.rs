//! The user's credentials, as `docker login` and its relatives leave them: `config.json` and the helpers that it names.

use super::reference::{Reference, registry_of};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;
use std::{env, fs, io, thread};

/// Base64 with its padding or without: both are written.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// A helper that says more than this says no credential.
const LONGEST: u64 = 1024 * 1024;

/// What a registry is shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password.
    Password(String, String),
    /// What the token server gives tokens for (OAuth 2's refresh token).
    Identity(String),
    /// A token for the registry itself.
    Token(String),
}

/// Nothing of it is ever printed.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential")
    }
}

/// The folder of docker's configuration.
fn folder() -> Option<PathBuf> {
    let set = env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    set.or_else(|| env::home_dir().map(|home| home.join(".docker")))
}

/// The credential for an image; `None`: there is none.
///
/// # Errors
/// When the configuration cannot be read, or a helper fails or gives no answer in time.
pub fn find(image: &Reference, deadline: Instant) -> Result<Option<Credential>, String> {
    let Some(path) = folder().map(|folder| folder.join("config.json")) else { return Ok(None) };
    match fs::read(&path) {
        Ok(bytes) => find_in(&bytes, &path, image, deadline),
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            Ok(None)
        }
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn find_in(
    bytes: &[u8],
    path: &Path,
    image: &Reference,
    deadline: Instant,
) -> Result<Option<Credential>, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let config: Value = serde_json::from_slice(bytes).map_err(|error| wrong(&error))?;
    let helper = entry(&config, "credHelpers", image).or_else(|| config.get("credsStore"));
    if let Some(helper) = helper.and_then(Value::as_str).filter(|helper| !helper.is_empty())
        && let Some(found) = ask(helper, &image.credential_key(), deadline)?
    {
        return Ok(Some(found));
    }
    let Some(entry) = entry(&config, "auths", image) else { return Ok(None) };
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Ok(Some(Credential::Identity(token.to_owned())));
    }
    if let Some(token) = text("registrytoken") {
        return Ok(Some(Credential::Token(token.to_owned())));
    }
    if let Some(auth) = text("auth") {
        let decoded = BASE64.decode(auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'));
        let (name, password) =
            pair.ok_or_else(|| wrong(&format!("auth of {} is no base64 of NAME:PASSWORD", image.registry)))?;
        return Ok(Some(Credential::Password(name.to_owned(), password.to_owned())));
    }
    let pair = text("username").zip(text("password"));
    Ok(pair.map(|(name, password)| Credential::Password(name.to_owned(), password.to_owned())))
}

/// The entry for the image: of those whose key is its registry, or a way to it, the longest.
fn entry<'a>(config: &'a Value, table: &str, image: &Reference) -> Option<&'a Value> {
    let whole = format!("{}/{}", image.registry, image.repository);
    let rank = |key: &str| {
        let key = key.strip_prefix("https://").or(key.strip_prefix("http://")).unwrap_or(key);
        let key = key.trim_end_matches('/');
        let key = key.strip_suffix("/v1").or(key.strip_suffix("/v2")).unwrap_or(key);
        let (host, rest) = key.split_at(key.find('/').unwrap_or(key.len()));
        let key = format!("{}{rest}", registry_of(host));
        let fits =
            whole.strip_prefix(&key).is_some_and(|behind| behind.is_empty() || behind.starts_with('/'));
        fits.then_some(key.len())
    };
    let entries = config.get(table)?.as_object()?;
    let ranked = entries.iter().filter_map(|(key, entry)| Some((rank(key)?, entry)));
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, entry)| entry)
}

/// Asks `docker-credential-NAME`; `None`: it has none.
fn ask(name: &str, key: &str, deadline: Instant) -> Result<Option<Credential>, String> {
    let program = format!("docker-credential-{name}");
    let wrong = |what: &dyn std::fmt::Display| format!("{program}: {what}");
    if name.contains(['/', '\\']) {
        return Err(wrong(&"a helper's name has no folder"));
    }
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| wrong(&error))?;
    let answer = talk(&mut child, key, deadline);
    // One that has closed its stdout without ending is not waited for.
    if answer.is_none() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| wrong(&error))?;
    let answer = answer.ok_or_else(|| wrong(&"no answer in time: it may be asking you something"))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&answer);
        let said = said.lines().next().unwrap_or_default();
        // The words are part of the helpers' protocol.
        return if said.contains("credentials not found") {
            Ok(None)
        } else {
            Err(wrong(&format!("{status}: {said}")))
        };
    }
    let value: Value = serde_json::from_slice(&answer).map_err(|_| wrong(&"its answer is no JSON"))?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(match (text("Username"), text("Secret")) {
        (_, secret) if secret.is_empty() => None,
        (name, secret) if name == "<token>" => Some(Credential::Identity(secret)),
        (name, secret) => Some(Credential::Password(name, secret)),
    })
}

/// All that it says until it has ended; `None`: too late, or too much.
fn talk(child: &mut Child, key: &str, deadline: Instant) -> Option<Vec<u8>> {
    let (mut stdin, stdout) = (child.stdin.take()?, child.stdout.take()?);
    // Short enough for a pipe, so nothing waits here. One that does not read it, says so by its answer.
    let _ = stdin.write_all(key.as_bytes());
    drop(stdin);
    let (sender, receiver) = mpsc::channel();
    // Not joined: a process that the helper has left behind may keep the pipe open for ever.
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(LONGEST).read_to_end(&mut bytes);
        let _ = sender.send(read.map(|_| bytes));
    });
    let answer = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?.ok()?;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(std::time::Duration::from_millis(2));
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(config: &Value, image: &str) -> Result<Option<Credential>, String> {
        let image = Reference::read(image).unwrap();
        find_in(config.to_string().as_bytes(), Path::new("config.json"), &image, Instant::now())
    }

    fn password(name: &str) -> Credential {
        Credential::Password(name.to_owned(), "secret".to_owned())
    }

    #[test]
    fn entries_are_found_under_each_spelling_of_the_registry() {
        let entry = |name: &str| json!({ "auth": BASE64.encode(format!("{name}:secret")) });
        let config = json!({ "auths": {
            "https://index.docker.io/v1/": entry("hub"),
            "registry.example": entry("example"),
            "registry.example/team": entry("team"),
            "https://other.example/v2/": { "username": "other", "password": "secret" },
            "token.example": { "auth": "", "identitytoken": "t" },
            "raw.example": { "registrytoken": "t" },
            "empty.example": {},
        }});
        for (image, wanted) in [
            ("perl", Some(password("hub"))),
            ("registry.example/app", Some(password("example"))),
            ("registry.example/teams/app", Some(password("example"))),
            ("registry.example/team/app", Some(password("team"))),
            ("other.example/app", Some(password("other"))),
            ("token.example/app", Some(Credential::Identity("t".to_owned()))),
            ("raw.example/app", Some(Credential::Token("t".to_owned()))),
            ("empty.example/app", None),
            ("registry.example.evil.example/app", None),
            ("unknown.example/app", None),
        ] {
            assert_eq!(found(&config, image), Ok(wanted), "{image}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_with_the_file() {
        let broken = json!({ "auths": { "registry.example": { "auth": "!" } } });
        assert!(
            found(&broken, "registry.example/a")
                .unwrap_err()
                .starts_with("config.json: auth of registry.example")
        );
        assert_eq!(found(&json!({ "credsStore": "" }), "perl"), Ok(None));
        assert!(found(&json!({ "credsStore": "../x" }), "perl").unwrap_err().contains("folder"));
        assert!(
            found(&json!({ "credsStore": "of-nobody" }), "perl")
                .unwrap_err()
                .contains("docker-credential-of-nobody: ")
        );
    }

    #[test]
    fn a_credential_is_not_printed() {
        assert_eq!(format!("{:?}", password("x")), "Credential");
    }
}
