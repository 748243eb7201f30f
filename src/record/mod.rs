//! What has happened in this run, and the report of it.

pub mod report;
pub mod status;
