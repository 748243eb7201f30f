//! What the webhook does where nobody says otherwise, as its command line writes it: the options' defaults, and what the bundle's
//! objects are made by. Names are in `certificates::names`, the path is the server's.

/// Where API servers come in. Firewalls of private clusters let the control plane reach 443 and this port, the kubelet's, on nodes.
pub const LISTEN: &str = ":10250";
/// Probes and metrics.
pub const ADMIN_LISTEN: &str = ":8080";
/// Of the webhook's own certificate.
pub const CERTIFICATE_LIFETIME: &str = "24h";
/// Of its authority's certificate.
pub const AUTHORITY_LIFETIME: &str = "8760h";
/// From TERM to the end, at most.
pub const DRAIN_TIMEOUT: &str = "25s";
