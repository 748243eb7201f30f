//! The real Vault agent before it has logged in: it answers, and there is no secret yet. Vault itself is a stand-in.

use support::{
    Launch, Standin, http,
    http::standin::{Row, row},
    known,
};

/// What the agent asks about a token of which it only knows the text.
const SERVER: [Row; 2] = [
    row(
        8201,
        "*",
        "/v1/auth/token/lookup-self",
        200,
        "{\"data\":{\"id\":\"s3cret\",\"accessor\":\"a\",\"policies\":[\"root\"],\"ttl\":3600,\"creation_ttl\":3600,\"renewable\":false,\"type\":\"service\"}}",
    )
    .head("content-type: application/json"),
    row(8201, "*", "*", 404, "{\"errors\":[]}").head("content-type: application/json"),
];

/// FILTER is how the example writes a value that may have a quote in it.
const LOGIN: &str = r#"auto_auth {
  method {
    type = "token_file"
    min_backoff = "100ms"
    max_backoff = "200ms"
    config = { token_file_path = "DIR/token" }
  }
}
template {
  contents = <<EOT
export CODE='7'
export PASSWORD='{{ "it's" FILTER }}'
EOT
  destination = "DIR/secret.env"
}
"#;

const MAIN: &str = "echo up; [ \"$PASSWORD\" = \"it's\" ] || exit 1; exit $CODE";

fn login() -> String {
    let example = include_str!("../../examples/vault-agent.yaml");
    let filter = example.split_once("{{ .Data.data.password ").unwrap().1.split(" }}").next().unwrap();
    LOGIN.replace("FILTER", filter)
}

#[test]
fn it_answers_before_it_has_logged_in_and_main_waits_for_the_env_file() {
    only_ours!();
    known::slow(|| {
        let Some(plan) = known::vault_agent(known::ENABLE_QUIT, &login()) else { return };
        let _server = Standin::start(&SERVER);
        let file = plan.at("secret.env");
        let file = file.to_str().unwrap();
        let agent = plan.start();
        agent.ready();
        let options = ["--env-file", file, "--log-level", "debug"];
        let run = Launch::pid1().sidecar("vault-agent").options(options).sh(MAIN).start();
        run.tells(&format!("ready but for a file: {file}, which --env-file reads, is not there"));
        assert_eq!(http::status(8200, "GET", "/agent/v1/metrics"), Some(200), "without a login");
        assert!(run.said().is_empty(), "main starts too early");
        std::fs::write(agent.at("new"), "s3cret").unwrap();
        std::fs::rename(agent.at("new"), agent.at("token")).unwrap();
        run.says("up");
        assert_eq!(run.wait().code(), 7);
        assert_eq!(agent.gone().0.code(), Some(0));
    });
}

#[test]
fn a_secret_that_never_comes_is_named_and_the_agent_is_stopped() {
    only_ours!();
    known::slow(|| {
        let Some(plan) = known::vault_agent(known::ENABLE_QUIT, &login()) else { return };
        let file = plan.at("secret.env");
        let agent = plan.start();
        agent.ready();
        let spec = format!("vault-agent:ready=file:{}", file.display());
        let end = Launch::pid1().sidecar(&spec).options(["--wait-timeout", "300ms"]).sh("exit 3").run();
        end.one_line(124, &["vault-agent is not ready", "secret.env is not there"]);
        assert_eq!(agent.gone().0.code(), Some(0));
    });
}
