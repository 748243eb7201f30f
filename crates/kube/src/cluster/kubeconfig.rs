//! The user's kubeconfig, as kubectl reads it.

use super::error;
use crate::exit::Error;
use kube::config::{AuthInfo, Kubeconfig, KubeconfigError};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::{Path, PathBuf};

/// `--kubeconfig`, else the files of `KUBECONFIG`, else `~/.kube/config`. `None`: there is none.
///
/// # Errors
/// When one is there and cannot be used: that is no reason to be somebody else.
pub(super) fn read(named: Option<&PathBuf>) -> Result<Option<Kubeconfig>, Error> {
    let wrong = |error| error::kubeconfig(&error);
    let file = match (named, std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty())) {
        (Some(path), _) => Some(Kubeconfig::read_from(path).map_err(wrong)?),
        (None, Some(list)) => {
            let mut merged = None;
            for path in std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()) {
                let Some(file) = if_there(&path)? else { continue };
                merged = Some(match merged {
                    None => file,
                    Some(before) => Kubeconfig::merge(before, file).map_err(wrong)?,
                });
            }
            merged
        }
        (None, None) => match std::env::home_dir() {
            Some(home) => if_there(&home.join(".kube/config"))?,
            None => None,
        },
    };
    Ok(file.map(|mut file| {
        file.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()).for_each(trim);
        file
    }))
}

fn if_there(path: &Path) -> Result<Option<Kubeconfig>, Error> {
    match Kubeconfig::read_from(path) {
        Ok(file) => Ok(Some(file)),
        Err(KubeconfigError::ReadConfig(cause, _)) if cause.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error::kubeconfig(&error)),
    }
}

/// A line feed behind a token is not the token's; the client would put it into a header.
fn trim(user: &mut AuthInfo) {
    let trimmed = |text: &str| (text.trim() != text).then(|| SecretString::from(text.trim()));
    if let Some(token) = user.token.as_ref().and_then(|token| trimmed(token.expose_secret())) {
        user.token = Some(token);
    }
    let of_file = user.token_file.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    if let Some(token) = of_file.as_deref().and_then(trimmed) {
        user.token = Some(token);
        user.token_file = None;
    }
}
