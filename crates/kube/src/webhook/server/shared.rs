//! What all connections share.

use super::connections::Connections;
use super::log::{Field, Level, Log};
use super::memory::Memory;
use super::metrics::Metrics;
use super::planted::Planted;
use super::refusal::{Refusal, Refused};
use super::throttle::Throttle;
use crate::webhook::admission::Wishes;
use crate::webhook::certificates::State;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Semaphore, watch};

/// How far the server is, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It serves.
    Serving,
    /// It is to end, and not all have heard of it.
    Leaving,
    /// It takes no more reviews.
    Closing,
    /// It ends.
    Ended,
}

/// What all connections share.
pub struct Shared {
    /// What is to become of pods.
    pub wishes: Wishes,
    /// How far the certificate is.
    pub certificate: watch::Receiver<State>,
    /// Those of the reviews' port.
    pub connections: Arc<Connections>,
    /// What bodies may take.
    pub memory: Memory,
    /// A large body is decided on when it has its turn.
    pub turn: Arc<Semaphore>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The way to the log.
    pub log: Log,
    /// How far the server is.
    pub phase: watch::Sender<Phase>,
    /// What tests have asked for.
    pub planted: Planted,
    /// Which lines may be written.
    pub throttles: Throttles,
}

/// A throttle for each kind of line that anybody can cause, so that none hides another.
#[derive(Debug, Default)]
pub struct Throttles {
    handshakes: Throttle,
    displaced: Throttle,
    refusals: [Throttle; Refusal::ALL.len()],
}

impl Shared {
    /// It is to end.
    pub fn is_leaving(&self) -> bool {
        *self.phase.borrow() > Phase::Serving
    }

    /// Whoever does not trust our certificate tries again and again.
    pub fn handshake_failed(&self, why: &str, peer: IpAddr) {
        self.metrics.handshakes_failed.fetch_add(1, Ordering::Relaxed);
        self.tell(&self.throttles.handshakes, "TLS handshake failed", why, peer, None);
    }

    /// A connection has to make room.
    pub fn displaced(&self, peer: IpAddr) {
        self.metrics.displaced.fetch_add(1, Ordering::Relaxed);
        let why = "there are as many connections as may be, and this one did the least";
        self.tell(&self.throttles.displaced, "connection displaced", why, peer, None);
    }

    /// A request is not answered as a review.
    pub fn refused(&self, refused: &Refused, peer: IpAddr) {
        self.metrics.refused(refused.refusal);
        if let Some(throttle) = self.throttles.refusals.get(refused.refusal as usize) {
            let status = refused.refusal.status().as_u16();
            self.tell(throttle, "request refused", &refused.about, peer, Some(status));
        }
    }

    fn tell(&self, throttle: &Throttle, what: &str, about: &str, peer: IpAddr, status: Option<u16>) {
        let Some(withheld) = throttle.pass() else { return };
        let peer = peer.to_string();
        let [about, peer] = [("about", about.into()), ("peer", (&peer).into())];
        let withheld = ("withheld", Field::Number(withheld));
        match status {
            Some(status) => {
                let status = ("status", Field::Number(status.into()));
                self.log.line(Level::Warning, what, [status, about, peer, withheld]);
            }
            None => self.log.line(Level::Warning, what, [about, peer, withheld]),
        }
    }
}
