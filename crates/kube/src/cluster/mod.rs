//! What talks to an API server.
//!
//! ```text
//! kubeconfig ─► connect ─► api ─► doctor: what `hang` says of all pods of Jobs
//!                 │     │      └► rescue: ends the sidecars of one
//!               clock   └► helper: its own pod, by a watch
//! ```

pub(crate) mod api;
pub(crate) mod backoff;
pub mod clock;
pub mod connect;
pub mod doctor;
pub mod error;
pub mod helper;
mod kubeconfig;
pub mod rescue;
pub(crate) mod watch;
