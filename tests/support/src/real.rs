//! More real sidecars: Envoy's admin in other shapes, Cloud SQL and AlloyDB proxy, Prometheus, Pushgateway, and
//! Istio's pilot-agent with its Envoy. `None` (and a line) when one is not installed.

use super::{
    Launch, Port, Sidecar, TempDir, facts, http,
    sidecar::{Plan, envoy_config, installed},
    skip, thorough, until,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// False, with a line, unless `LASTOUT_TEST_ALL=1` asks for the sidecars that are slow to build.
pub fn all_wanted() -> bool {
    let wanted = thorough();
    if !wanted {
        skip("LASTOUT_TEST_ALL=1 runs this with a sidecar that is slow to build");
    }
    wanted
}

impl Plan {
    /// A path in its folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.at(name)
    }

    /// A proxy of Google's on 9090 and 9091, for a network of its own.
    pub fn on_default_ports(self) -> Self {
        let mut plan = self.args(["--http-port=9090", "--admin-port=9091"]);
        (plan.ready_port, plan.port) = (9090, 9091);
        plan
    }
}

/// Envoy whose admin block is this (`ADDRESS` and `PORT` are put in) and nothing else.
pub fn envoy_admin(block: &str) -> Option<Plan> {
    let port = Port::free();
    let plan = Plan::new("envoy", (port, "/ready"), (port, "/quitquitquit"))?;
    let socket = plan.at("admin.sock");
    let block = block.replace("PORT", &port.to_string()).replace("SOCKET", socket.to_str().unwrap());
    Some(plan.configured(&format!("admin: {block}\n")))
}

/// Envoy that stays INITIALIZING: nobody is there to tell it its listeners.
pub fn envoy_waiting() -> Option<Plan> {
    let (port, nobody) = (Port::free(), Port::free());
    let plan = Plan::new("envoy", (port, "/ready"), (port, "/quitquitquit"))?;
    let at = |port: u16| format!("{{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}");
    Some(plan.configured(&format!(
        r#"admin: {{ address: {} }}
node: {{ id: test, cluster: test }}
dynamic_resources:
  lds_config:
    resource_api_version: V3
    initial_fetch_timeout: 0s
    api_config_source:
      api_type: GRPC
      transport_api_version: V3
      grpc_services: [ {{ envoy_grpc: {{ cluster_name: control }} }} ]
static_resources:
  clusters:
  - name: control
    type: STATIC
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{ http2_protocol_options: {{}} }}
    load_assignment:
      cluster_name: control
      endpoints: [ {{ lb_endpoints: [ {{ endpoint: {{ address: {} }} }} ] }} ]
"#,
        at(port),
        at(nobody)
    )))
}

/// Envoy whose listener on the second port forwards everything to the upstream.
pub fn envoy_forwarding(upstream: u16) -> Option<(Plan, u16)> {
    let (admin, data) = (Port::free(), Port::free());
    let plan = Plan::new("envoy", (admin, "/ready"), (admin, "/quitquitquit"))?;
    let answer = r#"direct_response: { status: 200, body: { inline_string: "42 rows" } }"#;
    let config = envoy_config(admin, data);
    assert!(config.contains(answer), "{config}");
    let config = config.replace(answer, "route: { cluster: upstream, timeout: 0s }");
    let cluster = format!(
        "  clusters:\n  - name: upstream\n    type: STATIC\n    load_assignment:\n      cluster_name: upstream\n      \
         endpoints: [ {{ lb_endpoints: [ {{ endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, \
         port_value: {upstream} }} }} }} }} ] }} ]\n"
    );
    Some((plan.configured(&(config + &cluster)), data))
}

/// Cloud SQL or AlloyDB proxy with these flags; the port that clients connect to. With a false token and no look-up
/// it needs no Google to start.
pub fn google_proxy(name: &str, flags: &[&str]) -> Option<(Plan, u16)> {
    let (health, admin, data) = (Port::free(), Port::free(), Port::free());
    let plan = Plan::new(name, (health, "/startup"), (admin, "/quitquitquit"))?;
    let instance = match name {
        "alloydb-auth-proxy" => "projects/p/locations/r/clusters/c/instances/i",
        _ => "project:region:instance",
    };
    let plan = plan.args(["--token=false", "--lazy-refresh"]).args(flags).args([
        format!("--port={data}"),
        format!("--http-port={health}"),
        format!("--admin-port={admin}"),
        instance.to_owned(),
    ]);
    Some((plan, data))
}

