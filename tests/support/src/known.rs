//! Known sidecars on the ports of their rows, for a network of their own: as their rows want them, and switched off.

use super::{
    Launch, real,
    sidecar::{Plan, Sidecar},
};
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

/// A sidecar whose request is switched off, and the words of the one line that a user is told.
pub struct Off {
    pub start: fn() -> Option<Plan>,
    pub words: &'static [&'static str],
}

/// One row, and what its real program does.
pub struct Known {
    /// The row's name.
    pub name: &'static str,
    /// It takes long to build: only `make test-all` has it.
    pub slow: bool,
    pub on: fn() -> Option<Plan>,
    pub off: Option<Off>,
    /// What it says to the quit request.
    pub accepts: u16,
    /// It may be gone before its answer is written.
    pub may_lose_its_reply: bool,
    /// What it says to the quit's path by GET, and lives; `None`: GET ends it as well.
    pub get: Option<u16>,
    /// Its exit code after the quit, as the page has it.
    pub exits: &'static str,
    /// Its exit code after TERM. `None`: what it does then is ours, as its main is (scripts/sidecars).
    pub term: Option<i32>,
}

/// As [`super::own_network`], for a sidecar that takes long to build.
pub fn slow(test: impl FnOnce() + Send) {
    if real::all_wanted() {
        super::own_network(test);
    }
}

impl Known {
    /// Each that is installed and wanted, in a network of its own.
    pub fn each(test: impl Fn(&Self) + Send + Sync) {
        for known in &ALL {
            if known.slow {
                slow(|| test(known));
            } else {
                super::own_network(|| test(known));
            }
        }
    }

    pub fn launch(&self) -> Launch {
        Launch::pid1().sidecar(self.name)
    }
}

const LIFECYCLE: &str = "--web.enable-lifecycle";

/// In the listener of Vault's agent.
pub const ENABLE_QUIT: &str = "agent_api { enable_quit = true }";

const GOOGLE: [&str; 2] = ["--health-check", "--quitquitquit"];

/// Istio's needs a second program, and has a file of tests of its own.
pub const ALL: [Known; 9] = [
    Known {
        name: "envoy",
        slow: false,
        on: || Sidecar::envoy_on(9901, 10_000),
        off: Some(Off {
            start: || {
                let mut plan = real::envoy_admin(
                    "{ address: { socket_address: { address: 127.0.0.1, port_value: 9901 } }, \
                     allow_paths: [ { exact: /ready } ] }",
                )?;
                (plan.ready_port, plan.port) = (9901, 9901);
                Some(plan)
            },
            words: &["403", "\"request to path /quitquitquit not allowed\"", "allow_paths"],
        }),
        accepts: 200,
        may_lose_its_reply: false,
        get: Some(405),
        exits: "0",
        term: Some(0),
    },
    Known {
        name: "cloud-sql-proxy",
        slow: false,
        on: || Some(real::google_proxy("cloud-sql-proxy", &GOOGLE)?.0.on_default_ports()),
        off: Some(Off {
            start: || Some(real::google_proxy("cloud-sql-proxy", &GOOGLE[..1])?.0.on_default_ports()),
            words: &["not switched on", "--quitquitquit"],
        }),
        accepts: 200,
        may_lose_its_reply: false,
        get: None,
        exits: "0",
        term: Some(143),
    },
    Known {
        name: "alloydb-auth-proxy",
        slow: true,
        on: || Some(real::google_proxy("alloydb-auth-proxy", &GOOGLE)?.0.on_default_ports()),
        off: Some(Off {
            start: || Some(real::google_proxy("alloydb-auth-proxy", &GOOGLE[..1])?.0.on_default_ports()),
            words: &["not switched on", "--quitquitquit"],
        }),
        accepts: 200,
        may_lose_its_reply: false,
        get: None,
        exits: "0",
        term: Some(143),
    },
    Known {
        name: "prometheus",
        slow: false,
        on: || real::prometheus(9090, &[LIFECYCLE]),
        off: Some(Off {
            start: || real::prometheus(9090, &[]),
            words: &["403", "\"Lifecycle API is not enabled.\"", LIFECYCLE],
        }),
        accepts: 200,
        may_lose_its_reply: false,
        get: Some(405),
        exits: "0",
        term: Some(0),
    },
    Known {
        name: "pushgateway",
        slow: false,
        on: || real::pushgateway(9091, &[LIFECYCLE]),
        off: Some(Off {
            start: || real::pushgateway(9091, &[]),
            words: &["403", "\"Lifecycle API is not enabled.\"", LIFECYCLE],
        }),
        accepts: 200,
        may_lose_its_reply: true,
        get: Some(405),
        exits: "0",
        term: Some(0),
    },
    Known {
        name: "statsd-exporter",
        slow: false,
        on: || statsd_exporter(&[LIFECYCLE]),
        off: Some(Off {
            start: || statsd_exporter(&[]),
            words: &["404", "\"404 page not found\"", LIFECYCLE],
        }),
        accepts: 200,
        may_lose_its_reply: true,
        get: Some(200),
        exits: "0",
        term: Some(0),
    },
    Known {
        name: "ghostunnel",
        slow: true,
        on: || ghostunnel("http://localhost:6060", &["--enable-shutdown"]),
        off: Some(Off {
            start: || ghostunnel("http://localhost:6060", &[]),
            words: &["404", "\"404 page not found\"", "--enable-shutdown"],
        }),
        accepts: 200,
        may_lose_its_reply: false,
        get: Some(405),
        exits: "0, or 1 at that timeout",
        term: Some(0),
    },
    Known {
        name: "dapr",
        slow: true,
        on: || dapr(&[]),
        off: Some(Off {
            start: || {
                dapr(&[])?.with_file(
                    "--config",
                    "only-metadata.yaml",
                    "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: only-metadata }\n\
                     spec: { api: { allowed: [ { name: metadata, version: v1, protocol: http } ] } }\n",
                )
            },
            words: &["404", "\"404 page not found\"", "allow-list"],
        }),
        accepts: 204,
        may_lose_its_reply: false,
        get: Some(404),
        exits: "0",
        term: Some(0),
    },
    Known {
        name: "vault-agent",
        slow: true,
        on: || vault_agent(ENABLE_QUIT, ""),
        off: Some(Off {
            start: || vault_agent("", ""),
            words: &["404", "vault.hashicorp.com/agent-enable-quit", "enable_quit"],
        }),
        accepts: 200,
        may_lose_its_reply: false,
        get: Some(405),
        exits: "0",
        term: None,
    },
];

