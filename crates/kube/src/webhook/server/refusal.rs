//! What a request comes to that is not answered as a review.

use hyper::StatusCode;
use std::fmt;

/// Why; each has a status code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is no review, or ended before its end.
    Unread,
    /// Reviews go to another path.
    Path,
    /// Reviews are posted.
    Method,
    /// The body did not come in time.
    Slow,
    /// The body is too long.
    Long,
    /// A fault of ours.
    Fault,
    /// There was no memory in time.
    Memory,
    /// The time that the API server waits is over.
    Late,
}

impl Refusal {
    /// All of them, in the order of their status codes.
    pub const ALL: [Self; 8] = [
        Self::Unread,
        Self::Path,
        Self::Method,
        Self::Slow,
        Self::Long,
        Self::Fault,
        Self::Memory,
        Self::Late,
    ];

    /// What HTTP calls it.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Unread => StatusCode::BAD_REQUEST,
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Long => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Memory => StatusCode::SERVICE_UNAVAILABLE,
            Self::Late => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unread => "the body ended before its end",
            Self::Path => "reviews go to another path",
            Self::Method => "reviews are posted",
            Self::Slow => "the body did not come in time",
            Self::Long => "the body is larger than 3 MiB",
            // Without the uid nothing can be allowed: what the configuration's `failurePolicy` says holds.
            Self::Fault => "a fault of kubectl-lastout; see the log",
            Self::Memory => "too many bodies at once: there was no memory for this one in time",
            Self::Late => "the time that the request names is over",
        })
    }
}

/// A refusal, and what is said of it.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The same in words.
    pub about: String,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, about: refusal.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_by_a_status_of_its_own() {
        for (place, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, place);
        }
        assert!(Refusal::ALL.is_sorted_by(|one, next| one.status() < next.status()));
    }
}
