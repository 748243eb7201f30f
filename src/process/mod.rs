//! The command as a process: its start, its terminal, its descendants, and our own end.

pub mod diagnose;
pub mod env_file;
pub mod exit;
pub mod procfs;
pub mod spawn;
pub mod terminal;
