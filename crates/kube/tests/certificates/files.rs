//! A certificate out of files that others replace, as the kubelet and as administrators do it.

use crate::replica::{admit, serve, until};
use kubectl_lastout::webhook::certificates::{Source, State};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};
use tokio::sync::{oneshot, watch};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Somebody else's authority, which is trusted throughout.
struct Other(CertifiedIssuer<'static, KeyPair>);

impl Other {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(rcgen::DnType::CommonName, "another authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn bundle(&self) -> String {
        pem::encode(&pem::Pem::new("CERTIFICATE", self.0.der().to_vec()))
    }

    /// A certificate and its key, valid until then.
    fn sign(&self, end: SystemTime) -> (String, String) {
        self.sign_from(SystemTime::now() - DAY, end)
    }

    fn sign_from(&self, begin: SystemTime, end: SystemTime) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["lastout-webhook.lastout.svc".to_owned()]).unwrap();
        params.not_before = begin.into();
        params.not_after = end.into();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let text = |label: &str, der: &[u8]| pem::encode(&pem::Pem::new(label, der));
        (text("CERTIFICATE", certificate.der()), text("PRIVATE KEY", key.serialized_der()))
    }

    fn days(&self) -> (String, String) {
        self.sign(SystemTime::now() + DAY * 2)
    }
}

/// Files as the kubelet lays them: `tls.crt` is a link into `..data`, which is a link to the folder that counts.
fn swap(folder: &Path, (certificate, key): &(String, String), name: &str) {
    let data = folder.join(name);
    fs::create_dir(&data).unwrap();
    fs::write(data.join("tls.crt"), certificate).unwrap();
    fs::write(data.join("tls.key"), key).unwrap();
    let link = folder.join("..data_tmp");
    symlink(name, &link).unwrap();
    fs::rename(link, folder.join("..data")).unwrap();
}

struct Server {
    state: watch::Receiver<State>,
    port: u16,
    _life: oneshot::Sender<()>,
}

/// Both files, one after the other.
fn write(folder: &Path, (certificate, key): &(String, String)) {
    fs::write(folder.join("tls.crt"), certificate).unwrap();
    fs::write(folder.join("tls.key"), key).unwrap();
}

impl Server {
    fn start(folder: &Path) -> Result<Self, String> {
        let source = Source::Files { cert: folder.join("tls.crt"), key: folder.join("tls.key") };
        serve(source).map(|(life, state, port)| Self { state, port, _life: life })
    }

    fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits until this certificate is shown.
    fn must_show(&self, other: &Other, (certificate, _): &(String, String)) {
        let wanted = pem::parse(certificate).unwrap().into_contents();
        let shown = || admit(self.port, &other.bundle()).ok().filter(|shown| **shown == *wanted);
        until(shown, || self.state());
    }
}

#[test]
fn the_kubelets_swap_of_a_link_is_seen() {
    let (other, folder) = (Other::new(), tempfile::tempdir().unwrap());
    let pairs = [other.days(), other.days(), other.days()];
    swap(folder.path(), &pairs[0], "..1");
    for name in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{name}"), folder.path().join(name)).unwrap();
    }
    let server = Server::start(folder.path()).unwrap();
    server.must_show(&other, &pairs[0]);
    for (pair, name) in [(&pairs[1], "..2"), (&pairs[2], "..3")] {
        swap(folder.path(), pair, name);
        server.must_show(&other, pair);
    }
    assert!(!server.state().is_troubled, "{:?}", server.state());
}

