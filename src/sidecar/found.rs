//! Which of a sidecar's candidate addresses it was found at: there it is looked for from then on. What another
//! candidate does (it drops packets, or a stranger listens there) says nothing of this sidecar.

use lastout_core::spec::Address;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// The candidates that have accepted a connection: of the ready request, and of the quit request.
#[derive(Debug, Default)]
pub struct Found(Mutex<Vec<SocketAddr>>);

/// Where to connect: the candidates in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// Each, and whether its silence counts.
    pub list: Vec<(SocketAddr, bool)>,
}

impl Found {
    /// This candidate has accepted.
    pub fn note(&self, at: SocketAddr) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !found.contains(&at) {
            found.push(at);
        }
    }

    /// Where to ask: where it was found; else at all, its own host first, and the silence of another host is no
    /// sign of life.
    pub fn to_ask(&self, all: &[SocketAddr]) -> Candidates {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|at| found.contains(at)) {
            let list = all.iter().filter(|at| found.contains(at)).map(|at| (*at, true)).collect();
            return Candidates { list };
        }
        let own = |at: &SocketAddr| found.is_empty() || found.iter().any(|known| known.ip() == at.ip());
        let mut list: Vec<_> = all.iter().map(|at| (*at, own(at))).collect();
        list.sort_by_key(|(_, own)| !own);
        Candidates { list }
    }

    /// It was found, and never at this address.
    pub fn is_elsewhere(&self, address: &Address) -> bool {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(address, Address::Tcp(all) if !found.is_empty() && !all.iter().any(|at| found.contains(at)))
    }

    /// Where to look whether it is gone: where it was found; else at the hosts where anything of it was found.
    pub fn to_look(&self, all: &[SocketAddr]) -> Candidates {
        let mut candidates = self.to_ask(all);
        if candidates.list.iter().any(|(_, own)| *own) {
            candidates.list.retain(|(_, own)| *own);
        }
        candidates
    }
}

/// The candidates of this address, chosen by `choose`; a unix socket has none.
pub fn candidates(address: &Address, choose: impl Fn(&[SocketAddr]) -> Candidates) -> Candidates {
    match address {
        Address::Tcp(all) => choose(all),
        Address::Unix(_) => Candidates { list: Vec::new() },
    }
}
