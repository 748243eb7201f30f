//! The reader and the editor of manifests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod edit;
mod edit_inverse;
mod reader_bad;
mod reader_golden;
mod render;
mod support;
