//! The line that the user reads.

use super::{SpecError, SpecErrorKind as Kind, Subject, names};
use crate::duration::DurationError;
use crate::presets;
use crate::spec::parse::{KEYS, MAX_LENGTH};
use crate::spec::target::{METHODS, SOCKET_MAX};
use crate::text::{Quoted, write_reason};
use core::fmt;

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.value.as_str();
        if !self.name.is_empty() && !matches!(self.kind, Kind::UnknownSidecar | Kind::TooLong(_)) {
            write!(f, "{}: ", self.name)?;
        }
        match self.subject {
            Subject::Key(key) if self.kind.is_of_the_key() => value = key,
            Subject::Key(key) if matches!(self.kind, Kind::HeaderValue) => write!(f, "{key} {value}: ")?,
            Subject::Key(word) | Subject::Variable(word) => write!(f, "{word}: ")?,
            Subject::Spec => {}
        }
        let quoted = Quoted::text(value);
        let meant = self.meant();
        // One that begins with a blank stands behind the value, or behind the key where that is wrong as such.
        let reason = match self.kind {
            Kind::TooLong(length) => {
                return write!(f, "a sidecar spec of {length} bytes is too long: at most {MAX_LENGTH}");
            }
            Kind::NoName => "a sidecar spec begins with a name: write NAME or NAME:key=value,…",
            Kind::CommaBehindName => {
                "a comma behind the name: write NAME:key=value,…; several sidecars are one --sidecar each, or blanks between them in LASTOUT_SIDECAR"
            }
            Kind::BlankBehindName => {
                "a blank behind the name: write each word as an item of its own, and several sidecars as one --sidecar each"
            }
            Kind::StrangeCharacter => {
                "the name ends in a character that no name has: write NAME or NAME:key=value,… with letters, digits, `-`, `_`, `.` in NAME"
            }
            Kind::NoLetter => "a name needs a letter or a digit: write NAME or NAME:key=value,…",
            Kind::OnlyUrl => "an URL needs a name and a key: write NAME:quit=URL or NAME:ready=URL",
            Kind::UnknownSidecar => {
                write!(f, "unknown sidecar {quoted}: ")?;
                return match meant {
                    Some(near) => write!(
                        f,
                        "did you mean `{near}`? (one of your own needs ready= or quit=; `lastout presets` lists the known ones)"
                    ),
                    None => write!(f, "say ready= and quit=, or take one of {}", names().join(", ")),
                };
            }
            Kind::NoKey => "a key is missing between the commas: write key=value,key=value",
            Kind::OnlyNumber => {
                write!(f, "{quoted} is no key=value: write ")?;
                return match presets::find(&self.name) {
                    Some(known) => write!(f, "{}:port={value}", known.name),
                    None => write!(
                        f,
                        "NAME:port={value} with the name of a known one, or NAME:ready=tcp://127.0.0.1:{value}"
                    ),
                };
            }
            Kind::UnknownKey => {
                write!(f, "unknown key {quoted}: ")?;
                return match meant {
                    Some(near) => write!(f, "did you mean `{near}`?"),
                    None => write!(f, "write one of {}", KEYS.join(", ")),
                };
            }
            Kind::BehindHeader => {
                return write!(
                    f,
                    "what follows the header {value} is no key=value: a comma in a value is written %2C"
                );
            }
            Kind::NoValue => return write!(f, "{quoted} has no value: write {value}=…"),
            Kind::Twice => " is given twice: remove one",
            Kind::SocketToo => " and `socket` both say where: remove one",
            Kind::NoProcess => " needs `process`: write process=NAME",
            Kind::NoEffect(why) => return write!(f, "{quoted} has no effect: {why}"),
            Kind::HeaderIncomplete => "the name or the value is missing: write header=Name=value",
            Kind::HeaderName => "the name before `=` is no header name: write header=Name=value",
            Kind::HeaderFraming => {
                return write!(f, "{value} cannot be set: it says where the request ends");
            }
            Kind::HeaderValue => "the value (not shown) holds a control character or is not ASCII",
            Kind::OnlyPath => "a path alone needs port= or socket=",
            Kind::UrlWithPort => "both socket= and the URL's port say where: write /PATH",
            Kind::NoRequest => "there is no request in it: write http://… or unix:SOCKET:/PATH",
            Kind::NoPortToRefuse => {
                "it has no port that could refuse: write another proof, or give ready=tcp://127.0.0.1:PORT"
            }
            Kind::Duration(kind) => return DurationError { kind, text: value }.fmt(f),
            Kind::NoTime => "0 leaves no time for an answer: write 1s",
            Kind::Address => {
                " is no address: write http://127.0.0.1:PORT/PATH, /PATH, tcp://127.0.0.1:PORT, unix:SOCKET, file:FILE or none"
            }
            Kind::Https => "https is not spoken here, the request stays on loopback: write http://",
            Kind::TcpWithoutPort => " has no port: write tcp://HOST:PORT",
            Kind::User => "a user or password in an URL is not taken: write header=Authorization=…",
            Kind::Host => " is no loopback host: a sidecar is asked at 127.0.0.1, [::1] or localhost",
            Kind::Port => match self.subject {
                Subject::Variable(_) => " is no port: write a number from 1 to 65535, or give port=",
                Subject::Spec | Subject::Key(_) => " is no port: write a number from 1 to 65535",
            },
            Kind::Fragment => " has a fragment (#…), which is never sent: remove it",
            Kind::PathCharacter(c) => {
                return write!(f, "{quoted} holds {c:?}, which a request line may not: percent-encode it");
            }
            Kind::NoFile(scheme) => return write!(f, "a file name is missing: write {scheme}:/PATH"),
            Kind::Nul => " holds a NUL, which no file name does",
            Kind::AbstractName => "`@` alone names no abstract socket: write @NAME",
            Kind::SocketTooLong => {
                return write!(
                    f,
                    "{quoted} is too long for a unix socket: at most {SOCKET_MAX} bytes as a whole path"
                );
            }
            Kind::Method => {
                let (before, near, behind) = meant.map_or(("", "", ""), |near| ("did you mean ", near, "? "));
                return write!(
                    f,
                    "{quoted} is no method: {before}{near}{behind}write {}",
                    METHODS.join(", ")
                );
            }
            Kind::Statuses => " is no set of statuses from 200 to 599: write 200|204 or 200-299",
            Kind::Proof => {
                " is no proof: write file:FILE, no-file:FILE, tcp://127.0.0.1:PORT, unix:SOCKET, process:NAME, refused or accepted"
            }
            Kind::NoProcessName => "a name is missing: write process:NAME",
            Kind::ControlCharacter => " holds a control character",
            Kind::Signal => " is no signal: write TERM, INT or a number",
            Kind::Order => " is no whole number: write 10, low ones are stopped first",
        };
        write_reason(f, value, reason)
    }
}
