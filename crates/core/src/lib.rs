//! What `lastout` and `kubectl-lastout` must agree on, and what decides. Pure: no clock, no file, no
//! network, no environment, no dependency. Everything comes in as an argument and goes out as a value.
//!
//! ```text
//! text, json, duration, signal, outcome   leaf types
//!   └ presets → spec                what a sidecar is
//!        │       ├ gate, stop       one sidecar: when to probe it, how to stop it
//!        │       └ settings         what the user said, by our options or by another program's
//!        │            ├ argv        what a command line means, which errors and where
//!        │            ├ group       what members of a group put on record, and who is out
//!        │            ├ machine     the whole run: phases, events, actions
//!        │            └ tell        what is said of a sidecar, and how loud
//!        └ injectors                what a manifest says of sidecars that are not in it yet; not for the wrapper
//! ```

#![no_std]
// All enums here are ours: a new event or phase must force a decision everywhere.
#![warn(clippy::wildcard_enum_match_arm)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod argv;
pub mod duration;
pub mod gate;
pub mod group;
pub mod injectors;
pub mod json;
pub mod machine;
pub mod outcome;
pub mod presets;
pub mod settings;
pub mod signal;
pub mod spec;
pub mod stop;
pub mod tell;
pub mod text;
