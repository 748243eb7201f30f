//! What talks to an API server.
//!
//! ```text
//! options ─► connect ─► api ─► doctor ─► hang (pure: one pod → what is wrong with it)
//!                           └► rescue ─┘
//!             └► helper: its own pod, by a watch
//! ```

pub(crate) mod api;
pub mod connect;
pub mod doctor;
pub mod error;
pub(crate) mod hang;
pub mod helper;
pub mod options;
pub(crate) mod patience;
pub mod rescue;
pub(crate) mod watch;
