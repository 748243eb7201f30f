//! The verbs: a file each, with its command line and what it does. What they share about files is in `rewrite`, about
//! decisions in `decisions`.

pub mod check;
pub mod completion;
mod decisions;
pub mod doctor;
pub mod explain;
pub mod inject;
pub mod presets;
pub mod rescue;
mod rewrite;
pub mod uninject;
pub mod version;
