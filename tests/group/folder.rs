//! The folder that the mains share: any mix of users, any file system, a read-only root; what cannot be used is one
//! line and 125 before main starts; what stands in it is a format.

#![allow(unsafe_code, reason = "a user with an fsGroup is made by raw calls between fork and exec")]

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};
use support::{
    Launch, TempDir, binary, facts,
    members::{Group, Member, counter, leash},
    ms, skip,
};

/// Who a container runs as.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
    /// `fsGroup`
    extra: Option<u32>,
    umask: u32,
}

impl User {
    /// Starts a command as this user.
    fn start(self, words: &[String], stdin: impl Into<Stdio>) -> Member {
        let mut command = Command::new(&words[0]);
        command.stdin(stdin);
        command.env_clear().env("PATH", "/usr/bin:/bin").args(&words[1..]);
        // SAFETY: async-signal-safe calls.
        unsafe {
            command.pre_exec(move || {
                libc::umask(self.umask);
                let groups: Vec<u32> = self.extra.into_iter().collect();
                if libc::setgroups(groups.len(), groups.as_ptr()) == 0
                    && libc::setgid(self.gid) == 0
                    && libc::setuid(self.uid) == 0
                {
                    Ok(())
                } else {
                    Err(std::io::Error::last_os_error())
                }
            });
        }
        Member::spawn(&mut command)
    }
}

