//! Known sidecars: rows of data, each with its source. Ports collide (9090, 9091, 9901, 8200), so a row is
//! chosen by its name, never by an open port.
//!
//! What only a manifest shows, the images, is a table of its own ([`IMAGES`]): the wrapper never reads it, so it is not
//! linked into it.

mod images;
mod needs;
mod settings;
mod show;

pub use images::{IMAGES, find_by_image};
pub use needs::{Asked, Need, Switch};
pub use settings::{PORTS, PortSetting, QUITS_FROM};
pub use show::{json, table};

use needs::{both, quit, ready};

/// A known sidecar.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name that a spec uses.
    pub name: &'static str,
    /// Names that its container usually has.
    pub containers: &'static [&'static str],
    /// When it is ready.
    pub ready: ReadyRow,
    /// How it is asked to end, if it can be.
    pub quit: Option<&'static QuitRow>,
    /// What must be switched on in the sidecar, or what to do instead where there is no quit.
    pub enable: &'static str,
    /// The same for programs: what must be so in the pod's manifest before the sidecar can be asked. Those for the same
    /// request are alternatives, one of them is enough; nothing for a request: it is answered as the sidecar comes.
    pub needs: &'static [Need],
    /// What an answer means and the way out.
    pub hints: &'static [(When, &'static str)],
    /// Low ones are stopped first.
    pub order: u32,
    /// What proves that it is gone.
    pub gone: Gone,
    /// For this sidecar it is normal that the quit port refuses while the ready port answers, or that it has no quit port.
    pub refused_is_normal: bool,
    /// A header that is sent when this variable is set in our environment: (header, variable).
    pub header_from_env: Option<&'static (&'static str, &'static str)>,
    /// The port comes from this variable when it is set.
    pub port_from_env: Option<&'static str>,
    /// A secret agent: the files of `--env-file` are waited for with it.
    pub writes_files: bool,
    /// Where these facts were read or measured.
    pub source: &'static str,
}

/// What proves that a sidecar is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Its ports refuse.
    Refused,
    /// An accepted request is all that is looked for: its ports prove nothing about its end, or that comes late by design.
    /// How its end is waited for all the same, in words that begin with the key.
    Accepted(&'static str),
}

/// The answer that a hint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The quit request was answered with this status.
    Status(u16),
    /// The quit port refuses while the ready port accepts.
    NotSwitchedOn,
    /// Never ready in time.
    NotReady,
    /// Asked, but still there at the deadline.
    StillThere,
    /// Asked, and it said yes, which is all that its row waits for.
    Accepted,
}

/// When a known sidecar is ready. Ports are tried in this order until one accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyRow {
    /// `GET` of this path is answered with a status of these ranges.
    Http {
        /// Candidates.
        ports: &'static [u16],
        /// The path to ask.
        path: &'static str,
        /// Inclusive ranges.
        ok: &'static [(u16, u16)],
    },
    /// A connection is accepted on one of these ports.
    Accepts(&'static [u16]),
    /// Nothing to look at.
    Unchecked,
}

/// The request that ends a known sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuitRow {
    /// Candidates, tried in this order until one accepts.
    pub ports: &'static [u16],
    /// `POST`; none of these may be probed with `GET`, which some take as a quit.
    pub method: &'static str,
    /// The path to ask.
    pub path: &'static str,
    /// Statuses that mean "accepted", as inclusive ranges.
    pub ok: &'static [(u16, u16)],
}

impl ReadyRow {
    /// Its candidate ports.
    #[must_use]
    pub fn ports(&self) -> &'static [u16] {
        match self {
            Self::Http { ports, .. } | Self::Accepts(ports) => ports,
            Self::Unchecked => &[],
        }
    }
}

/// The row of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The row whose container usually has this name.
#[must_use]
pub fn find_by_container(container: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.containers.contains(&container))
}

/// The order of a sidecar that no row says anything about: with the data and log flushers, before all that it
/// may talk through.
pub const DEFAULT_ORDER: u32 = 10;

