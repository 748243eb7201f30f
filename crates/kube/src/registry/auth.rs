//! How registries ask who is there, and how they are answered: a password, or a token of the server that they name.

use super::credentials::{BASE64, Credential};
use base64::Engine as _;
use http_auth::ChallengeParser;
use serde_json::Value;
use std::time::Duration;
use ureq::http::{Response, header};
use ureq::{Agent, Body};

/// What a registry wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// A token.
    Bearer(Bearer),
    /// A name and a password.
    Basic,
}

/// Who gives the token, and for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bearer {
    /// The address of the token server.
    pub realm: String,
    service: Option<String>,
    scope: Option<String>,
}

/// What is asked of a token server.
#[derive(Debug)]
pub struct Question {
    realm: String,
    fields: Vec<(&'static str, String)>,
    authorization: Option<String>,
    /// OAuth 2's way, which takes identity tokens.
    post: bool,
}

/// The best of the ways that these headers offer.
pub fn challenges<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for challenge in headers.flat_map(|header| ChallengeParser::new(header).map_while(Result::ok)) {
        let is = |scheme: &str| challenge.scheme.eq_ignore_ascii_case(scheme);
        let value = |name: &str| {
            let mut params = challenge.params.iter();
            params.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_unescaped())
        };
        if is("bearer")
            && let Some(realm) = value("realm")
        {
            return Some(Challenge::Bearer(Bearer {
                realm,
                service: value("service"),
                scope: value("scope"),
            }));
        }
        if is("basic") {
            basic = Some(Challenge::Basic);
        }
    }
    basic
}

/// `Basic …`
#[must_use]
pub fn basic(credential: &Credential) -> Option<String> {
    match credential {
        Credential::Password(name, password) => {
            Some(format!("Basic {}", BASE64.encode(format!("{name}:{password}"))))
        }
        Credential::Identity(_) | Credential::Token(_) => None,
    }
}

impl Bearer {
    /// What is to be asked for a token that may read this repository.
    #[must_use]
    pub fn question(&self, repository: &str, credential: Option<&Credential>) -> Question {
        let scope = self.scope.clone().unwrap_or_else(|| format!("repository:{repository}:pull"));
        let mut fields = vec![("scope", scope)];
        fields.extend(self.service.clone().map(|service| ("service", service)));
        let mut post = false;
        if let Some(Credential::Identity(identity)) = credential {
            post = true;
            fields.push(("grant_type", "refresh_token".to_owned()));
            fields.push(("client_id", "kubectl-lastout".to_owned()));
            fields.push(("refresh_token", identity.clone()));
        }
        Question { realm: self.realm.clone(), fields, authorization: credential.and_then(basic), post }
    }
}

impl Question {
    /// Asks it.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn ask(&self, agent: &Agent, left: Duration) -> Result<Response<Body>, ureq::Error> {
        if self.post {
            let fields = self.fields.iter().map(|(key, value)| (*key, value.as_str()));
            return agent.post(&self.realm).config().timeout_global(Some(left)).build().send_form(fields);
        }
        let mut request = agent.get(&self.realm);
        for (key, value) in &self.fields {
            request = request.query(key, value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request.config().timeout_global(Some(left)).build().call()
    }
}

/// The token in a token server's answer.
///
/// # Errors
/// When there is none.
pub fn token(answer: &[u8]) -> Result<String, String> {
    let value: Value = serde_json::from_slice(answer).unwrap_or_default();
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|token| !token.is_empty());
    text("token")
        .or_else(|| text("access_token"))
        .map(str::to_owned)
        .ok_or_else(|| "the token server's answer has no token".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let bearer = Challenge::Bearer(Bearer {
            realm: "https://token.example/t".to_owned(),
            service: Some("a \"b\"".to_owned()),
            scope: None,
        });
        let text = r#"bearer realm="https://token.example/t", service="a \"b\"""#;
        assert_eq!(challenges([text].into_iter()), Some(bearer.clone()));
        assert_eq!(challenges(["Basic realm=\"x\"", text].into_iter()), Some(bearer.clone()));
        assert_eq!(
            challenges([format!("Negotiate, Basic realm=\"x\", {text}").as_str()].into_iter()),
            Some(bearer)
        );
        assert_eq!(challenges(["Basic realm=\"x\""].into_iter()), Some(Challenge::Basic));
    }

    #[test]
    fn garbage_is_no_way_to_log_in() {
        for text in ["", ",", "Bearer", "Bearer service=\"x\"", "=", "Bearer realm=\"x", "Digest realm=\"x\""]
        {
            assert_eq!(challenges([text].into_iter()), None, "{text}");
        }
    }

    #[test]
    fn a_token_has_two_names() {
        assert_eq!(token(br#"{"token":"a","access_token":"b"}"#), Ok("a".to_owned()));
        assert_eq!(token(br#"{"access_token":"b"}"#), Ok("b".to_owned()));
        assert!(token(b"<html>").is_err());
        assert!(token(br#"{"token":""}"#).is_err());
    }
}