/// A copy of the wrapper that every user may execute.
fn binary_for_all(dir: &TempDir) -> String {
    let copy = dir.at("lastout");
    fs::copy(binary(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    copy.to_str().unwrap().to_owned()
}

/// Three mains and a guard as these users (the guard as the last of them); twice, as a container's second life.
fn as_users(dir: &Path, program: &str, users: [User; 4]) {
    let (fake, spec) = counter();
    let group = Group::at(dir, 3);
    for quits in 1..=2 {
        let words = |verb: &[&str], options: Vec<String>, rest: &[&str]| -> Vec<String> {
            let verb = [program].into_iter().chain(verb.iter().copied()).map(str::to_owned);
            verb.chain(options).chain(rest.iter().map(|&word| word.to_owned())).collect()
        };
        let (reader, writer) = leash();
        let rest = ["--no-wait", "--sidecar", &spec, "--", "cat"];
        let members = [0, 1, 2].map(|n| {
            let name = format!("main-{n}");
            let words = words(&[], group.options_of(&name), &rest);
            let member = users[n].start(&words, reader.try_clone().unwrap());
            group.says(&name, "state=running");
            member
        });
        let words = words(&["guard"], group.options(), &["--sidecar", &spec]);
        let guard = users[3].start(&words, Stdio::null());
        drop((reader, writer));
        members.into_iter().for_each(|member| member.silent(0));
        guard.silent(0);
        assert_eq!(fake.quits().len(), quits);
    }
    for (name, mode) in [("lastout-group", 0o666), ("lastout-member-main-0", 0o644)] {
        assert_eq!(fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
}

fn user(uid: u32, extra: Option<u32>, umask: u32) -> User {
    User { uid, gid: uid, extra, umask }
}

#[test]
fn containers_of_different_users_share_a_folder_that_all_may_write() {
    if !facts::is_root() {
        return skip("other users need root");
    }
    let dir = TempDir::new();
    let program = binary_for_all(&dir);
    let users =
        [user(1001, None, 0o77), user(1002, None, 0o22), user(0, None, 0o77), user(65534, None, 0o777)];
    as_users(&dir.dir("open", 0o777), &program, users);
    as_users(&dir.dir("sticky", 0o1777), &program, users);
}

#[test]
fn containers_of_different_users_share_a_folder_by_fs_group() {
    if !facts::is_root() {
        return skip("other users need root");
    }
    let dir = TempDir::new();
    let program = binary_for_all(&dir);
    let shared = dir.dir("shared", 0o755);
    std::os::unix::fs::chown(&shared, Some(0), Some(2000)).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o2770)).unwrap();
    let group = Some(2000);
    let users =
        [user(1001, group, 0o77), user(1002, group, 0o27), user(1003, group, 0o77), user(1004, group, 0)];
    as_users(&shared, &program, users);
}

#[test]
fn the_name_of_another_users_member_is_taken() {
    if !facts::is_root() {
        return skip("other users need root");
    }
    let dir = TempDir::new();
    let program = binary_for_all(&dir);
    let group = Group::at(&dir.dir("shared", 0o777), 2);
    let words = [vec![program], group.options_of("app"), vec!["true".into()]].concat();
    user(1001, None, 0o22).start(&words, Stdio::null()).silent(0);
    let (status, told) = user(1002, None, 0o22).start(&words, Stdio::null()).wait();
    assert_eq!((status.code(), told.lines().count()), (Some(125), 1), "{told}");
    assert!(told.contains("--group-name app") && told.contains("another user"), "{told}");
}

/// A folder in memory, as an `emptyDir` with `medium: Memory` is.
struct InMemory(PathBuf);

impl InMemory {
    fn new(name: &str) -> Option<Self> {
        let path = PathBuf::from(format!("/dev/shm/lastout-test-{}-{name}", std::process::id()));
        if fs::create_dir(&path).is_err() {
            skip("no file system in memory");
            return None;
        }
        Some(Self(path))
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn memory_and_disk_serve_alike() {
    let Some(memory) = InMemory::new("alike") else { return };
    let disk = TempDir::new();
    for dir in [memory.0.as_path(), disk.path()] {
        let (fake, spec) = counter();
        let group = Group::at(dir, 2);
        let (reader, writer) = leash();
        let first = group.member_until("a", &["--no-wait", "--sidecar", &spec], reader);
        group.says("a", "state=running");
        group.member("b", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
        assert_eq!(fake.quits().len(), 0);
        drop(writer);
        first.silent(0);
        assert_eq!(fake.quits().len(), 1);
    }
}

#[test]
fn the_root_file_system_may_be_read_only() {
    let Some(memory) = InMemory::new("readonly") else { return };
    let (fake, spec) = counter();
    let group = Group::at(&memory.0, 1);
    let launch = Launch::pid1().readonly(Path::new("/")).options(group.options_of("a"));
    let end = launch.sidecar(&spec).sh("touch /written 2>/dev/null && echo written; exit 3").run();
    assert_eq!(String::from_utf8_lossy(&end.stdout), "", "it was not read-only");
    end.silent(3);
    assert_eq!(fake.quits().len(), 1);
}

/// Registers, expecting one line and 125, and that main is not started.
#[track_caller]
fn refused(launch: Launch, group: &Group, words: &[&str]) {
    let end = launch.options(group.options_of("app")).sh("echo started").run();
    end.one_line(125, words);
    assert!(end.stdout.is_empty(), "main was started");
}

#[test]
fn a_folder_that_cannot_be_used_is_one_line_and_125_before_main_starts() {
    let dir = TempDir::new();
    let missing = dir.at("missing");
    refused(Launch::pid1(), &Group::at(&missing, 2), &["missing", "no such folder", "mount a volume"]);
    let file = dir.file("file", "", 0o666);
    refused(Launch::pid1(), &Group::at(&file, 2), &["file", "no folder"]);
    let below = file.join("below");
    refused(Launch::pid1(), &Group::at(&below, 2), &["below", "Not a directory"]);
    let readonly = dir.dir("readonly", 0o777);
    refused(Launch::pid1().readonly(&readonly), &Group::at(&readonly, 2), &["readonly", "without readOnly"]);
    if !facts::is_root() {
        return skip("other users need root");
    }
    let program = binary_for_all(&dir);
    let closed = dir.dir("closed", 0o755);
    let launch = Launch::pid1().program(Path::new(&program)).uid(1234);
    refused(launch, &Group::at(&closed, 2), &["closed", "Permission denied", "fsGroup"]);
}

#[test]
fn the_folder_cannot_be_used_and_the_sidecars_are_stopped_all_the_same_policy_permitting() {
    let (fake, spec) = counter();
    for (policy, quits) in [("success", 0), ("always", 1)] {
        let launch = Launch::pid1().sidecar(&spec).options(["--stop-on", policy]);
        refused(launch, &Group::at(Path::new("/no/such"), 2), &["/no/such"]);
        assert_eq!(fake.quits().len(), quits, "{policy}");
    }
}

#[test]
fn a_name_is_taken_by_a_live_member_only() {
    let group = Group::new(3);
    let (reader, writer) = leash();
    let first = group.member_until("app", &[], reader);
    group.says("app", "state=running");
    refused(Launch::pid1(), &group, &["--group-name app", "another live member"]);
    assert!(group.record("app").contains("state=running"), "the first one's record is untouched");
    drop(writer);
    first.silent(0);
    Launch::pid1().options(group.options_of("app")).sh("exit 4").run().silent(4);
    assert!(group.record("app").contains("code=4"));
}

#[test]
fn one_that_has_taken_anothers_name_holds_nobody_up() {
    let group = Group::new(2);
    let (reader, leash) = leash();
    let first = group.member_until("same", &[], reader);
    group.says("same", "state=running");
    let doubles = [(); 3].map(|()| group.member("same", &[], &["true"]));
    // They are at it for two seconds.
    let began = Instant::now();
    group.member("other", &[], &["true"]).silent(0);
    assert!(began.elapsed() < ms(1000), "{:?}", began.elapsed());
    for double in doubles {
        let (status, told) = double.wait();
        assert_eq!(status.code(), Some(125));
        assert!(told.contains("--group-name same") && told.lines().count() == 1, "{told}");
    }
    drop(leash);
    first.silent(0);
}

#[test]
fn a_fifo_in_place_of_a_file_is_told_and_not_waited_for() {
    let fifo = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let group = Group::new(2);
    fifo(&group.dir().join("lastout-group"));
    refused(Launch::pid1(), &group, &["lastout-group", "no regular file"]);
    let group = Group::new(2);
    fifo(&group.file("other"));
    let (status, told) = group.member("app", &[], &["true"]).wait();
    assert_eq!((status.code(), told.lines().count()), (Some(0), 1), "{told}");
    assert!(told.contains("lastout-member-other") && told.contains("no regular file"), "{told}");
    fifo(&group.file("mine"));
    let (status, told) = group.member("mine", &[], &["true"]).wait();
    assert_eq!((status.code(), told.lines().count()), (Some(125), 1), "{told}");
}

#[test]
fn all_members_must_say_the_same_size_and_there_are_no_more_than_that() {
    let group = Group::new(2);
    group.member("a", &[], &["true"]).silent(0);
    refused(Launch::pid1(), &Group::at(group.dir(), 3), &["--group-size 3", "say 2"]);
    group.member("b", &[], &["true"]).silent(0);
    refused(Launch::pid1(), &group, &["--group-name app", "2 other members", "--group-size is 2"]);
}

#[test]
fn a_name_that_is_no_file_name_is_refused() {
    let group = Group::new(1);
    for name in ["", ".", "../x", "a/b"] {
        let end = Launch::pid1().options(group.options_of(name)).sh("echo started").run();
        end.one_line(125, &["--group-name"]);
    }
    let end = Launch::pid1().options(group.options()).sh("echo started").run();
    end.one_line(125, &["--group-name NAME"]);
    assert!(fs::read_dir(group.dir()).unwrap().next().is_none(), "and nothing was written");
}

#[test]
fn the_files_are_one_line_of_text_each() {
    let group = Group::new(2);
    let (_fake, spec) = counter();
    let (reader, writer) = leash();
    let member = group.member_until("app", &["--stop-on", "0,64-78"], reader);
    group.says("app", "state=running");
    let lock_file = fs::read_to_string(group.dir().join("lastout-group")).unwrap();
    assert_eq!(lock_file, "lastout-group v=1 size=2\n");
    let running = "lastout-member v=1 size=2 policy=0-0,64-78 state=running code=-   stopped=-\n";
    assert_eq!(group.record("app"), running);
    drop(writer);
    member.silent(0);
    let left = "lastout-member v=1 size=2 policy=0-0,64-78 state=left    code=0   stopped=-\n";
    assert_eq!(group.record("app"), left);
    group.member("last", &["--no-wait", "--sidecar", &spec], &["true"]).silent(0);
    let last = "lastout-member v=1 size=2 policy=always state=left    code=0   stopped=linkerd\n";
    assert_eq!(group.record("last"), last);
    let files = fs::read_dir(group.dir()).unwrap().count();
    assert_eq!(files, 3, "one for each member, and the lock file");
}

#[test]
fn a_shorter_record_of_a_later_life_leaves_nothing_of_the_earlier_one() {
    let group = Group::new(1);
    group.member("app", &["--stop-on", "0,3,5,7,9,11,13-17"], &["sh", "-c", "exit 2"]).silent(2);
    group.member("app", &["--stop-on", "never"], &["sh", "-c", "exit 255"]).silent(255);
    let record = "lastout-member v=1 size=1 policy=never state=left    code=255 stopped=-\n";
    assert_eq!(group.record("app"), record);
}

#[test]
fn a_folder_of_another_format_is_refused_in_one_line() {
    for (text, words) in [
        ("lastout-group v=2 size=2 colour=blue\n", ["format 2", "one version in a pod"]),
        ("something else\n", ["lastout-group", "not a lock file"]),
    ] {
        let group = Group::new(2);
        fs::write(group.dir().join("lastout-group"), text).unwrap();
        refused(Launch::pid1(), &group, &words);
        assert_eq!(fs::read_to_string(group.dir().join("lastout-group")).unwrap(), text);
        let end = group.guard().sh("echo started").run();
        end.one_line(125, &words);
    }
}

#[test]
fn the_record_of_another_format_is_told_in_one_line_and_the_sidecars_stay() {
    let (fake, spec) = counter();
    let group = Group::new(2);
    fs::write(group.file("newer"), "lastout-member v=2 out=yes\n").unwrap();
    let (status, told) = group.member("app", &["--no-wait", "--sidecar", &spec], &["true"]).wait();
    assert_eq!((status.code(), told.lines().count()), (Some(0), 1), "{told}");
    assert!(told.contains("lastout-member-newer") && told.contains("format 2"), "{told}");
    assert!(fake.quits().is_empty());
    // A guard goes on trying, and tells it once.
    group.guard().sh("sleep 0.3; exit 4").run().one_line(4, &["lastout-member-newer", "format 2"]);
}
