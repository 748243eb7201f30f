//! `kubectl lastout`: puts lastout into manifests and clusters.

pub mod change;
pub mod yaml;
