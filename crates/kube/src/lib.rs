//! `kubectl lastout`: puts lastout into manifests and clusters.
//!
//! ```text
//! files ─► yaml ─► values ─► pod ─► decide ─► changes ─► yaml::edit ─► text
//!                                               └──────► patch      ─► JSON patch
//! ```
//! `pod`, `decide`, `change` and `patch` are pure; `registry` finds out what images run, if that is asked for; `manifest` puts
//! them together for a file, `check` looks for what would hang, `verbs` is for a command line,
//! and `output` for what users see.

pub mod change;
pub mod check;
pub mod cli;
pub mod completion;
pub mod decide;
pub mod files;
mod invocation;
pub mod manifest;
mod output;
pub mod patch;
pub mod pod;
pub mod registry;
pub mod verbs;
pub mod yaml;
