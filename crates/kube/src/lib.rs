//! `kubectl lastout`: puts lastout into manifests and clusters.
//!
//! ```text
//! files ─► yaml ─► values ─► pod ─► decide ─► changes ─► yaml::edit ─► text
//!                                               └──────► patch      ─► JSON patch
//! ```
//! Who imports whom, from the ground up; nothing imports from a line below its own:
//!
//! ```text
//! exit                        how a verb ends
//! change                      where something is in an object, and what is to become of it
//! pod, yaml, patch            what an object holds; its text; changes as a JSON patch
//! decide                      a pod, what is wished and what is known → what becomes of it, and why
//! invocation, registry        what a lastout command line in a pod says; what images run
//! manifest                    a file: its documents, the decisions on its pods, its new text
//! files, output               what is read and written; what users see
//! cel                         the same decisions as admission policies
//! check                       what would hang, where it stands, what to write instead
//! hang                        a pod as the API server has it: does it hang, since when, and why
//! cluster                     what talks to an API server
//! webhook                     what API servers talk to
//! install                     what has to be in a cluster: the webhook's bundle, the helpers' rights
//! allocator                   the program's memory, where it is not the target's own
//! args, verbs, cli            the options that verbs share; a file for each verb; the list of them
//! ```
//! `change`, `pod`, `decide`, `invocation`, `patch`, `check` and `hang` are pure: no file, clock or network.

pub mod allocator;
pub mod args;
pub mod cel;
pub mod change;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod decide;
pub mod exit;
pub mod files;
mod hang;
pub mod install;
mod invocation;
pub mod manifest;
mod output;
pub mod patch;
pub mod pod;
pub mod registry;
pub mod verbs;
pub mod webhook;
pub mod yaml;