fn statsd_exporter(flags: &[&str]) -> Option<Plan> {
    let plan = Plan::new("statsd-exporter", (9102, "/-/ready"), (9102, "/-/quit"))?;
    Some(plan.args(flags))
}

/// A tunnel to its own status port: the target that is there when it is.
pub fn ghostunnel(status: &str, flags: &[&str]) -> Option<Plan> {
    if Command::new("openssl").arg("version").output().is_err() {
        super::skip("openssl makes the certificate (Debian: apt-get install openssl)");
        return None;
    }
    let plan = Plan::new("ghostunnel", (6060, "/_status"), (6060, "/_shutdown"))?;
    let (key, certificate) = (plan.at("key.pem"), plan.at("certificate.pem"));
    let made = Command::new("openssl")
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
                .split(' '),
        )
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl makes the certificate (Debian: apt-get install openssl)");
    assert!(made.status.success(), "{made:?}");
    Some(
        plan.args([
            "server",
            "--disable-authentication",
            "--listen=127.0.0.1:8443",
            "--target=127.0.0.1:6060",
        ])
        .args([format!("--key={}", key.display()), format!("--cert={}", certificate.display())])
        .args([format!("--status={status}")])
        .args(flags),
    )
}

/// A connection through it, which stays open until this is killed.
pub fn client_of_ghostunnel() -> Child {
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", "127.0.0.1:8443"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl makes the connection (Debian: apt-get install openssl)");
    let said = BufReader::new(client.stdout.take().unwrap());
    assert!(said.lines().any(|line| line.unwrap().contains("Verify return code")), "the handshake is over");
    client
}

/// daprd without components, alone on loopback.
pub fn dapr(flags: &[&str]) -> Option<Plan> {
    let plan = Plan::new("dapr", (3500, "/v1.0/healthz/outbound"), (3500, "/v1.0/shutdown"))?;
    std::fs::create_dir(plan.at("resources")).unwrap();
    let plan = plan.args([
        "--app-id=test",
        "--dapr-listen-addresses=127.0.0.1",
        "--dapr-internal-grpc-listen-address=127.0.0.1",
        "--enable-metrics=false",
        "--resources-path=resources",
    ]);
    Some(plan.args(flags).env("DAPR_HOST_IP", "127.0.0.1"))
}

/// Vault's agent, whose server is at 8201 if anywhere, with this in its listener and this beside it; `DIR` is its folder.
pub fn vault_agent(listener: &str, more: &str) -> Option<Plan> {
    let plan = Plan::new("vault-agent", (8200, "/agent/v1/metrics"), (8200, "/agent/v1/quit"))?;
    let more = more.replace("DIR", plan.dir.path().to_str().unwrap());
    let config = format!(
        "vault {{ address = \"http://127.0.0.1:8201\" }}\napi_proxy {{ use_auto_auth_token = false }}\n\
         listener \"tcp\" {{\n  address = \"127.0.0.1:8200\"\n  tls_disable = true\n  {listener}\n}}\n{more}\n"
    );
    plan.args(["agent"]).with_file("-config", "agent.hcl", &config)
}

impl Plan {
    /// With a file of this content in its folder, which this option names.
    fn with_file(self, option: &str, name: &str, content: &str) -> Option<Self> {
        self.dir.file(name, content, 0o644);
        Some(self.args([format!("{option}={name}")]))
    }

    /// With this variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }
}
