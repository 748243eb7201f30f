//! What talks to an API server.
//!
//! ```text
//! options ─► connect ─► the verbs of clusters
//! ```

pub mod connect;
pub mod error;
pub mod helper;
pub mod options;
