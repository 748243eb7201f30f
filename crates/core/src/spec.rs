//! `--sidecar SPEC`: the grammar, and the resolved sidecar that comes out of it.
//!
//! ```text
//! SPEC = NAME[?][:key=value[,key=value]…]          at most 8 KiB
//!
//! NAME        a known sidecar, or any word (letters, digits, - _ .) with ready=, quit= or process=
//! ?           optional: main may start without it
//! host        127.0.0.1, ::1 or localhost (both, the default): of the row's requests and of /PATH
//! port        of the quit request, and of the ready one where the row has the same for both
//! ready-port  of the ready request
//! socket      a unix socket that both requests go over, instead of host and port; @NAME is an abstract one
//! ready       http://HOST[:PORT]/PATH · /PATH · unix:SOCKET:/PATH     a request is answered
//!             tcp://HOST:PORT · unix:SOCKET                           a connection is accepted
//!             file:FILE                                               it exists
//!             none                                                    not waited for
//! quit        http://HOST[:PORT]/PATH · /PATH · unix:SOCKET:/PATH · file:FILE (is created) · none
//! method      of the quit request: GET HEAD POST (the default) PUT PATCH DELETE OPTIONS
//! header      Name=value, of both requests; may be repeated
//! ok          statuses by which the quit request is accepted: 200|204, 200-299 (the default);
//!             without a quit request, those of the ready one
//! ready-ok    the same for the ready request
//! timeout     of one request, 1s by default
//! gone        what proves its end, and is waited for: refused (its ports refuse: the default of one that has ports) ·
//!             accepted (it took the request: the default of linkerd, consul-dataplane and ghostunnel) · file:FILE (is there) · no-file:FILE (is not) ·
//!             tcp://HOST:PORT · unix:SOCKET (refuses) · process:NAME (none of this name is visible any more)
//! order       low ones are stopped first; 10 by default
//! absent      how long an optional one is waited for, from our start
//! process     end the process of this name where it is visible, when nothing else helped …
//! signal      … by this signal, TERM by default
//! ```
//!
//! A comma, a space and a per cent sign are written `%2C`, `%20`, `%25` in `header`, `socket`, `process` and
//! behind `file:`, `no-file:`, `process:` and `unix:`. URLs and paths of requests are sent byte for byte: there the same escapes are
//! the URL's own, and the sidecar decodes them.

mod build;
mod error;
mod parse;
mod target;
#[cfg(test)]
mod tests;

pub use error::{SpecError, SpecErrorKind, Subject};

use crate::presets::{Preset, When};
use crate::signal::Signal;
use crate::text::Path;
use alloc::{string::String, vec::Vec};
use core::{fmt, net::SocketAddr, time::Duration};

/// Looks a variable up.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A sidecar with everything resolved: where to ask, what counts as an answer, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// As the user wrote it, without the `?`.
    pub name: String,
    /// The row of data behind the name, if it is a known one.
    pub preset: Option<&'static Preset>,
    /// `?`: main may start without it.
    pub optional: bool,
    /// How long an optional one that accepts no connection is waited for, from our start (`absent`);
    /// `None`: as `--absent-after` says.
    pub absent_after: Option<Duration>,
    /// When it is ready.
    pub ready: Ready,
    /// Files (paths as bytes) that must be there as well before it counts as ready: those of `--env-file`, which it writes.
    pub files: Vec<Vec<u8>>,
    /// How it is asked to end.
    pub quit: Quit,
    /// Header fields of both requests; values are secrets.
    pub headers: Vec<(String, String)>,
    /// Bound of one request.
    pub timeout: Duration,
    /// Low ones are stopped first.
    pub order: u32,
    /// What proves that it is gone.
    pub gone: Proof,
    /// For this sidecar it is normal that the quit port refuses while the ready port answers (Kuma 3).
    pub refused_is_normal: bool,
    /// Fallback in a shared process namespace: end the process of this name by this signal.
    pub process: Option<(String, Signal)>,
}

/// Where to connect. Loopback only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Tried in this order until one accepts; "refused" means that all refuse.
    Tcp(Vec<SocketAddr>),
    /// Path of a unix socket, as bytes; the name of an abstract one begins with a NUL.
    Unix(Vec<u8>),
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where.
    pub at: Address,
    /// `GET`, `POST`, `PUT`, …
    pub method: String,
    /// Path and query exactly as given; never a slash added.
    pub path: String,
    /// Statuses that count as yes.
    pub ok: StatusSet,
}

/// When a sidecar is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// A request is answered with a status of the set.
    Http(Request),
    /// A connection is accepted.
    Accepts(Address),
    /// The file (path as bytes) exists.
    File(Vec<u8>),
    /// At once: nothing to look at.
    Unchecked,
}

/// How a sidecar is asked to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quit {
    /// By a request.
    Http(Request),
    /// By creating this file (path as bytes).
    CreateFile(Vec<u8>),
    /// By the request to another sidecar, which goes to the same address.
    WithAnother,
    /// It has no way (a hint says what to do instead).
    Nothing,
}

/// What proves that a sidecar is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its own ports refuse: that of the quit request and that of the ready one.
    PortsRefuse,
    /// It has accepted the request: no more is looked at.
    Accepted,
    /// This address refuses.
    Refuses(Address),
    /// This file (path as bytes) is there.
    FileThere(Vec<u8>),
    /// This file (path as bytes) is not there.
    FileAway(Vec<u8>),
    /// No process of this name is visible, and one was before.
    NoProcess(String),
}

/// A set of HTTP statuses, as inclusive ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(pub Vec<(u16, u16)>);

