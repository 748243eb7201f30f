//! What decisions come to.

use super::seen::Authority;
use std::time::Duration;

/// What is to be done. What is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Write the Secret.
    pub secret: Option<SecretWrite>,
    /// Put these into each `caBundle`, and nothing else.
    pub bundle: Option<Vec<Authority>>,
    /// Sign a leaf, serve it, and say so by [`Rotation::signed`].
    pub sign: Option<Leaf>,
    /// Ask again when something was seen, or after this time at the latest.
    pub wait: Duration,
}

/// How the Secret is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretWrite {
    /// There is none: one with a new authority.
    Create,
    /// The same one with these authorities, and with a new one beside them.
    Update {
        /// Those that stay.
        keep: Vec<Authority>,
        /// Whether one is made.
        add: bool,
    },
}

/// A leaf certificate to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// By whom.
    pub by: Authority,
    /// When.
    pub from: Duration,
    /// Its end: never later than that of whom it is signed by.
    pub until: Duration,
}