#[test]
fn half_a_pair_keeps_the_old_one_and_is_told() {
    let (other, folder) = (Other::new(), tempfile::tempdir().unwrap());
    let (old, new) = (other.days(), other.days());
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("tls.crt", &old.0);
    write("tls.key", &old.1);
    let server = Server::start(folder.path()).unwrap();
    for (what, certificate, key, told) in [
        ("one of two", new.0.as_str(), old.1.as_str(), "tls.key: not the key of"),
        ("cut", &new.0[..100], &new.1, "tls.crt"),
        ("empty", "", &new.1, "there is no certificate in it"),
    ] {
        write("tls.crt", certificate);
        write("tls.key", key);
        until(|| server.state().text.contains(told).then_some(()), || (what, server.state()));
        assert!(server.state().is_ready && server.state().is_troubled, "{what}");
        server.must_show(&other, &old);
    }
    fs::remove_file(folder.path().join("tls.crt")).unwrap();
    until(|| server.state().text.contains("No such file").then_some(()), || server.state());
    write("tls.crt", &new.0);
    server.must_show(&other, &new);
    until(|| (!server.state().is_troubled).then_some(()), || server.state());
}

#[test]
fn an_expired_certificate_is_not_ready() {
    let (other, folder) = (Other::new(), tempfile::tempdir().unwrap());
    let end = SystemTime::now() + Duration::from_secs(2);
    let (certificate, key) = other.sign(end);
    fs::write(folder.path().join("tls.crt"), certificate).unwrap();
    fs::write(folder.path().join("tls.key"), key).unwrap();
    let server = Server::start(folder.path()).unwrap();
    let is_over = || (!server.state().is_ready && server.state().text.contains("expired")).then_some(());
    until(is_over, || server.state());
    assert!(server.state().not_after.is_some_and(|told| told <= end));
}

#[test]
fn what_nobody_takes_is_not_ready_from_the_first_moment_on() {
    let (other, now) = (Other::new(), SystemTime::now());
    for (pair, told) in [
        (other.sign_from(now - DAY * 2, now - DAY), "it has expired"),
        (other.sign_from(now + DAY, now + DAY * 2), "it is not valid yet"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &pair);
        let state = Server::start(folder.path()).unwrap().state();
        assert!(!state.is_ready && state.is_troubled && state.text.contains(told), "{state:?}");
    }
}

#[test]
fn a_certificate_that_nobody_takes_does_not_replace_one_that_is_taken() {
    let (other, folder, now) = (Other::new(), tempfile::tempdir().unwrap(), SystemTime::now());
    let (old, new) = (other.days(), other.days());
    write(folder.path(), &old);
    let server = Server::start(folder.path()).unwrap();
    for (pair, told) in [
        (other.sign_from(now - DAY * 2, now - DAY), "tls.crt: it has expired"),
        (other.sign_from(now + DAY, now + DAY * 2), "tls.crt: it is not valid yet"),
    ] {
        write(folder.path(), &pair);
        until(|| server.state().text.contains(told).then_some(()), || server.state());
        assert!(server.state().is_ready && server.state().is_troubled, "{:?}", server.state());
        server.must_show(&other, &old);
    }
    write(folder.path(), &new);
    server.must_show(&other, &new);
    until(|| (!server.state().is_troubled).then_some(()), || server.state());
}

/// Whoever opens a FIFO waits for somebody to write into it.
#[test]
fn what_is_no_regular_file_is_told_and_what_comes_after_it_is_loaded() {
    let (other, folder) = (Other::new(), tempfile::tempdir().unwrap());
    let (old, new) = (other.days(), other.days());
    write(folder.path(), &old);
    let server = Server::start(folder.path()).unwrap();
    let path = folder.path().join("tls.crt");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    until(|| server.state().text.contains("tls.crt: it is no regular file").then_some(()), || server.state());
    assert!(server.state().is_ready && server.state().is_troubled);
    fs::remove_file(&path).unwrap();
    fs::write(&path, vec![b'x'; 2 * 1024 * 1024]).unwrap();
    until(|| server.state().text.contains("1048576 are the most").then_some(()), || server.state());
    write(folder.path(), &new);
    server.must_show(&other, &new);
}

#[test]
fn files_that_cannot_be_used_at_the_start_are_an_error_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let error = Server::start(folder.path()).err().unwrap();
    assert!(error.contains("tls.crt") && error.contains("No such file"), "{error}");
}
