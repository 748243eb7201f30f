//! Manifests as kubectl reads them, and where each part of them stands.
//!
//! ```text
//! text ─ documents ─► chunks ─ tree ─► nodes with their places ─ compose ─► values
//!                                                               └ scalar: what a word means
//! changes ─ edit ─► the same text but for them, read again and compared
//! ```
//! kubectl's reader is go.yaml.in/yaml/v2 (a port of libyaml) below sigs.k8s.io/yaml below apimachinery's own cutting of a
//! stream. Its rules that differ from YAML 1.2 and from every library: see `docs/kubectl.md`, "How manifests are read".

mod agree;
mod compose;
mod documents;
mod edit;
mod fault;
mod guard;
mod scalar;
mod tree;

pub(crate) use documents::reread;
pub use documents::{Document, read, stream};
pub use edit::{Edit, Refused, edit, render};
pub use tree::{Id, Kind, Node, Style, Tree};

use std::fmt;

/// A byte order mark, with which some editors begin a file.
const BOM: &str = "\u{feff}";

/// What ends a line for libyaml.
pub const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Why a text is no manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line of the file, from 1.
    pub line: usize,
    /// In words.
    pub what: String,
}

impl Error {
    /// Says in which document of a file it is, from 1. One that has no other needs no number.
    fn of(mut self, document: usize) -> Self {
        if document > 1 {
            self.what = format!("document {document}: {}", self.what);
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Error {}
