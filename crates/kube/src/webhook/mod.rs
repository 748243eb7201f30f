//! The admission webhook.
//!
//! ```text
//! body ─► review ─► decide ─► patch ─► answer ─► body
//! ```
//! `values`, `review`, `admission` and `answer` are pure. `server` is all around them: TLS, limits, deadlines, panics, metrics,
//! the log, and the end. `certificates` says what the server shows to whom it talks.

pub mod admission;
mod answer;
pub mod certificates;
pub mod defaults;
pub mod review;
pub mod server;
mod values;
