//! What helper threads need: the way to the main loop, the way they are woken, and work that may never end.

pub mod cancellation;
pub mod channel;
pub mod offload;
