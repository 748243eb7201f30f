//! What is given to users: the archive of a release, where cargo-binstall looks for it, and `make install`.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use support::init::{skip_without, which};
use support::{TempDir, skip};

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name))
}

fn told(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let told: Value = serde_json::from_str(&told(command.current_dir(env!("CARGO_MANIFEST_DIR")))).unwrap();
    told["packages"].as_array().unwrap().clone()
}

/// A template of cargo-binstall's, with its values; every name in braces has to be one of these.
fn expanded(template: &Value, package: &Value, machine: &str) -> String {
    let text = |name: &str| package[name].as_str().unwrap().to_owned();
    let values = [
        ("{ name }", text("name")),
        ("{ version }", text("version")),
        ("{ repo }", text("repository")),
        ("{ target-arch }", machine.to_owned()),
        ("{ bin }", text("name")),
    ];
    let made = values
        .iter()
        .fold(template.as_str().unwrap().to_owned(), |made, (name, value)| made.replace(name, value));
    assert!(!made.contains(['{', '}']), "{made}");
    made
}

#[test]
fn cargo_binstall_is_told_where_the_archives_are_and_what_is_in_them() {
    for (name, machine) in ["lastout", "kubectl-lastout"]
        .into_iter()
        .flat_map(|name| ["x86_64", "aarch64"].map(|machine| (name, machine)))
    {
        let folder = TempDir::new();
        let binary = folder.path().join(name);
        fs::write(&binary, machine).unwrap();
        let made = told(script("archive").arg(folder.path()).arg(machine).arg(&binary));
        let made = PathBuf::from(made.trim());
        let packages = packages();
        let package = packages.iter().find(|package| package["name"] == name).unwrap();
        let told_of = &package["metadata"]["binstall"]["overrides"][format!("{machine}-unknown-linux-musl")];
        let url = expanded(&told_of["pkg-url"], package, machine);
        let file = made.file_name().unwrap().to_str().unwrap();
        let release = format!("/releases/download/v{}/", env!("CARGO_PKG_VERSION"));
        assert_eq!(url, format!("{}{release}{file}", env!("CARGO_PKG_REPOSITORY")));
        assert_eq!(told_of["pkg-fmt"], "tgz");
        let inside = expanded(&told_of["bin-dir"], package, machine);
        assert_eq!(told(Command::new("tar").arg("-xzOf").arg(&made).arg(inside)), machine);
        // On a system with no release it must find nothing, and build.
        assert_eq!(package["metadata"]["binstall"].as_object().unwrap().len(), 1);
    }
}

#[test]
fn an_archive_holds_files_at_their_paths() {
    let folder = TempDir::new();
    let binary = folder.path().join("lastout");
    fs::write(&binary, "program").unwrap();
    let made = told(script("archive").arg(folder.path()).arg("x86_64").args([
        binary.to_str().unwrap(),
        "README.md",
        "man/lastout.1",
        "completions/_lastout",
    ]));
    let root = format!("lastout-{}-x86_64-linux", env!("CARGO_PKG_VERSION"));
    let listed = told(Command::new("tar").arg("-tzf").arg(made.trim()));
    let files: Vec<&str> = listed
        .lines()
        .filter(|line| !line.ends_with('/'))
        .map(|line| line.strip_prefix(&format!("{root}/")).unwrap())
        .collect();
    assert_eq!(
        files,
        ["CHANGELOG.md", "LICENSE", "README.md", "completions/_lastout", "lastout", "man/lastout.1"]
    );
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let listed = told(Command::new("find").arg(folder).args(["-type", "f", "-printf", "%m %P\n"]));
    let mut files: Vec<String> = listed.lines().map(str::to_owned).collect();
    files.sort_unstable();
    files
}

