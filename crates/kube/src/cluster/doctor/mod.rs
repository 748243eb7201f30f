//! Looks through a namespace or the whole cluster for pods of Jobs that hang, or will.
//!
//! ```text
//! pages of pods ─► hang::judge ─► rows ─► the Job, lastout's log (only of those that hang) ─► table, json
//! ```

pub(crate) mod json;
mod more;
pub mod rbac;
mod row;
mod scan;
pub(crate) mod table;

pub(crate) use more::more;
pub(crate) use row::Row;
pub(crate) use scan::{Scan, Scope, scan};

/// Requests at once.
const AT_ONCE: usize = 8;

/// Every reason that a report may name, and its words.
#[must_use]
pub fn reasons() -> Vec<(&'static str, &'static str)> {
    let left = super::hang::reason::left_alone().map(super::hang::Why::LeftAlone);
    super::hang::Why::OWN.iter().copied().chain(left).map(|why| (why.slug(), why.words())).collect()
}
