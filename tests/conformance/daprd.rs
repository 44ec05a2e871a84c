//! A real daprd on the stack's Kafka, with the suite's components but an app id, topics and rights that
//! only these cases have.

use std::fmt::Write as _;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use suite_tests::stack::{Stack, run};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::stage::{APP_TOKEN, ATTEMPTS, Doors, SIDECAR_TOKEN};

const APP: &str = "conformance";
/// A principal with a password and nothing else: what it may do here is granted for these cases.
const PRINCIPAL: &str = "stranger";
const TOPICS: [(&str, &str); 3] = [
    ("conformance-single", "1"),
    ("conformance-bulk", "3"),
    ("conformance.dead-letters", "1"),
];

pub(crate) struct Daprd {
    stack: Stack,
    folder: TempDir,
    ports: [u16; 3],
    child: Option<Child>,
}

impl Daprd {
    /// Makes topics, rights and files; what an interrupted run left goes first.
    pub(crate) async fn new(stack: Stack) -> Self {
        let daprd = Self {
            stack,
            folder: TempDir::new().unwrap(),
            ports: free_ports(),
            child: None,
        };
        daprd.clean().await;
        for (topic, partitions) in TOPICS {
            let words = ["--create", "--topic", topic, "--partitions", partitions];
            daprd.admin("kafka-topics.sh", &words).await;
        }
        daprd.access("--add").await;
        daprd.write_files();
        daprd
    }

    /// Removes topics and rights.
    pub(crate) async fn clean(&self) {
        let words = ["--delete", "--if-exists", "--topic", "conformance.*"];
        self.admin("kafka-topics.sh", &words).await;
        self.access("--remove").await;
    }

    pub(crate) fn start(&mut self, app: SocketAddr) -> Doors {
        let [http, grpc, internal] = self.ports.map(|port| port.to_string());
        let mut command = Command::new(self.stack.daprd());
        command.args(["--app-id", APP, "--app-protocol", "http"]);
        command.args(["--app-port", &app.port().to_string()]);
        command.args(["--dapr-http-port", &http, "--dapr-grpc-port", &grpc]);
        command.args(["--dapr-internal-grpc-port", &internal]);
        command.args(["--dapr-listen-addresses", "127.0.0.1"]);
        command.args(["--dapr-internal-grpc-listen-address", "127.0.0.1"]);
        command.args(["--enable-metrics=false", "--log-level", "warn"]);
        command.args(["--dapr-graceful-shutdown-seconds", "1"]);
        command.arg("--resources-path").arg(self.path("resources"));
        command
            .arg("--config")
            .arg(components().join("config.yaml"));
        command
            .env("KAFKA_BROKERS", self.stack.broker())
            .env("SECRETS_FILE", self.path("secrets.json"))
            .env("DAPR_API_TOKEN", SIDECAR_TOKEN)
            .env("APP_API_TOKEN", APP_TOKEN);
        let log = self.stack.path("logs/conformance-dapr.log");
        let log = File::options().create(true).append(true).open(log);
        command.stdout(log.unwrap()).stderr(Stdio::null());
        self.child = Some(command.kill_on_drop(true).spawn().unwrap());
        let url = format!("http://127.0.0.1:{http}");
        Doors {
            publisher: url.clone(),
            consumer: url,
        }
    }

    /// Asks it to end, as a supervisor does.
    pub(crate) async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let mut kill = Command::new("kill");
            kill.args(["-TERM", &child.id().unwrap().to_string()]);
            run(kill, "").await.expect_success();
            child.wait().await.unwrap();
        }
    }

    async fn access(&self, what: &str) {
        let principal = format!("User:{PRINCIPAL}");
        for resource in [["--topic", "conformance"], ["--group", APP]] {
            let mut words = vec![what, "--force", "--allow-principal", &principal];
            words.extend(["--operation", "Read"]);
            if resource[0] == "--topic" {
                words.extend(["--operation", "Write", "--operation", "Describe"]);
            }
            words.extend(["--resource-pattern-type", "prefixed"]);
            words.extend(resource);
            self.admin("kafka-acls.sh", &words).await;
        }
    }

    async fn admin(&self, program: &str, words: &[&str]) {
        let said = self.stack.kafka(program, "admin", words, "").await;
        said.expect_success();
    }

    fn write_files(&self) {
        std::fs::create_dir(self.path("resources")).unwrap();
        for (name, text) in [
            ("kafka-pubsub.yaml", pubsub(&read("kafka-pubsub.yaml"))),
            ("secretstore.yaml", for_the_app(&read("secretstore.yaml"))),
            ("resiliency.yaml", resiliency(&read("resiliency.yaml"))),
        ] {
            std::fs::write(self.path("resources").join(name), text).unwrap();
        }
        let secrets = serde_json::json!({ "kafka": {
            "saslUsername": PRINCIPAL,
            "saslPassword": self.stack.secret(&format!("kafka:{PRINCIPAL}")),
            "caCert": std::fs::read_to_string(self.stack.path("secrets/ca.pem")).unwrap(),
        }});
        std::fs::write(self.path("secrets.json"), secrets.to_string()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn components() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dapr-components")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(components().join(name)).unwrap()
}

/// The list of apps is the last thing in each file.
fn for_the_app(text: &str) -> String {
    let (before, _) = text.rsplit_once("\nscopes:").unwrap();
    format!("{before}\nscopes:\n  - {APP}\n")
}

/// Who may do what here instead of what the contract says.
fn pubsub(text: &str) -> String {
    let (before, rest) = text.split_once("    - name: publishingScopes").unwrap();
    let (_, after) = rest.split_once("\nauth:").unwrap();
    let mine = TOPICS.map(|(topic, _)| topic).join(",");
    let mut scopes = String::new();
    for (name, value) in [
        (
            "publishingScopes",
            format!("{APP}={mine},conformance-missing"),
        ),
        ("subscriptionScopes", format!("{APP}={mine}")),
        ("protectedTopics", format!("{mine},conformance-foreign")),
    ] {
        let _ = writeln!(scopes, "    - name: {name}\n      value: \"{value}\"");
    }
    for_the_app(&format!("{before}{scopes}\nauth:{after}"))
}

/// The suite's policy has no end; here there is one, so that there are dead letters.
fn resiliency(text: &str) -> String {
    let [pace, end] = ["duration: 5s", "maxRetries: -1"];
    assert!(text.contains(pace) && text.contains(end), "{text}");
    let text = text.replace(pace, "duration: 50ms");
    for_the_app(&text.replace(end, &format!("maxRetries: {}", ATTEMPTS - 1)))
}

/// Held all at once, so that no two are the same.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}
