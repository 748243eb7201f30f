//! What users and programs read of us: lines, JSON, and what is never shown.

pub mod log;
pub mod secrets;
