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

    /// The file with another content, still beside it. Its mode stays, and a link goes on pointing to it.
    ///
    /// # Errors
    /// When the new file cannot be written.
    pub fn replacement(&self, text: &str) -> Result<Replacement, Error> {
        let Self::File(name) = self else { return Err(Error("-: stdin cannot be replaced".to_owned())) };
        let path = fs::canonicalize(name).map_err(|error| unchanged(name, &error))?;
        let wrong = |error: io::Error| unchanged(&path, &error);
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
        file.write_all(text.as_bytes()).map_err(wrong)?;
        file.as_file().sync_all().map_err(wrong)?;
        let mode = fs::metadata(&path).map_err(wrong)?.permissions();
        file.as_file().set_permissions(mode).map_err(wrong)?;
        Ok(Replacement { file, path })
    }
}

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
/// When one is not there, or a folder has no manifest.
pub fn sources(words: &[String]) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for word in words {
        if word == "-" {
            sources.push(Source::Stdin);
            continue;
        }
        let path = PathBuf::from(word);
        let kind = fs::metadata(&path).map_err(|error| {
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            let way_out = if is_missing { ": mend the path, or give `-` for stdin" } else { "" };
            Error(format!("{word}: {error}{way_out}"))
        })?;
        if kind.is_dir() {
            let before = sources.len();
            folder(&path, &mut sources).map_err(|error| Error(format!("{word}: {error}")))?;
            if sources.len() == before {
                return Err(Error(format!("{word}: a folder without *.yaml, *.yml or *.json")));
            }
        } else {
            sources.push(Source::File(path));
        }
    }
    Ok(sources)
}

fn folder(path: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(path)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type()?;
        // A link to a folder may lead back here.
        if kind.is_dir() {
            folder(&path, sources)?;
        } else if path
            .extension()
            .is_some_and(|name| ["yaml", "yml", "json"].iter().any(|known| name == *known))
            && path.is_file()
        {
            sources.push(Source::File(path));
        }
    }
    Ok(())
}
