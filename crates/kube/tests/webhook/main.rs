//! `kubectl lastout webhook`, as an API server meets it, and as others may.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

mod answers;
mod drain;
mod hostile;
mod http;
mod late;
mod log;
mod pods;
mod server;