const OK: &[(u16, u16)] = &[(200, 200)];

const fn get(ports: &'static [u16], path: &'static str) -> ReadyRow {
    ReadyRow::Http { ports, path, ok: OK }
}

const fn post(ports: &'static [u16], path: &'static str) -> QuitRow {
    QuitRow { ports, method: "POST", path, ok: OK }
}

/// What most rows have in common.
const PLAIN: Preset = Preset {
    name: "",
    containers: &[],
    ready: ReadyRow::Unchecked,
    quit: None,
    enable: "",
    needs: &[],
    hints: &[],
    order: DEFAULT_ORDER,
    gone: Gone::Refused,
    refused_is_normal: false,
    header_from_env: None,
    port_from_env: None,
    writes_files: false,
    source: "",
};

const NO_ENDPOINT: &str = "it has no quit endpoint: run it as a native sidecar, or under `lastout guard`, or share the process namespace and add process=NAME";

const PGBOUNCER: &str = "it has no quit endpoint: run it as a native sidecar, or under `lastout guard`, or share the process namespace and add process=pgbouncer,signal=QUIT (from 1.23 TERM waits for every client)";

/// Prometheus' management API, and Pushgateway's main.go: `/-/ready` is always there.
const LIFECYCLE: &[Need] = &[quit(Switch::Flag("--web.enable-lifecycle"))];

/// For the agents that were made of Vault's.
const AGENT_API: &str = "agent_api { enable_quit = true } in a TCP listener";

