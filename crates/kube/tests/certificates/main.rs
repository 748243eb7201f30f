//! The webhook's certificates: what is decided, what is signed, and what comes of it before an API server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod api;
mod clock;
mod cluster;
mod files;
mod moments;
mod program;
mod replica;
mod rotation;
mod told;
mod world;
