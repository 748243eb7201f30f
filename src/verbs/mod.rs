//! The verbs that need no settings.

pub mod install;
pub mod presets;
pub mod sleep;
