//! One image's conversation with its registry: within a deadline, with answers of a bounded size, one second try, and
//! redirects only to where the guard lets them.

use super::auth::{Challenge, challenges, token};
use super::credentials::Credential;
use super::guard::{Guard, leads_nearer};
use super::reference::{Reference, is_loopback};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use ureq::http::{Response, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy};

/// Storage of blobs is mostly one redirect away, behind a second one of its own.
const REDIRECTS: usize = 5;
const USER_AGENT: &str = concat!("kubectl-lastout/", env!("CARGO_PKG_VERSION"));

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// What it says it is.
    pub kind: String,
}

/// What the client asks for when the registry wants to know who is there.
pub type Credentials<'a> = &'a dyn Fn(Instant) -> Result<Option<Credential>, String>;

/// The client for one image.
pub struct Client<'a> {
    agent: Agent,
    /// `https://registry/v2/team/app`
    base: String,
    /// Host and port: what is asked there gets the authorization, what is asked elsewhere does not.
    origin: String,
    image: &'a Reference,
    timeout: Duration,
    deadline: Instant,
    credentials: Credentials<'a>,
    proxied: bool,
    authorization: Option<String>,
    tried_again: bool,
}

impl<'a> Client<'a> {
    /// One that is done after `timeout`. `roots`: whom it trusts.
    #[must_use]
    pub fn new(
        image: &'a Reference,
        timeout: Duration,
        roots: &Arc<Vec<Certificate<'static>>>,
        credentials: Credentials<'a>,
    ) -> Self {
        let origin = image.endpoint().to_owned();
        let local = is_loopback(&origin);
        // A proxy's localhost would be another one.
        let proxy = if local { None } else { Proxy::try_from_env() };
        let guard = Guard::new(&origin, proxy.as_ref().map(|proxy| proxy.uri().clone()));
        let proxied = proxy.is_some();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::clone(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(proxy)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            .build();
        let scheme = if local { "http" } else { "https" };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), guard),
            base: format!("{scheme}://{origin}/v2/{}", image.repository),
            origin,
            image,
            timeout,
            deadline: Instant::now() + timeout,
            credentials,
            proxied,
            authorization: None,
            tried_again: false,
        }
    }

    /// What is at this place of the image's: `manifests/latest`. At most `limit` bytes are read.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn get(&mut self, path: &str, accept: &str, limit: u64) -> Result<Answer, String> {
        let mut url = format!("{}/{path}", self.base);
        let mut redirects = 0;
        loop {
            let uri = self.checked(&url)?;
            let own = uri.authority().is_some_and(|authority| authority.as_str() == self.origin);
            let authorization = self.authorization.clone().filter(|_| own);
            let response = self.send(|agent, left| {
                let mut request = agent.get(&url).header(header::ACCEPT, accept);
                if let Some(authorization) = &authorization {
                    request = request.header(header::AUTHORIZATION, authorization);
                }
                request.config().timeout_global(Some(left)).build().call()
            })?;
            match response.status().as_u16() {
                200 => return self.read(response, limit),
                301 | 302 | 303 | 307 | 308 if redirects < REDIRECTS => {
                    redirects += 1;
                    url = target(&uri, &response)?;
                }
                401 if own && authorization.is_none() => self.authorize(&response)?,
                _ => return Err(self.refused(&response)),
            }
        }
    }

    fn left(&self) -> Result<Duration, String> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.late()) } else { Ok(left) }
    }

    fn late(&self) -> String {
        format!("no answer within {} s (--resolve-timeout)", self.timeout.as_secs_f64())
    }

    /// Asks, and once more where the registry says that it is too busy now and will not be before the deadline.
    fn send(
        &mut self,
        ask: impl Fn(&Agent, Duration) -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, String> {
        loop {
            let response = ask(&self.agent, self.left()?).map_err(|error| self.failed(&error))?;
            let busy = [429, 503].contains(&response.status().as_u16());
            if !busy || self.tried_again {
                return Ok(response);
            }
            self.tried_again = true;
            let wait = Duration::from_secs(text(&response, header::RETRY_AFTER).parse().unwrap_or(1));
            if wait >= self.left()? {
                return Err(format!(
                    "{}, for the next {} s, which is too long",
                    response.status(),
                    wait.as_secs()
                ));
            }
            thread::sleep(wait);
        }
    }

    /// TLS, or this machine. Behind a proxy nobody but us looks at addresses.
    fn checked(&self, url: &str) -> Result<Uri, String> {
        let uri: Uri = url.parse().map_err(|_| format!("it leads to {url:?}, which is no address"))?;
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let safe = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback(authority),
            _ => false,
        };
        if !safe || authority.contains('@') {
            return Err(format!("it leads to {url:?}: not followed, only https is"));
        }
        if self.proxied && leads_nearer(&self.origin, authority) {
            return Err(format!("it leads to {authority}, in a nearer network than its own: not followed"));
        }
        Ok(uri)
    }

    fn read(&self, mut response: Response<Body>, limit: u64) -> Result<Answer, String> {
        let kind = text(&response, header::CONTENT_TYPE).to_owned();
        let large = || format!("its answer is larger than {} MiB", limit / 1024 / 1024);
        if response.body().content_length().is_some_and(|length| length > limit) {
            return Err(large());
        }
        match response.body_mut().with_config().limit(limit).read_to_vec() {
            Ok(bytes) => Ok(Answer { bytes, kind }),
            Err(ureq::Error::BodyExceedsLimit(_)) => Err(large()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Shows who we are, in the way that the registry wants.
    fn authorize(&mut self, response: &Response<Body>) -> Result<(), String> {
        let headers = response.headers().get_all(header::WWW_AUTHENTICATE);
        let wanted = challenges(headers.iter().filter_map(|value| value.to_str().ok()));
        let credential = (self.credentials)(self.deadline)?;
        self.authorization = Some(match (wanted, credential) {
            (Some(Challenge::Bearer(_)), Some(Credential::Token(token))) => format!("Bearer {token}"),
            (Some(Challenge::Bearer(bearer)), credential) => {
                self.checked(&bearer.realm)?;
                let question = bearer.question(&self.image.repository, credential.as_ref());
                let answer = self.send(|agent, left| question.ask(agent, left))?;
                if answer.status() != 200 {
                    return Err(format!("{}; log in: docker login {}", answer.status(), self.image.registry));
                }
                format!("Bearer {}", token(&self.read(answer, 1024 * 1024)?.bytes)?)
            }
            (Some(Challenge::Basic), Some(credential @ Credential::Password(..))) => {
                super::auth::basic(&credential).unwrap_or_default()
            }
            (Some(Challenge::Basic), _) => {
                return Err(format!("401 without credentials; log in: docker login {}", self.image.registry));
            }
            (None, _) => return Err("401 without a way to log in that is known: Bearer, Basic".to_owned()),
        });
        Ok(())
    }

    fn refused(&self, response: &Response<Body>) -> String {
        let status = response.status();
        match status.as_u16() {
            401 | 403 => format!(
                "{status}: there is no such image, or it is not for you; log in: docker login {}",
                self.image.registry
            ),
            404 => format!("{status}: no {}", self.image),
            429 => format!(
                "{status}: too many questions; logged in there may be more (docker login {})",
                self.image.registry
            ),
            _ => status.to_string(),
        }
    }

    fn failed(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => self.late(),
            _ if Instant::now() >= self.deadline => self.late(),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Io(error) => error.to_string(),
            error => error.to_string(),
        }
    }
}

fn text<T>(response: &Response<T>, name: header::HeaderName) -> &str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Where a redirect leads.
fn target<T>(from: &Uri, response: &Response<T>) -> Result<String, String> {
    let to = text(response, header::LOCATION);
    if to.starts_with('/') && !to.starts_with("//") {
        let (scheme, authority) = (from.scheme_str(), from.authority());
        return Ok(format!(
            "{}://{}{to}",
            scheme.unwrap_or_default(),
            authority.map(|authority| authority.as_str()).unwrap_or_default()
        ));
    }
    if to.starts_with("https://") || to.starts_with("http://") {
        return Ok(to.to_owned());
    }
    Err(format!("{} to {to:?}, which is no address", response.status()))
}
