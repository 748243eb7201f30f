//! `lastout install`: the wrapper copies itself, in one step, from any image, as any user.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};
use support::{Launch, TempDir, binary, facts::is_root, skip};

fn install(dest: &Path) -> Launch {
    Launch::pid1().options(["install".as_ref(), dest.as_os_str()])
}

/// The copy is whole, executable by everyone and writable by nobody, and nothing else lies beside it.
#[track_caller]
fn whole(copy: &Path) {
    assert!(fs::read(copy).unwrap() == fs::read(binary()).unwrap(), "the copy differs");
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o7777, 0o555);
    assert_eq!(names(copy.parent().unwrap()), [copy.file_name().unwrap().to_str().unwrap()]);
}

fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn install_into_a_folder() {
    only_ours!();
    let dir = TempDir::new();
    install(dir.path()).run().silent(0);
    whole(&dir.at("lastout"));
    Launch::pid1().program(&dir.at("lastout")).sh("exit 3").run().silent(3);
}

#[test]
fn install_as_a_file_name() {
    only_ours!();
    let dir = TempDir::new();
    install(&dir.at("init")).run().silent(0);
    whole(&dir.at("init"));
}

#[test]
fn install_to_a_relative_path() {
    only_ours!();
    let dir = TempDir::new();
    install(Path::new("init")).cwd(dir.path()).run().silent(0);
    whole(&dir.at("init"));
    install(Path::new(".")).cwd(&dir.dir("sub", 0o755)).run().silent(0);
    whole(&dir.at("sub/lastout"));
}

#[test]
fn install_has_its_mode_whatever_the_umask() {
    only_ours!();
    let dir = TempDir::new();
    install(dir.path()).umask(0o77).run().silent(0);
    whole(&dir.at("lastout"));
}

#[test]
fn install_twice() {
    only_ours!();
    let dir = TempDir::new();
    for _ in 0..2 {
        install(dir.path()).run().silent(0);
        whole(&dir.at("lastout"));
    }
}

#[test]
fn install_over_an_older_file() {
    only_ours!();
    let dir = TempDir::new();
    let old = dir.file("lastout", "an older one", 0o444);
    install(dir.path()).run().silent(0);
    whole(&old);
}

#[test]
fn install_while_the_old_copy_runs() {
    only_ours!();
    let dir = TempDir::new();
    install(dir.path()).run().silent(0);
    let copy = dir.at("lastout");
    let inode = fs::metadata(&copy).unwrap().ino();
    let mut run = Launch::pid1().program(&copy).sh("echo up; read line; exit 3").stdin().start();
    run.says("up");
    install(dir.path()).run().silent(0);
    whole(&copy);
    assert_ne!(fs::metadata(&copy).unwrap().ino(), inode, "a new file, so that the running one stays whole");
    run.close_stdin();
    run.wait().silent(3);
}

#[test]
fn install_by_the_installed_copy_itself() {
    only_ours!();
    let dir = TempDir::new();
    install(dir.path()).run().silent(0);
    install(dir.path()).program(&dir.at("lastout")).run().silent(0);
    whole(&dir.at("lastout"));
}

#[test]
fn install_into_a_read_only_folder_fails_with_one_line() {
    only_ours!();
    let dir = TempDir::new();
    let end = install(dir.path()).readonly(dir.path()).run();
    assert_ne!(end.code(), 0);
    end.one_line(end.code(), &[dir.path().to_str().unwrap(), "ead-only"]);
    assert!(names(dir.path()).is_empty());
}

#[test]
fn install_into_a_noexec_folder_fails_with_one_line_that_says_so() {
    only_ours!();
    let dir = TempDir::new();
    let end = install(dir.path()).noexec(dir.path()).run();
    assert_ne!(end.code(), 0);
    end.one_line(end.code(), &[dir.path().to_str().unwrap(), "noexec"]);
    assert!(names(dir.path()).is_empty(), "nothing is left that could not run");
}

#[test]
fn install_where_no_folder_is_fails_with_one_line() {
    only_ours!();
    let dir = TempDir::new();
    let end = install(&dir.at("gone/lastout")).run();
    assert_ne!(end.code(), 0);
    end.one_line(end.code(), &["gone"]);
}

#[test]
fn install_without_or_with_too_many_destinations_is_125() {
    only_ours!();
    Launch::pid1().options(["install"]).run().one_line(125, &["install", "DEST|folder|where"]);
    let dir = TempDir::new();
    let two = [dir.path(), dir.path()];
    let end = Launch::pid1().options(["install"]).options(two).run();
    assert_eq!(end.code(), 125);
    assert_eq!(end.stderr.lines().count(), 1, "{}", end.stderr);
    assert!(names(dir.path()).is_empty());
}

#[test]
fn install_reads_no_variables() {
    only_ours!();
    let dir = TempDir::new();
    install(dir.path()).env("LASTOUT_WAIT_TIMEOUT=soon").env("LASTOUT_SIDECAR=?").run().silent(0);
    whole(&dir.at("lastout"));
}

#[test]
fn install_as_any_user_into_a_folder_of_theirs() {
    only_ours!();
    if !is_root() {
        return skip("not root: install runs as this user only");
    }
    // The binary may lie where only root can go, so a copy of it is what runs.
    let dir = TempDir::new();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = dir.file("wrapper", fs::read(binary()).unwrap(), 0o555);
    let theirs = dir.dir("shared", 0o777);
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o777)).unwrap();
    install(&theirs).program(&copy).readonly(Path::new("/usr")).uid(65534).run().silent(0);
    whole(&theirs.join("lastout"));
    assert_eq!(fs::metadata(theirs.join("lastout")).unwrap().uid(), 65534);
}
