//! Which addresses may be connected to: names of images, redirects and token servers come from others, and what they name
//! must not be led to this machine or its network.

use super::reference::{host_of, is_loopback};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How near an address is; what is nearer is less for others' eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Public,
    Private,
    /// Where clouds answer with the machine's own credentials.
    LinkLocal,
    Loopback,
}

/// Looks names up, and refuses addresses that are nearer than the registry's own. It is asked for each connection, so a name
/// that leads elsewhere the second time gains nothing.
#[derive(Debug)]
pub struct Guard {
    inner: DefaultResolver,
    /// The registry: host and port.
    origin: String,
    /// The proxy that the user has set, whose address is nobody else's affair.
    proxy: Option<Uri>,
    /// How near the registry is; not known before it is asked, nor behind a proxy.
    nearness: Arc<Mutex<Nearness>>,
}

impl Guard {
    /// One for questions about this registry.
    #[must_use]
    pub fn new(origin: &str, proxy: Option<Uri>) -> Self {
        let nearness = origin_nearness(origin);
        Self {
            inner: DefaultResolver::default(),
            origin: origin.to_owned(),
            proxy,
            nearness: Arc::new(Mutex::new(nearness)),
        }
    }

    fn judge(&self, uri: &Uri, addresses: &[SocketAddr]) -> Result<(), String> {
        if self.proxy.as_ref().is_some_and(|proxy| proxy.authority() == uri.authority()) {
            return Ok(());
        }
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let nearest = addresses.iter().map(|address| nearness(address.ip())).max();
        let Some(nearest) = nearest else { return Ok(()) };
        if uri.scheme_str() == Some("http")
            && addresses.iter().any(|address| nearness(address.ip()) != Nearness::Loopback)
        {
            return Err(format!("{authority} is not this machine, and without TLS nothing else is asked"));
        }
        let mut own = self.nearness.lock().unwrap_or_else(PoisonError::into_inner);
        if authority == self.origin {
            *own = nearest;
        } else if nearest > *own {
            return Err(format!("it leads to {authority}, in a nearer network than its own: not followed"));
        }
        Ok(())
    }
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.inner.resolve(uri, config, timeout)?;
        match self.judge(uri, &addresses) {
            Ok(()) => Ok(addresses),
            Err(why) => Err(ureq::Error::Io(io::Error::other(why))),
        }
    }
}

/// An address, written out, is nearer than the registry's name tells.
#[must_use]
pub fn leads_nearer(origin: &str, to: &str) -> bool {
    to != origin && origin_nearness(to) > origin_nearness(origin)
}

/// As far as the name tells.
fn origin_nearness(authority: &str) -> Nearness {
    if is_loopback(authority) {
        return Nearness::Loopback;
    }
    host_of(authority).parse().map_or(Nearness::Public, nearness)
}

fn nearness(address: IpAddr) -> Nearness {
    match address {
        IpAddr::V4(address) => nearness_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => nearness_v4(address),
            None if address.is_loopback() || address.is_unspecified() => Nearness::Loopback,
            None if address.is_unicast_link_local() => Nearness::LinkLocal,
            None if address.is_unique_local() => Nearness::Private,
            None => Nearness::Public,
        },
    }
}

fn nearness_v4(address: Ipv4Addr) -> Nearness {
    let [first, second, ..] = address.octets();
    if address.is_loopback() || first == 0 {
        Nearness::Loopback
    } else if address.is_link_local() {
        Nearness::LinkLocal
    // 100.64.0.0/10 (RFC 6598) is where some clouds and overlay networks have their services.
    } else if address.is_private() || (first == 100 && (64..128).contains(&second)) {
        Nearness::Private
    } else {
        Nearness::Public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(origin: (&str, &str), to: (&str, &str)) -> Result<(), String> {
        let guard = Guard::new(origin.0, None);
        let at = |address: &str| [SocketAddr::new(address.parse().unwrap(), 1)];
        guard.judge(&format!("https://{}/", origin.0).parse().unwrap(), &at(origin.1)).unwrap();
        guard.judge(&to.0.parse().unwrap(), &at(to.1))
    }

    #[test]
    fn nothing_leads_to_a_nearer_network() {
        let (public, private) = (("registry.example", "203.0.113.1"), ("registry.internal:5000", "10.0.0.1"));
        for near in [
            "10.0.0.2",
            "192.168.1.1",
            "172.16.0.1",
            "100.100.0.1",
            "169.254.169.254",
            "127.0.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(judged(public, ("https://elsewhere.example/", near)).is_err(), "{near}");
        }
        assert_eq!(judged(public, ("https://elsewhere.example/", "203.0.113.2")), Ok(()));
        assert_eq!(judged(public, ("https://elsewhere.example/", "2001:db8::1")), Ok(()));
        assert_eq!(judged(private, ("https://elsewhere.internal/", "10.0.0.2")), Ok(()));
        assert_eq!(judged(private, ("https://elsewhere.example/", "203.0.113.2")), Ok(()));
        assert!(judged(private, ("https://elsewhere.internal/", "169.254.169.254")).is_err());
        assert!(judged(private, ("https://elsewhere.internal/", "127.0.0.1")).is_err());
    }

    #[test]
    fn one_near_address_among_others_is_enough() {
        let guard = Guard::new("registry.example", None);
        let addresses = ["203.0.113.1:443", "10.0.0.1:443"].map(|address| address.parse().unwrap());
        assert!(guard.judge(&"https://elsewhere.example/".parse().unwrap(), &addresses).is_err());
    }

    #[test]
    fn without_tls_only_this_machine_is_asked_whatever_its_name_leads_to() {
        let guard = Guard::new("localhost:5000", None);
        let uri: Uri = "http://localhost:5000/v2/".parse().unwrap();
        assert_eq!(guard.judge(&uri, &["127.0.0.1:5000".parse().unwrap()]), Ok(()));
        assert!(guard.judge(&uri, &["203.0.113.1:5000".parse().unwrap()]).is_err());
    }

    #[test]
    fn the_proxy_of_the_user_may_be_near() {
        let proxy: Uri = "http://proxy.internal:3128".parse().unwrap();
        let guard = Guard::new("registry.example", Some(proxy.clone()));
        assert_eq!(guard.judge(&proxy, &["10.0.0.1:3128".parse().unwrap()]), Ok(()));
    }
}
