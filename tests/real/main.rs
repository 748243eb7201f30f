//! Real sidecars, where they are installed.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod cloud_sql_proxy;
mod envoy;
mod envoy_admin;
mod google_proxies;
mod group_of_envoy;
mod istio;
mod prometheus;
