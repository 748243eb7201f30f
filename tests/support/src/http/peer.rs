//! A peer on loopback that says any bytes in any rhythm, the same to every connection.

use super::server::{Request, Script, Server, Shared, Step};
use crate::Port;

/// One that listens. Dropped, it refuses.
pub struct Peer(Server);

struct Same(Vec<Step>);

impl Peer {
    /// Reads the head of each request, then says this and closes.
    pub fn start(steps: Vec<Step>) -> Self {
        let server = Server::start(vec![Port::reserve()], Same(steps));
        server.shared.open();
        Self(server)
    }

    pub fn number(&self) -> u16 {
        self.0.shared.ports[0].number()
    }

    /// How many connections it has had.
    pub fn met(&self) -> usize {
        self.0.shared.connections()
    }

    /// How many whole requests.
    pub fn asked(&self) -> usize {
        self.0.shared.requests().len()
    }
}

impl Script for Same {
    type Then = ();

    fn answer(&self, _: &Request, _: &[Request]) -> (Vec<Step>, ()) {
        (self.0.clone(), ())
    }

    fn then(&self, (): (), _: &Shared) {}
}
