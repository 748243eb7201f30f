//! `--env-file`: what a shell would have sourced from a secret agent's file; a distroless image has none.
//! `KEY=value` lines, `export ` and quotes allowed, nothing is expanded.

use crate::sys::open_regular;
use crate::threads::offload::within;
use lastout_core::text::Path as Shown;
use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How long a file system may take for one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the files in this order into the environment; a later value of a name replaces every earlier one.
///
/// # Errors
/// One line that names file and line.
pub fn apply(files: &[Vec<u8>], env: &mut Vec<Cow<'_, CStr>>) -> Result<(), String> {
    for file in files {
        let shown = Shown(file);
        let path = file.clone();
        let text = within(PATIENCE, move || read(&path))
            .unwrap_or_else(|| Err(io::Error::other("its file system does not answer")))
            .map_err(|why| format!("--env-file {shown}: {why}"))?;
        let entries = parse(&text)
            .map_err(|wrong| format!("--env-file {shown}: line {}: {}", wrong.line, wrong.what))?;
        for entry in entries {
            let name = name_of(&entry);
            env.retain(|old| name_of(old.to_bytes()) != name);
            let entry = CString::new(entry).map_err(|_| format!("--env-file {shown}: {NUL}"))?;
            env.push(Cow::Owned(entry));
        }
    }
    Ok(())
}

fn read(file: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let file = Path::new(OsStr::from_bytes(file));
    open_regular(OpenOptions::new().read(true), file)?.read_to_end(&mut text)?;
    Ok(text)
}

fn name_of(entry: &[u8]) -> &[u8] {
    entry.split(|byte| *byte == b'=').next().unwrap_or_default()
}

/// Why a file cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// A text, read byte by byte, that knows its line.
struct Reader<'a> {
    rest: &'a [u8],
    line: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
    }

    fn wrong<T>(&self, what: &'static str) -> Result<T, Wrong> {
        Err(Wrong { line: self.line, what })
    }
}

const NUL: &str = "a NUL byte cannot be in the environment";

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// The entries of a file, `NAME=value` each.
///
/// # Errors
/// At the first line that is none.
pub fn parse(text: &[u8]) -> Result<Vec<Vec<u8>>, Wrong> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut entries = Vec::new();
    loop {
        reader.skip(|byte| is_blank(byte) || byte == b'\n');
        match reader.peek() {
            None => return Ok(entries),
            Some(b'#') => reader.skip(|byte| byte != b'\n'),
            Some(_) => entries.push(entry(&mut reader)?),
        }
    }
}

fn entry(reader: &mut Reader<'_>) -> Result<Vec<u8>, Wrong> {
    if let Some(rest) = reader.rest.strip_prefix(b"export")
        && rest.first().copied().is_some_and(is_blank)
    {
        reader.rest = rest;
        reader.skip(is_blank);
    }
    let mut entry = Vec::new();
    while let Some(byte) = reader.peek().filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        entry.push(byte);
        reader.next();
    }
    if entry.first().is_none_or(u8::is_ascii_digit) {
        return reader.wrong("a name is expected: letters, digits and _, as in KEY=value");
    }
    if reader.peek() != Some(b'=') {
        return reader.wrong("= is expected right behind the name, as in KEY=value");
    }
    reader.next();
    entry.push(b'=');
    value(reader, &mut entry)?;
    Ok(entry)
}

fn value(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Wrong> {
    loop {
        match reader.peek() {
            None | Some(b'\n') => return Ok(()),
            Some(0) => return reader.wrong(NUL),
            Some(quote @ (b'\'' | b'"')) => {
                quoted(reader, quote, out)?;
                // A template that was written to be sourced. Without quotes it may be part of a password.
                if ends_a_command(reader.rest) {
                    reader.next();
                }
            }
            Some(b'\\') => {
                reader.next();
                match reader.next() {
                    None => return reader.wrong("a backslash ends the file"),
                    // A shell joins the lines.
                    Some(b'\n') => {}
                    Some(0) => return reader.wrong(NUL),
                    Some(byte) => out.push(byte),
                }
            }
            Some(byte) if is_blank(byte) => {
                reader.skip(is_blank);
                return match reader.peek() {
                    None | Some(b'\n') => Ok(()),
                    Some(b'#') => {
                        reader.skip(|byte| byte != b'\n');
                        Ok(())
                    }
                    Some(_) => reader.wrong("a value with a blank in it needs quotes, as in KEY='a b'"),
                };
            }
            Some(byte) => {
                reader.next();
                out.push(byte);
            }
        }
    }
}

/// `;` and nothing more in this line.
fn ends_a_command(rest: &[u8]) -> bool {
    rest.strip_prefix(b";")
        .is_some_and(|rest| matches!(rest.iter().find(|byte| !is_blank(**byte)), None | Some(b'\n')))
}

fn quoted(reader: &mut Reader<'_>, quote: u8, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let opened = reader.line;
    reader.next();
    loop {
        match reader.next() {
            None => return Err(Wrong { line: opened, what: "this quote is never closed" }),
            Some(0) => return reader.wrong(NUL),
            Some(byte) if byte == quote => return Ok(()),
            // Inside double quotes a backslash protects these four and a line's end (POSIX 2.2.3).
            Some(b'\\') if quote == b'"' => match reader.next() {
                Some(b'\n') => {}
                Some(byte @ (b'"' | b'\\' | b'$' | b'`')) => out.push(byte),
                Some(0) => return reader.wrong(NUL),
                Some(byte) => out.extend([b'\\', byte]),
                None => return Err(Wrong { line: opened, what: "this quote is never closed" }),
            },
            Some(byte) => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, Wrong> {
        parse(text.as_bytes()).map(|list| list.into_iter().map(|e| String::from_utf8(e).unwrap()).collect())
    }

    #[test]
    fn lines_as_a_shell_would_source_them() {
        let text = "# secrets\n\nexport A='b c'\nB=x\r\n  C=\"q\\\"$d\\n\" # why\nD=a\\ b'c'\"d\"\nE=\nF='two\nlines'\nG=a#b\n";
        let wanted = ["A=b c", "B=x", "C=q\"$d\\n", "D=a bcd", "E=", "F=two\nlines", "G=a#b"];
        assert_eq!(read(text).unwrap(), wanted);
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, line) in
            [("A=1\nB=2 3", 2), ("A", 1), ("\n\n=x", 3), ("A='x\ny", 1), ("1A=x", 1), ("A B=c", 1)]
        {
            assert_eq!(read(text).unwrap_err().line, line, "{text:?}");
        }
    }

    #[test]
    fn a_later_value_replaces_every_earlier_one() {
        let folder = std::env::temp_dir().join(format!("lastout-env-{}", std::process::id()));
        std::fs::write(&folder, "A=new\n").unwrap();
        let mut env = [c"A=1", c"AB=2", c"A=3"].map(Cow::Borrowed).to_vec();
        let result = apply(&[folder.as_os_str().as_bytes().to_vec()], &mut env);
        std::fs::remove_file(&folder).unwrap();
        result.unwrap();
        assert_eq!(env, [c"AB=2", c"A=new"]);
    }
}
