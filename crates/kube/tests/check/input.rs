//! What is read: what cannot be, and much of it.

use super::{HANGS, check, file, job};

#[test]
fn what_cannot_be_read_is_one_line_and_2_and_hides_nothing_else() {
    let (folder, path) = file("job.yaml", &job(HANGS));
    let good = path.to_str().unwrap();
    let bytes = folder.path().join("bytes.yaml");
    std::fs::write(&bytes, b"\x7fELF\xff\xfe\n").unwrap();
    let large = folder.path().join("large.yaml");
    std::fs::File::create(&large).unwrap().set_len(100 << 20).unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let missing = folder.path().join("missing.yaml");
    let broken = folder.path().join("broken.yaml");
    std::fs::write(&broken, format!("{}---\na: [\n", job(HANGS))).unwrap();
    for (path, said) in [
        (&bytes, "bytes.yaml: line 1: not UTF-8"),
        (&large, "large.yaml: larger than 64 MiB"),
        (&empty, "empty: a folder without *.yaml"),
        (&missing, "missing.yaml: No such file"),
        (&broken, "broken.yaml:1"),
    ] {
        let (code, stdout, stderr) = check(&[path.to_str().unwrap(), good], "");
        assert_eq!(code, 2, "{stderr}");
        assert!(stdout.contains(&format!("{good}:12:15: error[hangs]")), "{stdout}");
        assert_eq!(stderr.lines().count(), 2, "{stderr}");
        assert!(stderr.contains(said) && stderr.ends_with("; 1 file cannot be read\n"), "{stderr}");
    }
    // What stands before the mistake is looked at.
    assert!(check(&[broken.to_str().unwrap()], "").1.contains("broken.yaml:12:15"));
    for garbage in ["hello, world\n", "42\n", "\"text\"\n"] {
        let (code, _, stderr) = check(&["-"], garbage);
        assert!(code == 2 && stderr.contains("-:1: a manifest is a mapping "), "{stderr}");
    }
    assert_eq!(check(&["-"], "").0, 0);
    assert_eq!(
        check(&["-"], "- op: replace\n  path: /a\n").0,
        0,
        "a patch of kustomize's is no manifest, and no mistake"
    );
}

/// Root may look into all, so the plugin is another user's then.
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_looked_into_hides_nothing_beside_it() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let (folder, path) = file("job.yaml", &job(HANGS));
    let (sub, binary) = (folder.path().join("sub"), folder.path().join("plugin"));
    std::fs::create_dir(&sub).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_kubectl-lastout"), &binary).unwrap();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&sub, 0o000);
    mode(folder.path(), 0o755);
    let mut command = std::process::Command::new(&binary);
    command.arg("check").arg(folder.path());
    if std::fs::metadata(&path).unwrap().uid() == 0 {
        command.uid(65533).gid(65532);
    }
    let output = command.output().unwrap();
    mode(&sub, 0o755);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stdout.contains("job.yaml:12:15: error[hangs]"), "{stdout}{stderr}");
    assert!(stderr.contains("/sub: Permission denied"), "{stderr}");
    assert!(stderr.contains("1 file, 1 pod: 1 error, 0 warnings; 1 file cannot be read"), "{stderr}");
}

#[test]
fn many_documents_are_read_one_after_the_other() {
    let all = (0..2_000).map(|number| job(HANGS).replace("name: report }", &format!("name: r{number} }}")));
    let whole = all.collect::<Vec<_>>().join("---\n");
    let (code, stdout, stderr) = check(&["-o", "github", "-"], &whole);
    assert_eq!((code, stdout.lines().count()), (1, 2_000));
    assert!(stderr.contains("2000 pods: 2000 errors"), "{stderr}");
}
