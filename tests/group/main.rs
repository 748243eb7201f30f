//! Several mains in one pod, and guards.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod deaths;
mod folder;
mod guard;
mod guarded;
mod members;