impl Spec {
    /// Every path of it.
    pub(crate) fn paths_mut(&mut self) -> Vec<&mut Vec<u8>> {
        let ready = match &mut self.ready {
            Ready::Http(request) => request.at.path_mut(),
            Ready::Accepts(at) => at.path_mut(),
            Ready::File(path) => Some(path),
            Ready::Unchecked => None,
        };
        let quit = match &mut self.quit {
            Quit::Http(request) => request.at.path_mut(),
            Quit::CreateFile(path) => Some(path),
            Quit::WithAnother | Quit::Nothing => None,
        };
        let gone = match &mut self.gone {
            Proof::Refuses(at) => at.path_mut(),
            Proof::FileThere(path) | Proof::FileAway(path) => Some(path),
            Proof::PortsRefuse | Proof::Accepted | Proof::NoProcess(_) => None,
        };
        ready.into_iter().chain(quit).chain(gone).chain(&mut self.files).collect()
    }

    /// Whether every socket's path, as it is now, has room in an address.
    pub(crate) fn check_sockets(&self) -> Result<(), SpecError> {
        for at in [self.ready.address(), self.quit.address(), self.gone.address()].into_iter().flatten() {
            if let Address::Unix(path) = at
                && let Some(shown) = target::too_long_socket(path)
            {
                return Err(SpecError::socket_too_long(self, &shown));
            }
        }
        Ok(())
    }

    /// Reads the text of one `--sidecar`. `env` looks a variable up (some rows take their port or a header
    /// from one).
    ///
    /// # Errors
    /// What is wrong and where; never a header's value.
    pub fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, SpecError> {
        parse::parse(text, env)
    }

    /// The sidecars that a text means which is no spec, such as a list of names: whom to stop in spite of that.
    pub(crate) fn meant(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Vec<Self> {
        parse::meant(text, env)
    }

    /// What this answer means for this sidecar and the way out, if its row knows.
    #[must_use]
    pub fn hint(&self, when: When) -> Option<&'static str> {
        self.preset?.hints.iter().find(|(known, _)| *known == when).map(|&(_, hint)| hint)
    }
}

impl Address {
    fn path_mut(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(path) => Some(path),
        }
    }
}

impl Ready {
    /// Where it is looked for, if that is an address.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Http(request) => Some(&request.at),
            Self::Accepts(at) => Some(at),
            Self::File(_) | Self::Unchecked => None,
        }
    }
}

impl Quit {
    /// Where it is asked, if that is an address.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Http(request) => Some(&request.at),
            Self::CreateFile(_) | Self::WithAnother | Self::Nothing => None,
        }
    }
}

impl Proof {
    /// It is about something else than the sidecar's own ports.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        match self {
            Self::PortsRefuse | Self::Accepted => false,
            Self::Refuses(_) | Self::FileThere(_) | Self::FileAway(_) | Self::NoProcess(_) => true,
        }
    }

    /// The address that it is about, where that is not the sidecar's own.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Refuses(at) => Some(at),
            Self::PortsRefuse
            | Self::Accepted
            | Self::FileThere(_)
            | Self::FileAway(_)
            | Self::NoProcess(_) => None,
        }
    }
}

impl StatusSet {
    /// True when the status is one of the set.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|&(low, high)| (low..=high).contains(&status))
    }
}

/// The first candidate only: `127.0.0.1:9901`, `unix:/run/admin.sock`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(candidates) => match candidates.first() {
                Some(first) => write!(f, "{first}"),
                None => f.write_str("nowhere"),
            },
            Self::Unix(path) => match path.split_first() {
                Some((0, name)) => write!(f, "unix:@{}", Path(name)),
                _ => write!(f, "unix:{}", Path(path)),
            },
        }
    }
}

/// `POST 127.0.0.1:9901/quitquitquit`, `POST unix:/run/admin.sock:/quitquitquit`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = match self.at {
            Address::Tcp(_) => "",
            Address::Unix(_) => ":",
        };
        write!(f, "{} {}{colon}{}", self.method, self.at, self.path)
    }
}

/// `GET 127.0.0.1:9901/ready`, `tcp://127.0.0.1:6432`, `unix:/run/x.sock`, `file:/run/ready`, `none`.
impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(request) => write!(f, "{request}"),
            Self::Accepts(at @ Address::Tcp(_)) => write!(f, "tcp://{at}"),
            Self::Accepts(at @ Address::Unix(_)) => write!(f, "{at}"),
            Self::File(path) => write!(f, "file:{}", Path(path)),
            Self::Unchecked => f.write_str("none"),
        }
    }
}

/// `POST 127.0.0.1:9901/quitquitquit`, `file:/run/done`, `none`.
impl fmt::Display for Quit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(request) => write!(f, "{request}"),
            Self::CreateFile(path) => write!(f, "file:{}", Path(path)),
            Self::WithAnother => f.write_str("the same request"),
            Self::Nothing => f.write_str("none"),
        }
    }
}

/// As in a spec: `refused`, `file:/run/uploaded`, `tcp://127.0.0.1:6432`.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortsRefuse => f.write_str("refused"),
            Self::Accepted => f.write_str("accepted"),
            Self::Refuses(at @ Address::Tcp(_)) => write!(f, "tcp://{at}"),
            Self::Refuses(at @ Address::Unix(_)) => write!(f, "{at}"),
            Self::FileThere(path) => write!(f, "file:{}", Path(path)),
            Self::FileAway(path) => write!(f, "no-file:{}", Path(path)),
            Self::NoProcess(name) => write!(f, "process:{}", Path(name.as_bytes())),
        }
    }
}

/// As in a spec: `200|204`, `200-299`.
impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (low, high)) in self.0.iter().enumerate() {
            let bar = if index == 0 { "" } else { "|" };
            if low == high { write!(f, "{bar}{low}") } else { write!(f, "{bar}{low}-{high}") }?;
        }
        Ok(())
    }
}
