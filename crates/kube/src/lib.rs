//! `kubectl lastout`: puts lastout into manifests and clusters.
//!
//! ```text
//! files ─► yaml ─► values ─► pod ─► decide ─► changes ─► yaml::edit ─► text
//!                                               └──────► patch      ─► JSON patch
//! ```
//! `pod`, `decide`, `change` and `patch` are pure; `registry` finds out what images run, if that is asked for; `manifest` puts
//! them together for a file, and `check` looks for what would hang. `verbs` has a file for each verb: `cli` lists them, `args`
//! has the options that they share, `output` what users see, `exit` how they end. `cluster` talks to an API server.

mod args;
pub mod cel;
pub mod change;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod decide;
pub mod exit;
pub mod files;
mod invocation;
pub mod manifest;
mod output;
pub mod patch;
pub mod pod;
pub mod registry;
pub mod verbs;
pub mod yaml;
