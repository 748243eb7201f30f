//! Manifests on disk: which files are meant, how they are read, and how one is replaced without ever being half-written.

use crate::exit::Error;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A manifest that is larger is none.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A file, or stdin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `-`
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Source {
    /// As it is named to the user.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Its text.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or is no UTF-8.
    pub fn read(&self) -> Result<String, Error> {
        let wrong = |what: &dyn std::fmt::Display| Error(format!("{}: {what}", self.name()));
        let mut bytes = Vec::new();
        let read = match self {
            Self::Stdin => io::stdin().take(LARGEST + 1).read_to_end(&mut bytes),
            Self::File(path) => {
                fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            }
        };
        read.map_err(|error| wrong(&error))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
            return Err(wrong(&format!("larger than {} MiB, which no manifest is", LARGEST / 1024 / 1024)));
        }
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count();
            wrong(&format!("line {line}: not UTF-8 (byte {valid}): save it as UTF-8"))
        })
    }

    /// The file with another content, still beside it. Its mode stays, its owner where we may give files away, and a symbolic
    /// link goes on pointing to it. Another hard link keeps the old content.
    ///
    /// # Errors
    /// When the new file cannot be written, or the old one could not be.
    pub fn replacement(&self, text: &str) -> Result<Replacement, Error> {
        let Self::File(name) = self else { return Err(Error("-: stdin cannot be replaced".to_owned())) };
        let path = fs::canonicalize(name).map_err(|error| unchanged(name, &error))?;
        let wrong = |error: io::Error| unchanged(&path, &error);
        // A rename asks the folder only: who may not write the file is not to replace it.
        fs::OpenOptions::new().write(true).open(&path).map_err(wrong)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
        file.write_all(text.as_bytes()).map_err(wrong)?;
        file.as_file().sync_all().map_err(wrong)?;
        let old = fs::metadata(&path).map_err(wrong)?;
        keep_owner(file.as_file(), &old);
        // Behind the owner: that of another one takes the set-user-ID bit away.
        file.as_file().set_permissions(old.permissions()).map_err(wrong)?;
        Ok(Replacement { file, path })
    }
}

/// Only root gives a file to another user; others may give it to a group of theirs.
#[cfg(unix)]
fn keep_owner(file: &fs::File, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    if fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(file, None, Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &fs::File, _: &fs::Metadata) {}

/// What is to take the place of a file. It goes when it is dropped.
#[derive(Debug)]
pub struct Replacement {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Replacement {
    /// Takes its place, at once or not at all.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn persist(self) -> Result<(), Error> {
        self.file.persist(&self.path).map(drop).map_err(|error| unchanged(&self.path, &error.error))
    }
}

fn unchanged(path: &Path, error: &io::Error) -> Error {
    Error(format!("{}: {error}; it is as it was", path.display()))
}

/// The files that these words mean: files, `-`, and folders with all manifests below them, in the order of their names.
///
/// # Errors
/// When one is not there or cannot be looked into, or a folder has no manifest.
pub fn sources(words: &[String]) -> Result<Vec<Source>, Error> {
    words.iter().flat_map(|word| found(word)).collect()
}

/// The files that a word means, and what cannot be looked into: the rest of a folder is there all the same.
#[must_use]
pub fn found(word: &str) -> Vec<Result<Source, Error>> {
    if word == "-" {
        return vec![Ok(Source::Stdin)];
    }
    let path = PathBuf::from(word);
    match fs::metadata(&path) {
        Err(error) => vec![Err(unreadable(&path, &error))],
        Ok(kind) if kind.is_dir() => {
            let mut all = Vec::new();
            folder(&path, &mut all);
            if all.is_empty() {
                all.push(Err(Error(format!("{word}: a folder without *.yaml, *.yml or *.json"))));
            }
            all
        }
        Ok(_) => vec![Ok(Source::File(path))],
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let way_out = if is_missing { ": mend the path, or give `-` for stdin" } else { "" };
    Error(format!("{}: {error}{way_out}", path.display()))
}

fn folder(path: &Path, all: &mut Vec<Result<Source, Error>>) {
    let entries = fs::read_dir(path).and_then(|entries| {
        let with_kind = |entry: fs::DirEntry| Ok((entry.path(), entry.file_type()?));
        entries.map(|entry| entry.and_then(with_kind)).collect::<io::Result<Vec<_>>>()
    });
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return all.push(Err(unreadable(path, &error))),
    };
    entries.sort_by(|(a, _), (b, _)| a.file_name().cmp(&b.file_name()));
    for (path, kind) in entries {
        // A link to a folder may lead back here.
        if kind.is_dir() {
            folder(&path, all);
        } else if path
            .extension()
            .is_some_and(|name| ["yaml", "yml", "json"].iter().any(|known| name == *known))
            && path.is_file()
        {
            all.push(Ok(Source::File(path)));
        }
    }
}