/// Prometheus with these flags; `port` is where it listens.
pub fn prometheus(port: u16, flags: &[&str]) -> Option<Plan> {
    let plan = Plan::new("prometheus", (port, "/-/ready"), (port, "/-/quit"))?;
    let config = plan.dir.file("prometheus.yml", "scrape_configs: []\n", 0o644);
    let storage = plan.at("data");
    Some(plan.args(flags).args([
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", storage.display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ]))
}

/// Pushgateway with these flags; `port` is where it listens.
pub fn pushgateway(port: u16, flags: &[&str]) -> Option<Plan> {
    let plan = Plan::new("pushgateway", (port, "/-/ready"), (port, "/-/quit"))?;
    Some(plan.args(flags).args([format!("--web.listen-address=127.0.0.1:{port}")]))
}

/// Istio's Envoy as the image of the cluster's tests has it: 15021, which the kubelet probes, forwards to the agent.
const BOOTSTRAP: &str = include_str!("../../../images/istio-proxy/conf/bootstrap.yaml");
const CLUSTERS: &str = include_str!("../../../images/istio-proxy/conf/cds.yaml");
const LISTENERS: &str = include_str!("../../../images/istio-proxy/conf/lds.yaml");

/// Envoy refuses this one, and the agent stays at 503.
const REJECTED: &str = r#"version_info: "0"
resources:
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: broken
  address: { socket_address: { address: not-an-address, port_value: 15021 } }
  filter_chains: [ { } ]
"#;

/// pilot-agent and its Envoy on Istio's own ports, for a network of their own, as init of a namespace, so that both
/// go together. `held`: at 503 until `release`.
pub fn istio(held: bool, status_port: u16) -> Option<Plan> {
    let (agent, envoy) = (installed("pilot-agent")?, installed("envoy")?);
    let mut plan = Plan {
        command: Command::new("unshare"),
        ready_port: 15020,
        port: 15020,
        ready_path: "/healthz/ready",
        quit_path: "/quitquitquit",
        dir: TempDir::new(),
    };
    let dir = &plan.dir;
    // Without a timeout it waits for its listeners for ever, as with istiod.
    let bootstrap = BOOTSTRAP.replace("/conf/", "./").replace("V3,", "V3, initial_fetch_timeout: 0s,");
    dir.file("bootstrap.yaml", bootstrap, 0o644);
    dir.file("cds.yaml", CLUSTERS, 0o644);
    dir.file("lds.yaml", if held { REJECTED } else { LISTENERS }, 0o644);
    fs::create_dir_all(dir.at("etc/istio/proxy")).unwrap();
    let config = format!(
        r#"{{"binaryPath":"{}","customConfigFile":"./bootstrap.yaml","configPath":"./etc/istio/proxy","controlPlaneAuthPolicy":"NONE","discoveryAddress":"127.0.0.1:15012","proxyAdminPort":15000,"statusPort":{status_port},"concurrency":1}}"#,
        envoy.display()
    );
    let user = if facts::is_root() { &[][..] } else { &["--map-root-user"] };
    plan.command
        .args(user)
        .args(["--pid", "--fork", "--kill-child", "--"])
        .arg(agent)
        .args(["proxy", "sidecar"]);
    plan.command.env_clear().env("PROXY_CONFIG", config).envs([
        ("POD_NAME", "test"),
        ("POD_NAMESPACE", "default"),
        ("INSTANCE_IP", "127.0.0.1"),
        ("CLOUD_PLATFORM", "none"),
        ("FILE_MOUNTED_CERTS", "true"),
        ("PATH", "/usr/bin:/bin"),
    ]);
    Some(plan)
}

impl Sidecar {
    /// Gives Istio's Envoy the listeners that it was held back with.
    pub fn release(&self) {
        let new = self.dir.file("new.yaml", LISTENERS, 0o644);
        fs::rename(new, self.dir.at("lds.yaml")).unwrap();
    }

    /// Sends a signal to the sidecar itself.
    pub fn signal(&self, signal: i32) {
        assert!(facts::kill(self.pid, signal));
    }

    /// Sends a signal to the one child of what was started: pilot-agent in its namespace.
    pub fn signal_child(&self, signal: i32) {
        let child = until(Duration::from_secs(5), || facts::children(self.pid).first().copied());
        assert!(facts::kill(child.unwrap(), signal));
    }

    /// Waits until this port answers this with 200; when it did.
    pub fn answers(&self, port: u16, path: &str) -> Instant {
        let asked = || (http::status(port, "GET", path)? == 200).then(Instant::now);
        until(Duration::from_secs(20), asked).unwrap_or_else(|| panic!("{port}{path} never answers 200"))
    }

    /// A path in its folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.at(name)
    }
}

/// Starts it after the wrapper: main waits for it by this spec, and then it is stopped.
#[track_caller]
pub fn waited_for_and_stopped(spec: &str, plan: Plan) {
    let run = Launch::pid1().sidecar(spec).sh("echo up; exit 3").start();
    let sidecar = plan.start();
    run.says("up");
    run.wait().silent(3);
    assert_eq!(sidecar.gone().0.code(), Some(0), "{spec}");
}

/// Waits until something listens on a unix socket.
pub fn listens(socket: &Path) {
    super::eventually("it listens on its socket", || http::ask_unix(socket, "GET", "/ready").is_some());
}
