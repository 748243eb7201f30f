//! The verbs that need no settings.

pub mod install;
pub mod sleep;
