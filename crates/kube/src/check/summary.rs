//! How much was found, and in how much.

use super::{Seen, Severity};
use std::fmt;

/// What was found in all files.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many files were read.
    pub files: usize,
    /// How many of those that are meant could not be.
    pub unreadable: usize,
    /// How many pods there are.
    pub pods: usize,
    /// What hangs or fails.
    pub errors: usize,
    /// What may.
    pub warnings: usize,
    /// What a comment asks to leave out.
    pub ignored: usize,
}

impl Summary {
    /// One more file.
    pub(crate) fn add(&mut self, seen: &Seen) {
        let errors = seen.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        self.errors += errors;
        self.warnings += seen.findings.len() - errors;
        self.pods += seen.pods;
        self.ignored += seen.ignored;
    }
}

/// `3 files, 5 pods: 2 errors, 1 warning`
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: usize, word: &str| match number {
            1 => format!("1 {word}"),
            number => format!("{number} {word}s"),
        };
        write!(f, "{}, {}: ", count(self.files, "file"), count(self.pods, "pod"))?;
        write!(f, "{}, {}", count(self.errors, "error"), count(self.warnings, "warning"))?;
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        if self.unreadable > 0 {
            write!(f, "; {} cannot be read", count(self.unreadable, "file"))?;
        }
        Ok(())
    }
}
