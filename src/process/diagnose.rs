//! Why a command could not be executed, said so that the user can mend it: the kernel's ENOENT and EACCES
//! each have half a dozen causes, and in a distroless image there is no shell to look around with.

use lastout_core::outcome::Outcome;
use nix::sys::statvfs::{FsFlags, statvfs};
use std::borrow::Cow;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What `execve` failing with this errno on these paths means. `meant`: what of our own may have been meant instead.
pub fn not_executed(
    program: &OsStr,
    paths: &[CString],
    errno: i32,
    meant: Option<&str>,
) -> (Outcome, String) {
    let path_of = |path: &CString| PathBuf::from(OsStr::from_bytes(path.to_bytes()));
    let there: Vec<PathBuf> =
        paths.iter().map(path_of).filter(|path| path.symlink_metadata().is_ok()).collect();
    let name = program.display();
    // The kernel's own order: the interpreter of a file that is there can be missing, too.
    let outcome = if errno == libc::ENOENT { Outcome::NotFound } else { Outcome::CannotExecute };
    let why = match (there.first(), program.as_bytes().contains(&b'/')) {
        (None, _) if matches!(errno, libc::ENOENT | libc::ENAMETOOLONG) && is_line(program) => format!(
            "{name}: not found; is that a whole command line in one word? write each of its words as an item of its own, or sh -c and the line"
        ),
        (None, true) if errno == libc::ENOENT => {
            format!("{name}: not found{}", missing_part(Path::new(program)))
        }
        (None, false) if errno == libc::ENOENT => {
            let meant =
                meant.map_or_else(String::new, |meant| format!("did you mean `lastout {meant}`? else "));
            format!("{name}: not found in PATH; {meant}give the whole path, or check the image's PATH")
        }
        (Some(path), _) => format!("{}: {}", path.display(), cause(path, errno)),
        (None, _) => format!("{name}: cannot be executed: {}", io::Error::from_raw_os_error(errno)),
    };
    (outcome, why)
}

/// A whole command line in one word: what stands before its first blank is a program, or may be one.
fn is_line(program: &OsStr) -> bool {
    let first = program.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
    first.len() < program.len() && (!first.contains(&b'/') || Path::new(OsStr::from_bytes(first)).is_file())
}

/// The first folder of the path that is not there.
fn missing_part(path: &Path) -> String {
    let folders: Vec<&Path> =
        path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
    match folders.into_iter().rev().find(|folder| !folder.exists()) {
        Some(folder) => format!(": there is no {}; is the volume mounted?", folder.display()),
        None => String::new(),
    }
}

fn cause(path: &Path, errno: i32) -> String {
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            return "a symbolic link to itself".to_owned();
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return "a symbolic link to something that is not there".to_owned();
        }
        Err(error) => return format!("cannot be executed: {error}"),
    };
    let system = || io::Error::from_raw_os_error(errno).to_string();
    if metadata.is_dir() {
        return "a folder, not a program".to_owned();
    }
    if !metadata.is_file() {
        // Not opened either: a FIFO would keep us waiting.
        return "no regular file".to_owned();
    }
    match errno {
        // The file is there: what is missing is something that it needs.
        libc::ENOENT => missing_interpreter(path)
            .unwrap_or_else(|| "its interpreter or loader is not in this image".to_owned()),
        libc::EACCES if metadata.permissions().mode() & 0o111 == 0 => {
            format!("not executable (mode {:04o}); chmod +x it", metadata.permissions().mode() & 0o7777)
        }
        libc::EACCES if is_noexec(path) => {
            "on a volume that is mounted noexec; put the program on another volume".to_owned()
        }
        libc::EACCES => match interpreter(path) {
            Some(Interpreter::Script(name) | Interpreter::Loader(name)) if !is_executable(&name) => {
                format!("its interpreter {} is not executable", name.display())
            }
            Some(_) | None => {
                format!(
                    "permission denied (mode {:04o}) for this user, on it or on its interpreter",
                    metadata.permissions().mode() & 0o7777
                )
            }
        },
        libc::ENOEXEC => wrong_format(path),
        libc::ETXTBSY => "still being written by another process".to_owned(),
        libc::E2BIG => "the arguments and the environment are too long".to_owned(),
        _ => format!("cannot be executed: {}", system()),
    }
}

enum Interpreter {
    /// `#!`
    Script(PathBuf),
    /// `PT_INTERP`
    Loader(PathBuf),
}

fn missing_interpreter(path: &Path) -> Option<String> {
    match interpreter(path)? {
        Interpreter::Script(name) if name.as_os_str().as_bytes().ends_with(b"\r") => Some(
            "a script whose lines end with CR LF, so that its interpreter is not found; save it with LF"
                .to_owned(),
        ),
        Interpreter::Script(name) => Some(format!(
            "a script whose interpreter {} is not in this image; call a program that is, or use a base image with it",
            name.display()
        )),
        Interpreter::Loader(name) => Some(format!(
            "linked to the loader {}, which is not in this image; link it statically, or use a base image with that libc",
            name.display()
        )),
    }
}

