//! The admission webhook.

pub mod certificates;