#[test]
fn install_puts_each_file_where_it_is_looked_for_and_uninstall_takes_all_away() {
    let (built, into) = (TempDir::new(), TempDir::new());
    let release = built.path().join(format!("{}-unknown-linux-musl/release", std::env::consts::ARCH));
    fs::create_dir_all(&release).unwrap();
    let install = |remove: bool| {
        let mut command = script("install");
        command.args(remove.then_some("-r")).arg("/opt/x");
        command.env("CARGO_TARGET_DIR", built.path()).env("DESTDIR", into.path());
        command
    };
    let none = install(false).output().unwrap();
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert_eq!((none.status.code(), &*said), (Some(1), "install: there is no binary yet: make build\n"));
    let other = if std::env::consts::ARCH == "aarch64" { "x86_64" } else { "aarch64" };
    let foreign = built.path().join(format!("{other}-unknown-linux-musl/release"));
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("lastout"), "of another machine").unwrap();
    assert_eq!(install(false).output().unwrap().status.code(), Some(1));
    fs::write(release.join("lastout"), "program").unwrap();
    let older = fs::File::options().append(true).open(release.join("lastout")).unwrap();
    older.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    told(&mut install(false));
    assert_eq!(fs::read_to_string(into.path().join("opt/x/bin/lastout")).unwrap(), "program");
    assert_eq!(
        files(into.path()),
        [
            "644 opt/x/share/bash-completion/completions/lastout",
            "644 opt/x/share/fish/vendor_completions.d/lastout.fish",
            "644 opt/x/share/man/man1/lastout.1",
            "644 opt/x/share/zsh/site-functions/_lastout",
            "755 opt/x/bin/lastout",
        ]
    );
    told(&mut install(true));
    assert_eq!(files(into.path()), Vec::<String>::new());
}

/// It would build for half an hour, and publish a release without packages.
#[test]
fn a_release_is_not_made_without_what_makes_its_packages() {
    let programs = TempDir::new();
    for name in ["bash", "env", "dirname", "sed", "head", "git", "echo"] {
        std::os::unix::fs::symlink(which(name).unwrap(), programs.path().join(name)).unwrap();
    }
    let output =
        script("dist").args(["check", "/nonexistent"]).env("PATH", programs.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("dist: Go is missing") && said.contains("scripts/dist,"), "{said}");
}

#[test]
fn packages_are_the_same_bytes_each_time_and_hold_what_is_installed() {
    let nfpm = PathBuf::from(told(script("tools").arg("dir")).trim()).join("nfpm");
    if !nfpm.exists() {
        return skip_without("nfpm", "scripts/tools nfpm does that, and needs Go");
    }
    let source = TempDir::new();
    let binary = source.path().join("lastout");
    fs::write(&binary, "program").unwrap();
    let made = [TempDir::new(), TempDir::new()];
    for (folder, built) in made.iter().zip([1_000_000_000, 1_500_000_001].map(Duration::from_secs)) {
        // As if it were built on another day: when a file was written must not be in a package.
        let file = fs::File::options().append(true).open(&binary).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + built).unwrap();
        told(script("packages").arg(folder.path()).arg("arm64").args([
            binary.to_str().unwrap(),
            "man/lastout.1",
            "completions/lastout.bash",
        ]));
    }
    let version = env!("CARGO_PKG_VERSION");
    let names = [format!("lastout_{version}-1_arm64.deb"), format!("lastout-{version}-1.aarch64.rpm")];
    for name in &names {
        let [one, other] = made.each_ref().map(|folder| fs::read(folder.path().join(name)).unwrap());
        assert!(one == other, "{name}");
    }
    if which("dpkg-deb").is_none() {
        return skip("dpkg-deb is not installed: the package is not opened");
    }
    let root = source.path().join("root");
    told(Command::new("dpkg-deb").arg("-x").arg(made[0].path().join(&names[0])).arg(&root));
    assert_eq!(
        files(&root),
        [
            "644 usr/share/bash-completion/completions/lastout",
            "644 usr/share/doc/lastout/CHANGELOG.md",
            "644 usr/share/doc/lastout/copyright",
            "644 usr/share/man/man1/lastout.1.gz",
            "755 usr/bin/lastout",
        ]
    );
}
