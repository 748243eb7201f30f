//! The verbs: a file each, with its command line and what it does. What they share about files is in `rewrite`, about
//! decisions in `decisions`.

pub mod check;
pub mod completion;
mod decisions;
mod diff;
pub mod doctor;
pub mod explain;
pub mod helper;
pub mod inject;
pub mod manifests;
pub mod policy;
pub mod presets;
pub mod rescue;
mod rewrite;
pub mod uninject;
pub mod version;
pub mod webhook;
