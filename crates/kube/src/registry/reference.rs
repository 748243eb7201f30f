//! Names of images, as the container runtime reads them: `perl`, `team/app:1`, `registry:5000/team/app:1@sha256:…`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// What a name without a registry means.
const DEFAULT_REGISTRY: &str = "docker.io";
/// Its older name, under which docker's configuration has its credentials.
const DEFAULT_REGISTRY_V1: &str = "index.docker.io";
/// Where it is.
const DEFAULT_ENDPOINT: &str = "registry-1.docker.io";

/// The name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Host, and port if there is one.
    pub registry: String,
    /// The way to the image there.
    pub repository: String,
    /// `latest` where neither a tag nor a digest is said.
    pub tag: Option<String>,
    /// `sha256:…`
    pub digest: Option<String>,
}

impl Reference {
    /// Reads a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err("what stands behind its @ is no sha256 or sha512 digest");
        }
        let path = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name.get(path..).and_then(|last| last.find(':')) {
            Some(colon) => (name.get(..path + colon), name.get(path + colon + 1..)),
            None => (Some(name), None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err("its tag has letters that no tag has");
        }
        let (registry, repository) = split(name.unwrap_or_default());
        if !is_host(&registry) {
            return Err("its registry is no host name");
        }
        if repository.len() > 255 || !repository.split('/').all(is_component) {
            return Err("names of images are lower-case letters, digits, and one of . _ - / between them");
        }
        let tag = tag.or(digest.is_none().then_some("latest")).map(str::to_owned);
        Ok(Self { registry, repository, tag, digest: digest.map(str::to_owned) })
    }

    /// What the registry is asked for: the digest, where there is one.
    #[must_use]
    pub fn wanted(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or_default()
    }

    /// Where the registry answers: host, and port if there is one.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        if self.registry == DEFAULT_REGISTRY { DEFAULT_ENDPOINT } else { &self.registry }
    }

    /// What a credential helper is asked for.
    #[must_use]
    pub fn credential_key(&self) -> String {
        if self.registry == DEFAULT_REGISTRY {
            format!("https://{DEFAULT_REGISTRY_V1}/v1/")
        } else {
            self.registry.clone()
        }
    }
}

/// With everything that is left out.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

/// The registry and the rest: `team/app` is no host `team`, `team.example/app` is one.
fn split(name: &str) -> (String, String) {
    let (registry, rest) = match name.split_once('/') {
        Some((first, rest))
            if first == "localhost" || first.contains(['.', ':']) || first.contains(char::is_uppercase) =>
        {
            (registry_of(first), rest)
        }
        _ => (DEFAULT_REGISTRY, name),
    };
    if registry == DEFAULT_REGISTRY && !rest.contains('/') {
        return (registry.to_owned(), format!("library/{rest}"));
    }
    (registry.to_owned(), rest.to_owned())
}

/// The one name of the default registry, under whichever it is known; other names are as they are.
#[must_use]
pub fn registry_of(host: &str) -> &str {
    if [DEFAULT_REGISTRY_V1, DEFAULT_ENDPOINT].contains(&host) { DEFAULT_REGISTRY } else { host }
}

/// The host of `host:port`, without the brackets of an IPv6 address.
#[must_use]
pub fn host_of(authority: &str) -> &str {
    if let Some((host, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host;
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

/// It means this machine by its very name.
#[must_use]
pub fn is_loopback(authority: &str) -> bool {
    let host = host_of(authority);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn is_host(authority: &str) -> bool {
    let host = host_of(authority);
    let port = if authority.starts_with('[') {
        authority.split_once(']').map_or("?", |(_, rest)| rest)
    } else {
        authority.get(host.len()..).unwrap_or("?")
    };
    let is_name = |host: &str| {
        let is_label = |label: &str| {
            label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        host.split('.').all(is_label)
    };
    let known = if authority.starts_with('[') { host.parse::<Ipv6Addr>().is_ok() } else { is_name(host) };
    known && (port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()))
}

fn is_component(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    // Between letters stand one dot, one or two underscores, or any number of dashes.
    let separators = text.split(inner).filter(|separator| !separator.is_empty());
    let known =
        |separator: &str| [".", "_", "__"].contains(&separator) || separator.chars().all(|c| c == '-');
    text.starts_with(inner) && text.ends_with(inner) && separators.into_iter().all(known)
}

fn is_tag(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let all = text.chars().all(|c| c.is_ascii_alphanumeric() || ['_', '.', '-'].contains(&c));
    first && all && text.len() <= 128
}

/// One that can be checked: `sha256:…`, `sha512:…`.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    let is_hex = |hex: &str| hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    match text.split_once(':') {
        Some(("sha256", hex)) => hex.len() == 64 && is_hex(hex),
        Some(("sha512", hex)) => hex.len() == 128 && is_hex(hex),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_runtime_reads_them() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, whole) in [
            ("perl", "docker.io/library/perl:latest".to_owned()),
            ("perl:5.40", "docker.io/library/perl:5.40".to_owned()),
            ("team/app", "docker.io/team/app:latest".to_owned()),
            ("a/b/c", "docker.io/a/b/c:latest".to_owned()),
            ("index.docker.io/perl", "docker.io/library/perl:latest".to_owned()),
            ("localhost/app", "localhost/app:latest".to_owned()),
            ("localhost:5000/app:1", "localhost:5000/app:1".to_owned()),
            ("[::1]:5000/app", "[::1]:5000/app:latest".to_owned()),
            ("registry.example/a_b/c--d:X", "registry.example/a_b/c--d:X".to_owned()),
            ("registry.example:5000", "docker.io/library/registry.example:5000".to_owned()),
            (&format!("perl@{digest}"), format!("docker.io/library/perl@{digest}")),
            (&format!("perl:5@{digest}"), format!("docker.io/library/perl:5@{digest}")),
        ] {
            assert_eq!(Reference::read(text).unwrap().to_string(), whole, "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            " perl",
            "perl ",
            "Perl",
            "perl:",
            "perl:a:b",
            "perl@sha256:12",
            "perl@md5:aaaa",
            "a//b",
            "a/",
            "/a",
            "registry.example:x/app",
            "registry.example:99999/app",
            "[::1:5000/app",
            "[nonsense]:1/a",
            "-x.example/a",
            "a..b",
            "a___b",
            "ä",
            "perl:\u{e4}",
            "http://registry.example/app",
            "registry.example/app?x",
            "registry.example/../app",
            "user@registry.example/app",
        ] {
            assert!(Reference::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names_only() {
        for (authority, is) in [
            ("localhost:5000", true),
            ("127.0.0.1", true),
            ("127.1.2.3:80", true),
            ("[::1]:5000", true),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("10.0.0.1:5000", false),
        ] {
            assert_eq!(is_loopback(authority), is, "{authority}");
        }
    }
}