/// Bytes of a file's head that are looked at: the kernel reads no more of a `#!` line either (`BINPRM_BUF_SIZE`).
const HEAD: u64 = 256;

fn interpreter(path: &Path) -> Option<Interpreter> {
    let mut file = File::open(path).ok()?;
    let head = read_at(&mut file, 0, HEAD)?;
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next()?.trim_ascii_start();
        let name = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\0')).next()?;
        return Some(Interpreter::Script(PathBuf::from(OsStr::from_bytes(name))));
    }
    loader(&mut file, &head).map(Interpreter::Loader)
}

/// Where the fields of a little-endian ELF file stand that name its loader (`elf(5)`).
struct Class {
    /// `e_phoff`, `e_phentsize`, `e_phnum` in the file's header.
    table: (usize, usize, usize),
    /// `p_offset`, `p_filesz` in an entry of the table.
    name: (usize, usize),
    /// Bytes of an address.
    word: usize,
}

const ELF64: Class = Class { table: (32, 54, 56), name: (8, 32), word: 8 };
const ELF32: Class = Class { table: (28, 42, 44), name: (4, 16), word: 4 };

/// `PT_INTERP` of a little-endian ELF file (`elf(5)`).
fn loader(file: &mut File, head: &[u8]) -> Option<PathBuf> {
    const PT_INTERP: u64 = 3;
    let class = match head.get(..6)? {
        b"\x7fELF\x02\x01" => ELF64,
        b"\x7fELF\x01\x01" => ELF32,
        _ => return None,
    };
    let (table, size, count) = class.table;
    let (offset, size, count) =
        (number(head, table, class.word)?, number(head, size, 2)?, number(head, count, 2)?);
    for index in 0..count.min(64) {
        let entry = read_at(file, offset.checked_add(index * size)?, 56)?;
        if number(&entry, 0, 4)? == PT_INTERP {
            let (at, length) = class.name;
            let length = number(&entry, length, class.word)?.min(4096);
            let name = read_at(file, number(&entry, at, class.word)?, length)?;
            let name = name.split(|byte| *byte == 0).next()?;
            return Some(PathBuf::from(OsStr::from_bytes(name)));
        }
    }
    None
}

fn read_at(file: &mut File, offset: u64, length: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(offset)).ok()?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A little-endian number of this many bytes.
fn number(bytes: &[u8], offset: usize, length: usize) -> Option<u64> {
    let field = bytes.get(offset..offset + length)?;
    Some(field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn wrong_format(path: &Path) -> String {
    let head = File::open(path).ok().and_then(|mut file| read_at(&mut file, 0, HEAD)).unwrap_or_default();
    if head.is_empty() {
        return "an empty file".to_owned();
    }
    if !head.starts_with(b"\x7fELF") {
        return if head.starts_with(b"\xef\xbb\xbf#!") {
            "a script with a byte order mark before its #!, so that the kernel cannot execute it; save it without one"
        } else if head.contains(&0) {
            "neither a program nor a script that begins with #!; the kernel cannot execute it"
        } else {
            "a script that does not begin with #!: shells, tini, dumb-init and catatonit run it by sh, the kernel does not; begin it with #!/bin/sh, or call sh with it"
        }
        .to_owned();
    }
    let Some(machine) = machine(&head) else {
        return "the beginning of a program; the kernel cannot execute it".to_owned();
    };
    if machine == std::env::consts::ARCH {
        "a damaged program; the kernel cannot execute it".to_owned()
    } else {
        format!(
            "built for {machine}, and this machine is {}; use the image of this architecture",
            std::env::consts::ARCH
        )
    }
}

/// `e_machine` of elf(5), in the file's own byte order, by the names of the architectures that images are built for.
fn machine(head: &[u8]) -> Option<Cow<'static, str>> {
    let field = [*head.get(18)?, *head.get(19)?];
    let big_endian = head.get(5) == Some(&2);
    let number = if big_endian { u16::from_be_bytes(field) } else { u16::from_le_bytes(field) };
    Some(Cow::Borrowed(match (number, big_endian) {
        (3, false) => "x86",
        (40, false) => "arm",
        (62, false) => "x86_64",
        (183, false) => "aarch64",
        (243, false) => "riscv64",
        (258, false) => "loongarch64",
        (21, false) => "ppc64le",
        (21, true) => "ppc64",
        (22, true) => "s390x",
        _ => return Some(Cow::Owned(format!("another machine (number {number} of elf.h)"))),
    }))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// True when the file system of this path is mounted `noexec`.
pub fn is_noexec(path: &Path) -> bool {
    statvfs(path).is_ok_and(|fs| fs.flags().contains(FsFlags::ST_NOEXEC))
}