/// All of them, as `lastout presets` prints them.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "istio",
        containers: &["istio-proxy"],
        ready: get(&[15020], "/healthz/ready"),
        quit: Some(&post(&[15020], "/quitquitquit")),
        enable: "nothing, unless the annotation status.sidecar.istio.io/port is \"0\"",
        // Port 0 switches the agent's listener off (istio#18505).
        needs: &[both(Switch::NotAnnotation { key: "status.sidecar.istio.io/port", value: "0" })],
        hints: &[
            (
                When::Status(403),
                "pilot-agent answers loopback only: do not go through a proxy or a pod address",
            ),
            (
                When::Status(404),
                "this is not pilot-agent's status port (15020); for an Envoy admin port use the preset envoy",
            ),
            (
                When::NotReady,
                "is the pod injected, and is status.sidecar.istio.io/port not \"0\"? in ambient mode a pod has no sidecar",
            ),
            (
                When::StillThere,
                "istio before 1.26 drains for terminationDrainDuration (5 s) first: raise --stop-timeout",
            ),
        ],
        order: 90,
        // With 15020 the process goes; its exit code proves nothing (an Envoy crash is 0 too).
        source: "istio pilot/cmd/pilot-agent/status/server.go",
        ..PLAIN
    },
    Preset {
        name: "envoy",
        containers: &["envoy", "aws-appmesh"],
        ready: get(&[9901], "/ready"),
        quit: Some(&post(&[9901], "/quitquitquit")),
        enable: "an admin block in the bootstrap; its allow_paths, if any, must contain /quitquitquit and /ready",
        // There is no default: without the block nothing listens (envoyproxy.io, "Administration interface").
        needs: &[both(Switch::Config("an admin block in the bootstrap"))],
        hints: &[
            (
                When::Status(403),
                "the admin block's allow_paths excludes /quitquitquit: add {exact: /quitquitquit}",
            ),
            (
                When::Status(404),
                "this is not an Envoy admin port: set port= to the one of the bootstrap's admin block",
            ),
            (
                When::NotSwitchedOn,
                "nothing listens on the admin port: set port= to the one of the bootstrap's admin block",
            ),
            (
                When::NotReady,
                "does port= match the bootstrap's admin block (9901 is only a convention)? 503 INITIALIZING: it waits for its control plane",
            ),
        ],
        order: 90,
        source: "envoy source/server/admin/admin.cc",
        ..PLAIN
    },
    Preset {
        name: "linkerd",
        containers: &["linkerd-proxy"],
        ready: get(&[4191], "/ready"),
        quit: Some(&post(&[4191], "/shutdown")),
        enable: "the pod annotation config.linkerd.io/proxy-admin-shutdown: enabled, or Helm proxy.enableShutdownEndpoint=true",
        // Off by default from edge-24.6.2 (linkerd2#12705); the injector turns the annotation into the variable.
        needs: &[
            quit(Switch::Annotation { key: "config.linkerd.io/proxy-admin-shutdown", value: "enabled" }),
            quit(Switch::Env { name: "LINKERD2_PROXY_SHUTDOWN_ENDPOINT_ENABLED", value: "true" }),
            quit(Switch::Config("Helm proxy.enableShutdownEndpoint=true")),
        ],
        hints: &[
            (
                When::Status(403),
                "linkerd-proxy answers loopback only: do not go through a proxy or a pod address",
            ),
            (
                When::Status(404),
                "set the annotation config.linkerd.io/proxy-admin-shutdown: enabled (or Helm proxy.enableShutdownEndpoint=true)",
            ),
            (
                When::NotReady,
                "is the pod injected (linkerd.io/inject)? another admin port (config.linkerd.io/admin-port) is given as port=",
            ),
            (
                When::StillThere,
                "it drains open connections for up to 120 s: set the annotation config.linkerd.io/shutdown-grace-period",
            ),
            (
                When::Accepted,
                "it may run on for up to its grace period (120 s, the annotation config.linkerd.io/shutdown-grace-period or LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD), and runs for all of it while it has no identity",
            ),
        ],
        order: 90,
        // 4191 refuses as soon as draining begins, up to 120 s before the process ends: it proves nothing more
        // than the answer does. Without an identity, where the wait was given up, it never drains: it ends when the grace
        // period does, with 0 (measured).
        gone: Gone::Accepted(
            "gone=process:linkerd2-proxy waits for it, in a shared process namespace; gone=refused only until its ports refuse, which they do as soon as it drains",
        ),
        source: "linkerd2-proxy linkerd/app/admin/src/server.rs",
        ..PLAIN
    },
    Preset {
        name: "cloud-sql-proxy",
        containers: &["cloud-sql-proxy", "cloudsql-proxy"],
        ready: get(&[9090], "/startup"),
        quit: Some(&post(&[9091], "/quitquitquit")),
        enable: "--quitquitquit (2.1.0 or later) and, for the wait, --health-check",
        // cmd/root.go: the quit from 2.1.0; without the flags nobody listens, on 9091 and on 9090.
        needs: &[
            quit(Switch::Flag("--quitquitquit")),
            quit(Switch::Env { name: "CSQL_PROXY_QUITQUITQUIT", value: "true" }),
            ready(Switch::Flag("--health-check")),
            ready(Switch::Env { name: "CSQL_PROXY_HEALTH_CHECK", value: "true" }),
        ],
        hints: &[
            (When::Status(400), "cloud-sql-proxy quits on POST only: remove method="),
            (
                When::Status(404),
                "the admin port is open, but --quitquitquit is missing (or 9091 is a pushgateway)",
            ),
            (
                When::NotSwitchedOn,
                "start it with --quitquitquit or CSQL_PROXY_QUITQUITQUIT=true (2.1.0 or later; v1 has no quit endpoint)",
            ),
            (
                When::NotReady,
                "is it started, and with --health-check (CSQL_PROXY_HEALTH_CHECK=true)? v1 answers on 8090: ready-port=8090",
            ),
            (
                When::StillThere,
                "it waits for --min-sigterm-delay and --max-sigterm-delay: lower them or raise --stop-timeout",
            ),
        ],
        source: "cloud-sql-proxy cmd/root.go",
        ..PLAIN
    },
    Preset {
        name: "alloydb-auth-proxy",
        containers: &["alloydb-auth-proxy"],
        ready: get(&[9090], "/startup"),
        quit: Some(&post(&[9091], "/quitquitquit")),
        enable: "--quitquitquit (1.2.0 or later) and, for the wait, --health-check",
        // cmd/root.go, as above; the quit from 1.2.0.
        needs: &[
            quit(Switch::Flag("--quitquitquit")),
            quit(Switch::Env { name: "ALLOYDB_PROXY_QUITQUITQUIT", value: "true" }),
            ready(Switch::Flag("--health-check")),
            ready(Switch::Env { name: "ALLOYDB_PROXY_HEALTH_CHECK", value: "true" }),
        ],
        hints: &[
            (When::Status(400), "alloydb-auth-proxy quits on POST only: remove method="),
            (
                When::Status(404),
                "the admin port is open, but --quitquitquit is missing (or 9091 is a pushgateway)",
            ),
            (
                When::NotSwitchedOn,
                "start it with --quitquitquit or ALLOYDB_PROXY_QUITQUITQUIT=true (1.2.0 or later)",
            ),
            (When::NotReady, "is it started, and with --health-check (ALLOYDB_PROXY_HEALTH_CHECK=true)?"),
            (
                When::StillThere,
                "it waits for --min-sigterm-delay and --max-sigterm-delay: lower them or raise --stop-timeout",
            ),
        ],
        source: "alloydb-auth-proxy cmd/root.go",
        ..PLAIN
    },
    Preset {
        name: "dapr",
        containers: &["daprd"],
        // Not /v1.0/healthz: that one also waits for the app, which waits for us.
        ready: ReadyRow::Http { ports: &[3500], path: "/v1.0/healthz/outbound", ok: &[(204, 204)] },
        quit: Some(&QuitRow {
            ports: &[3500],
            method: "POST",
            path: "/v1.0/shutdown",
            ok: &[(200, 200), (204, 204)],
        }),
        enable: "nothing; an API allow-list in the Configuration must contain shutdown",
        hints: &[
            (
                When::Status(401),
                "give this container daprd's own DAPR_API_TOKEN, from the secret of dapr.io/api-token-secret, or write header=dapr-api-token=TOKEN",
            ),
            (
                When::Status(404),
                "allow shutdown (v1, POST) in the Configuration's API allow-list; 3501, the public port, has no shutdown",
            ),
            (
                When::NotReady,
                "is the pod annotated dapr.io/enabled: \"true\"? 500 ERR_OUTBOUND_HEALTH_NOT_READY: a component is still loading",
            ),
            (
                When::StillThere,
                "it waits for open streams for up to dapr.io/graceful-shutdown-seconds (5): raise --stop-timeout; daprd before 1.17.7 may ignore an accepted shutdown (dapr#9949): upgrade",
            ),
        ],
        order: 30,
        header_from_env: Some(&("dapr-api-token", "DAPR_API_TOKEN")),
        port_from_env: Some("DAPR_HTTP_PORT"),
        source: "dapr pkg/api/http, pkg/injector/patcher/sidecar_container.go",
        ..PLAIN
    },
    Preset {
        name: "consul-dataplane",
        containers: &["consul-dataplane"],
        // Not /graceful_startup: it answers 200 also when Envoy never became ready.
        ready: get(&[19000], "/ready"),
        // consul-k8s always passes -graceful-port=20600; the binary's own default is 20300.
        quit: Some(&post(&[20600, 20300], "/graceful_shutdown")),
        enable: "nothing (consul-dataplane 1.2 or later)",
        hints: &[
            (
                When::Status(404),
                "another path is set by consul.hashicorp.com/sidecar-proxy-lifecycle-graceful-shutdown-path: write quit=/PATH",
            ),
            (
                When::NotSwitchedOn,
                "another port is set by consul.hashicorp.com/sidecar-proxy-lifecycle-graceful-port: write port=",
            ),
            (
                When::NotReady,
                "is the Consul server reachable? without it nothing listens; further services of a pod are on 19001, 20601, …",
            ),
            (
                When::StillThere,
                "set the annotation consul.hashicorp.com/sidecar-proxy-lifecycle-shutdown-grace-period-seconds: \"0\" (default 30)",
            ),
            (
                When::Accepted,
                "it may run on for its whole grace period (30 s, the annotation consul.hashicorp.com/sidecar-proxy-lifecycle-shutdown-grace-period-seconds)",
            ),
        ],
        order: 90,
        // It answers at once and then sits out its grace period (30 s by Helm), whatever happens.
        gone: Gone::Accepted("gone=refused waits until its ports refuse"),
        source: "consul-dataplane pkg/consuldp/lifecycle.go, consul-k8s charts/consul/values.yaml",
        ..PLAIN
    },
    Preset {
        name: "kuma",
        containers: &["kuma-sidecar"],
        ready: get(&[9902, 9901], "/ready"),
        quit: Some(&post(&[9901], "/quitquitquit")),
        enable: "nothing in 2.x; from 3.0 the control plane stops it, and no request from the pod can",
        hints: &[
            (When::Status(404), "9901 is not the Envoy admin port: set port="),
            (
                When::NotSwitchedOn,
                "from Kuma 3.0 the admin API is a private socket and the control plane stops the sidecar: write quit=none",
            ),
            (When::NotReady, "is the pod injected (kuma.io/sidecar-injection: enabled)?"),
        ],
        order: 90,
        refused_is_normal: true,
        source: "kuma pod_status_controller.go, KUMA_BOOTSTRAP_SERVER_PARAMS_ENVOY_ADMIN_UNIX_SOCKET",
        ..PLAIN
    },
    Preset {
        name: "vault-agent",
        containers: &["vault-agent"],
        // The agent's own answer, without a token. Says that it listens: 200 also while auto-auth fails (measured), so
        // not that it has logged in, nor that a secret is there.
        ready: get(&[8200], "/agent/v1/metrics"),
        quit: Some(&post(&[8200], "/agent/v1/quit")),
        enable: "the annotation vault.hashicorp.com/agent-enable-quit: \"true\", or agent_api { enable_quit = true } in a TCP listener",
        // For both: the injector (vault-k8s from 0.16.0) makes a listener for the quit, and without one there is
        // nobody to ask.
        needs: &[
            both(Switch::Annotation { key: "vault.hashicorp.com/agent-enable-quit", value: "true" }),
            both(Switch::Config(AGENT_API)),
        ],
        hints: &[
            (
                When::Status(404),
                "set the annotation vault.hashicorp.com/agent-enable-quit: \"true\" (enable_quit in the listener's agent_api)",
            ),
            (When::Status(405), "vault-agent quits on POST only: remove method="),
            (
                When::NotSwitchedOn,
                "nothing listens on its quit port: set the annotation vault.hashicorp.com/agent-enable-quit: \"true\"; another port is given as port=",
            ),
            (
                When::NotReady,
                "it listens only with vault.hashicorp.com/agent-enable-quit or a cache listener; another port (agent-cache-listener-port) is given as port=; to wait for a secret write ready=file:/vault/secrets/NAME",
            ),
            (When::StillThere, "its Vault server may not answer, which delays its end: raise --stop-timeout"),
        ],
        order: 20,
        writes_files: true,
        source: "vault command/agent.go, vault-k8s agent-inject/agent/annotations.go",
        ..PLAIN
    },
    Preset {
        name: "openbao-agent",
        containers: &["openbao-agent"],
        ready: get(&[8200], "/agent/v1/metrics"),
        quit: Some(&post(&[8200], "/agent/v1/quit")),
        enable: "the annotation openbao.openbao.org/agent-enable-quit: \"true\", or agent_api { enable_quit = true } in a TCP listener",
        needs: &[
            both(Switch::Annotation { key: "openbao.openbao.org/agent-enable-quit", value: "true" }),
            both(Switch::Config(AGENT_API)),
        ],
        hints: &[
            (
                When::Status(404),
                "set the annotation openbao.openbao.org/agent-enable-quit: \"true\" (enable_quit in the listener's agent_api)",
            ),
            (When::Status(405), "openbao-agent quits on POST only: remove method="),
            (
                When::NotSwitchedOn,
                "nothing listens on its quit port: set the annotation openbao.openbao.org/agent-enable-quit: \"true\"; another port is given as port=",
            ),
            (
                When::NotReady,
                "it listens only with openbao.openbao.org/agent-enable-quit or a cache listener; another port is given as port=; to wait for a secret write ready=file:PATH",
            ),
            (
                When::StillThere,
                "its OpenBao server may not answer, which delays its end: raise --stop-timeout",
            ),
        ],
        order: 20,
        writes_files: true,
        source: "openbao internal/command/agent.go",
        ..PLAIN
    },
    Preset {
        name: "pushgateway",
        containers: &["pushgateway", "prometheus-pushgateway"],
        ready: get(&[9091], "/-/ready"),
        quit: Some(&post(&[9091], "/-/quit")),
        enable: "--web.enable-lifecycle",
        needs: LIFECYCLE,
        hints: &[
            (
                When::Status(401),
                "its --web.config.file asks for a password: add header=Authorization=Basic%20…",
            ),
            (When::Status(403), "start it with --web.enable-lifecycle"),
            (When::Status(404), "9091 is something else, a Cloud SQL proxy perhaps: set port="),
            (When::Status(405), "with --web.route-prefix write quit=/PREFIX/-/quit,ready=/PREFIX/-/ready"),
            (
                When::NotReady,
                "is it started, and is it on 9091? another port is given as port=; 401: add header=Authorization=Basic%20…; 404: a route prefix is given as quit=/PREFIX/-/quit,ready=/PREFIX/-/ready; one that speaks TLS cannot be asked",
            ),
        ],
        source: "pushgateway main.go",
        ..PLAIN
    },
    Preset {
        name: "prometheus",
        containers: &["prometheus", "prometheus-agent"],
        ready: get(&[9090], "/-/ready"),
        quit: Some(&post(&[9090], "/-/quit")),
        enable: "--web.enable-lifecycle",
        needs: LIFECYCLE,
        hints: &[
            (
                When::Status(401),
                "its --web.config.file asks for a password: add header=Authorization=Basic%20…",
            ),
            (When::Status(403), "start it with --web.enable-lifecycle"),
            (When::Status(404), "with --web.route-prefix write quit=/PREFIX/-/quit,ready=/PREFIX/-/ready"),
            (
                When::NotReady,
                "is it started, and is it on 9090? 401: add header=Authorization=Basic%20…; 404: a route prefix is given as quit=/PREFIX/-/quit,ready=/PREFIX/-/ready; 503: it is still reading its write-ahead log; one that speaks TLS cannot be asked",
            ),
            (When::StillThere, "it flushes remote writes for up to --storage.remote.flush-deadline (1 min)"),
        ],
        source: "prometheus web/web.go",
        ..PLAIN
    },
    Preset {
        name: "statsd-exporter",
        containers: &["statsd-exporter", "prometheus-statsd-exporter"],
        ready: get(&[9102], "/-/ready"),
        // GET of the quit path is 200 and does nothing once the endpoint is on.
        quit: Some(&post(&[9102], "/-/quit")),
        enable: "--web.enable-lifecycle",
        needs: LIFECYCLE,
        hints: &[
            (When::Status(404), "start it with --web.enable-lifecycle"),
            (When::NotReady, "is it started, and is it on 9102? another port is given as port="),
        ],
        source: "statsd_exporter main.go",
        ..PLAIN
    },
    Preset {
        name: "ghostunnel",
        containers: &["ghostunnel"],
        // 503 while what it forwards to cannot be reached.
        ready: get(&[6060], "/_status"),
        quit: Some(&post(&[6060], "/_shutdown")),
        enable: "--enable-shutdown, and --status=http://localhost:6060 (without http:// it is TLS)",
        // No default: without --status nothing listens.
        needs: &[
            ready(Switch::Config("--status=http://localhost:6060")),
            quit(Switch::Flag("--enable-shutdown")),
        ],
        hints: &[
            (When::Status(400), "its status port is TLS: start it with --status=http://localhost:6060"),
            (When::Status(404), "start it with --enable-shutdown"),
            (When::Status(405), "ghostunnel quits on POST only: remove method="),
            (
                When::NotReady,
                "is it started with --status=http://localhost:6060 (without http:// it is TLS; another port is given as port=), and can it reach its target?",
            ),
            (
                When::StillThere,
                "it waits for open connections for up to --shutdown-timeout (5 min), and then ends with 1",
            ),
            (
                When::Accepted,
                "it waits for open connections for up to --shutdown-timeout (5 min), and then ends with 1, which fails the pod: let its clients close theirs first",
            ),
        ],
        // signals.go: on the quit it closes its status port first, and then waits for the connections of its tunnel.
        gone: Gone::Accepted(
            "gone=process:ghostunnel waits for it, in a shared process namespace; gone=refused only until its ports refuse, which they do as soon as it drains",
        ),
        source: "ghostunnel main.go, signals.go",
        ..PLAIN
    },
    Preset {
        name: "otel-collector",
        containers: &["otc-container", "otel-collector"],
        ready: get(&[13133], "/"),
        enable: NO_ENDPOINT,
        // opentelemetry-collector-contrib extension/healthcheckextension/README.md: 13133 is its default.
        needs: &[ready(Switch::Config("the health_check extension"))],
        hints: &[
            (
                When::NotReady,
                "is the health_check extension configured, with its endpoint on loopback or on all addresses?",
            ),
            (When::StillThere, NO_ENDPOINT),
        ],
        source: "opentelemetry-collector otelcol/collector.go",
        ..PLAIN
    },
    Preset {
        name: "fluent-bit",
        containers: &["fluent-bit"],
        ready: get(&[2020], "/api/v1/health"),
        enable: NO_ENDPOINT,
        // fluent-bit-docs administration/monitoring.md.
        needs: &[ready(Switch::Config("HTTP_Server On and Health_Check On"))],
        hints: &[
            (When::NotReady, "set HTTP_Server On and Health_Check On in its [SERVICE]"),
            (When::StillThere, NO_ENDPOINT),
        ],
        source: "fluent-bit src/fluent-bit.c",
        ..PLAIN
    },
    Preset {
        name: "graphite-exporter",
        containers: &["graphite-exporter", "prometheus-graphite-exporter"],
        ready: get(&[9108], "/metrics"),
        enable: NO_ENDPOINT,
        hints: &[
            (When::NotReady, "is it started, and is it on 9108? another port is given as port="),
            (When::StillThere, NO_ENDPOINT),
        ],
        source: "graphite_exporter cmd/graphite_exporter/main.go",
        ..PLAIN
    },
    Preset {
        name: "vector",
        containers: &["vector"],
        // Its API is off as it comes, and has changed with its versions.
        enable: NO_ENDPOINT,
        hints: &[(When::StillThere, NO_ENDPOINT)],
        source: "vector docs, administration/management",
        ..PLAIN
    },
    Preset {
        name: "alloy",
        containers: &["alloy"],
        ready: get(&[12345], "/-/ready"),
        enable: NO_ENDPOINT,
        hints: &[
            (When::NotReady, "is it started, and is it on 12345? another port is given as port="),
            (When::StillThere, NO_ENDPOINT),
        ],
        source: "grafana.com/docs/alloy, reference/http",
        ..PLAIN
    },
    Preset {
        name: "pgbouncer",
        containers: &["pgbouncer"],
        ready: ReadyRow::Accepts(&[6432]),
        enable: PGBOUNCER,
        hints: &[(When::StillThere, PGBOUNCER)],
        source: "pgbouncer src/main.c, NEWS 1.23.0",
        ..PLAIN
    },
    Preset {
        name: "datadog-agent",
        containers: &["datadog-agent-injected", "datadog-agent"],
        ready: get(&[5555], "/ready"),
        enable: "it has no quit endpoint: set DD_AUTO_EXIT_NOPROCESS_ENABLED=true in it and shareProcessNamespace: true, or run it as a native sidecar",
        // Nothing listens on 5555 before.
        needs: &[ready(Switch::Env { name: "DD_HEALTH_PORT", value: "5555" })],
        hints: &[
            (When::NotReady, "set DD_HEALTH_PORT=5555 in it"),
            (
                When::StillThere,
                "set DD_AUTO_EXIT_NOPROCESS_ENABLED=true in it and shareProcessNamespace: true (it ends about 60 s after the last process), or run it as a native sidecar",
            ),
        ],
        source: "datadog-agent#8741, datadog-agent#31543",
        ..PLAIN
    },
    Preset {
        name: "spiffe-helper",
        containers: &["spiffe-helper"],
        ready: get(&[8081], "/ready"),
        enable: "it has no quit endpoint: run it once as an init container (daemon_mode = false), or as a native sidecar, or under `lastout guard`",
        // README.md "Health Checks Configuration"; it listens on 8081 then.
        needs: &[ready(Switch::Config("health_checks { listener_enabled = true }"))],
        hints: &[
            (
                When::NotReady,
                "set health_checks { listener_enabled = true } in its configuration, or write ready=file:CERTIFICATE",
            ),
            (
                When::StillThere,
                "run it once as an init container (daemon_mode = false), or as a native sidecar, or under `lastout guard`",
            ),
        ],
        order: 20,
        source: "spiffe-helper README.md",
        ..PLAIN
    },
    Preset {
        name: "gcsfuse",
        containers: &["gke-gcsfuse-sidecar"],
        enable: "nothing to do: the CSI driver waits for the mount and ends the sidecar itself",
        hints: &[(
            When::StillThere,
            "nothing to do: the CSI driver ends it when all other containers have ended",
        )],
        refused_is_normal: true,
        source: "gcs-fuse-csi-driver#168, gcs-fuse-csi-driver#322",
        ..PLAIN
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_complete_and_its_name_is_its_own() {
        for preset in PRESETS {
            let name = preset.name;
            assert_eq!(PRESETS.iter().filter(|other| other.name == name).count(), 1, "{name}");
            assert!(
                !preset.enable.is_empty() && !preset.source.is_empty() && !preset.containers.is_empty(),
                "{name}"
            );
            for container in preset.containers {
                assert_eq!(find_by_container(container), Some(preset), "{container}");
            }
            let hints = preset.hints;
            for (index, (when, hint)) in hints.iter().enumerate() {
                assert!(!hint.is_empty() && !hint.contains('\n') && !hint.ends_with('.'), "{name}: {hint}");
                assert!(hints[index + 1..].iter().all(|(other, _)| other != when), "{name}: {when:?}");
            }
        }
    }

    #[test]
    fn the_fuzzer_knows_every_name() {
        let dictionary = include_str!("../fuzz/spec.dict");
        for preset in PRESETS {
            let line = alloc::format!("\"{}\"", preset.name);
            assert!(dictionary.lines().any(|own| own == line), "{line}");
        }
    }

    #[test]
    fn mesh_proxies_are_stopped_last() {
        let order = |name| find(name).unwrap().order;
        assert!(order("cloud-sql-proxy") < order("vault-agent") && order("vault-agent") < order("dapr"));
        for mesh in ["istio", "envoy", "linkerd", "consul-dataplane", "kuma"] {
            assert_eq!(order(mesh), 90, "{mesh}");
        }
    }

    #[test]
    fn rows_without_a_quit_say_what_to_do_instead() {
        for preset in PRESETS.iter().filter(|preset| preset.quit.is_none()) {
            assert!(preset.hints.iter().any(|(when, _)| *when == When::StillThere), "{}", preset.name);
        }
    }
}
