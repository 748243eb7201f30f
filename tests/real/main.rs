//! Real sidecars, where they are installed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[macro_use(only_ours)]
extern crate support;

mod cloud_sql_proxy;
mod envoy;
mod envoy_admin;
mod google_proxies;
mod group_of_envoy;
mod istio;
mod known;
mod prometheus;
mod vault_agent;

support::test_program!();
