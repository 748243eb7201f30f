//! `lastout presets`: the table of known sidecars.

/// placeholder
pub fn table() -> String {
    String::new()
}
/// placeholder
pub fn json() -> String {
    String::new()
}
