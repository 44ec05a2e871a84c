//! The real stack: four services beside real sidecars, as `cargo xtask stack` keeps them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use clock::{Clock, SystemClock};
use event_schema::topic::{Profile, contracts};
use event_schema::{App, Topic, UserId};
use serde_json::Value;
use test_support::bearer_signed_with;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// The folder that `cargo xtask stack` keeps, set by `cargo xtask stack test`.
const DIRECTORY: &str = "TASKLEDGER_STACK_DIR";

/// Which service has the paths that begin like this; task-api has all others. It is the gateway's own table.
const OWNERS: &str = include_str!("../../compose/gateway/paths.map");

/// A running stack, shared by all tests.
#[derive(Clone, Debug)]
pub struct Stack {
    directory: PathBuf,
    xtask: PathBuf,
    daprd: PathBuf,
    postgres: PathBuf,
    brokers: u16,
    ports: BTreeMap<String, u16>,
    secrets: BTreeMap<String, String>,
}

impl Stack {
    /// The one that the environment names.
    pub fn of_environment() -> Self {
        let directory = variable(DIRECTORY).unwrap_or_else(|| {
            panic!("{DIRECTORY} names no stack: run this by `cargo xtask stack test`")
        });
        Self::read(Path::new(&directory))
    }

    /// The one that the environment names, when the tests are to run on it.
    pub fn if_real() -> Option<Self> {
        (variable(crate::STACK).as_deref() == Some("real")).then(Self::of_environment)
    }

    /// The one in this directory.
    pub fn read(directory: &Path) -> Self {
        let text = std::fs::read_to_string(directory.join("stack.json")).expect("a running stack");
        let mut layout: Value = serde_json::from_str(&text).expect("its layout");
        let mut take = |name: &str| layout[name].take();
        Self {
            directory: directory.to_path_buf(),
            xtask: serde_json::from_value(take("xtask")).expect("the program that made it"),
            daprd: serde_json::from_value(take("daprd")).expect("the sidecar's program"),
            postgres: serde_json::from_value(take("postgres")).expect("PostgreSQL's programs"),
            brokers: serde_json::from_value(take("brokers")).expect("the number of brokers"),
            ports: serde_json::from_value(take("ports")).expect("ports"),
            secrets: serde_json::from_value(take("secrets")).expect("secrets"),
        }
    }

    /// Three brokers keep the copies of production.
    pub fn profile(&self) -> Profile {
        if self.brokers >= Profile::Production.replication() {
            Profile::Production
        } else {
            Profile::Local
        }
    }

    /// A port by part and purpose, as `stack.json` has them.
    pub fn port(&self, name: &str) -> u16 {
        self.ports[name]
    }

    /// A secret by its name in `stack.json`.
    pub fn secret(&self, name: &str) -> &str {
        &self.secrets[name]
    }

    /// A file of the stack.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Where a service's public interface is.
    pub fn base(&self, app: App) -> String {
        format!("http://127.0.0.1:{}", self.port(app.id()))
    }

    /// Where a path is answered.
    pub fn owner(&self, path: &str) -> String {
        self.base(owner(path))
    }

    /// The `Authorization` header of a user.
    pub fn bearer(&self, user: UserId) -> String {
        bearer_signed_with(self.secret("jwt"), user, SystemClock::new().now())
    }

    /// Publishes an event through a service's sidecar, as its relay does. The sidecar must take it.
    pub async fn publish(&self, app: App, topic: Topic, event: &Value) {
        let (port, topic) = (self.port(&format!("{}-dapr", app.id())), topic.name());
        let key = event["partitionkey"].as_str().expect("a key");
        let path = format!("/v1.0/publish/pubsub/{topic}?metadata.partitionKey={key}");
        let request = crate::client()
            .post(format!("http://127.0.0.1:{port}{path}"))
            .header("content-type", "application/cloudevents+json")
            .header(
                "dapr-api-token",
                self.secret(&format!("dapr-api-token:{}", app.id())),
            )
            .body(event.to_string());
        crate::answer(request, 204).await;
    }

    /// How often a service has asked its sidecar to deliver an event again, since it started.
    pub async fn retries(&self, app: App) -> u64 {
        let port = self.port(&format!("{}:ops", app.id()));
        let request = crate::client().get(format!("http://127.0.0.1:{port}/metrics"));
        let response = request.send().await.expect("an answer");
        let text = response.text().await.expect("a body");
        let counts = text.lines().filter(|line| {
            line.starts_with("event_process_duration_seconds_count{")
                && line.contains(r#"ack="retry""#)
        });
        let count = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
        counts.filter_map(count).sum()
    }

    /// The sidecar's program.
    pub fn daprd(&self) -> &Path {
        &self.daprd
    }

    /// A program of PostgreSQL.
    pub fn postgres_program(&self, name: &str) -> PathBuf {
        self.postgres.join(name)
    }

    /// How many partitions a topic has here.
    pub fn partitions(&self, topic: &str) -> u16 {
        let contract = contracts().find(|contract| contract.name == topic);
        contract
            .expect("a topic of the contract")
            .partitions(self.profile())
    }

    /// The parts that are brokers.
    pub fn brokers(&self) -> Vec<String> {
        let nodes = 1..=self.brokers;
        nodes.map(|node| format!("kafka-{node}")).collect()
    }

    /// `host:port` of a broker.
    pub fn broker(&self) -> String {
        format!("127.0.0.1:{}", self.port("kafka-1"))
    }

    /// Runs one of Kafka's programs as a principal whose settings the stack has, with these words and
    /// this input.
    pub async fn kafka(&self, program: &str, principal: &str, words: &[&str], input: &str) -> Said {
        let settings = self.path(&format!("secrets/{principal}.properties"));
        self.kafka_with(program, &settings, words, input).await
    }

    /// Runs one of Kafka's programs with settings of the test's own.
    pub async fn kafka_with(
        &self,
        program: &str,
        settings: &Path,
        words: &[&str],
        input: &str,
    ) -> Said {
        let mut command = Command::new(self.path(&format!("bin/{program}")));
        command.args(["--bootstrap-server", &self.broker(), "--command-config"]);
        command.arg(settings).args(words);
        run(command, input).await
    }

    /// Stops all services and sidecars, and starts them again.
    pub async fn restart_services(&self) {
        let parts = App::ALL.map(|app| [app.id().to_owned(), format!("{}-dapr", app.id())]);
        let parts: Vec<_> = parts.as_flattened().iter().map(String::as_str).collect();
        self.stop(&parts).await;
        self.up().await;
    }

    /// The processes that run, by the names of their parts.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let files = std::fs::read_dir(self.path("run")).expect("a running stack");
        let processes = files.filter_map(|file| {
            let file = file.ok()?;
            let text = std::fs::read_to_string(file.path()).ok()?;
            let id = text.split(' ').next()?.parse().ok()?;
            Some((file.file_name().into_string().ok()?, id))
        });
        let mut processes: Vec<_> = processes.collect();
        processes.sort();
        processes
    }

    /// What a part has said so far.
    pub fn log(&self, part: &str) -> String {
        let bytes = std::fs::read(self.path(&format!("logs/{part}.log"))).expect("its log");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Makes the topics and the access that the contract wants and that are missing.
    pub async fn make_topics(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/kafka/create-topics.sh");
        let bin = self.path("bin");
        let mut command = Command::new("sh");
        // The stack's programs before all others.
        let line = r#"PATH="$1:$PATH" exec sh "$2" "$3""#;
        command
            .args(["-c", line, "sh"])
            .arg(bin)
            .arg(script)
            .arg(self.profile().name());
        command
            .env("BOOTSTRAP", self.broker())
            .env("COMMAND_CONFIG", self.path("secrets/admin.properties"));
        run(command, "").await.expect_success();
    }

    /// Stops some parts in order.
    pub async fn stop(&self, parts: &[&str]) {
        let mut stop = self.control("stop");
        stop.args(parts);
        run(stop, "").await.expect_success();
    }

    /// Kills some parts.
    pub async fn kill(&self, parts: &[&str]) {
        let mut kill = self.control("stop");
        kill.arg("--kill").args(parts);
        run(kill, "").await.expect_success();
    }

    /// Starts some parts again with what is in the stack's directory now, and waits for nothing.
    pub async fn restart(&self, parts: &[&str]) {
        let mut restart = self.control("restart");
        restart.args(parts);
        run(restart, "").await.expect_success();
    }

    /// Starts all brokers again, so that everybody has to come in anew.
    pub async fn restart_brokers(&self) {
        let brokers = self.brokers();
        let brokers: Vec<_> = brokers.iter().map(String::as_str).collect();
        self.restart(&brokers).await;
    }

    /// Gives the brokers certificates of these dates, or good ones, for when they are started again.
    pub async fn certificate(&self, dates: &[&str]) {
        let mut certificate = self.control("certificate");
        certificate.args(dates);
        run(certificate, "").await.expect_success();
    }

    /// Starts what does not run, as it was built for the tests, and waits until all is well.
    pub async fn up(&self) {
        let mut up = self.control("up");
        up.arg("--no-build");
        run(up, "").await.expect_success();
    }

    fn control(&self, what: &str) -> Command {
        let mut command = Command::new(&self.xtask);
        command
            .args(["stack", "--dir"])
            .arg(&self.directory)
            .arg(what);
        command
    }
}

/// Which service has a path.
fn owner(path: &str) -> App {
    let lines = OWNERS.lines().filter(|line| !line.starts_with('#'));
    let mut entries = lines.filter_map(|line| line.split_once(' '));
    let Some((_, id)) = entries.find(|(prefix, _)| path.starts_with(prefix)) else {
        return App::TaskApi;
    };
    let known = App::ALL.into_iter().find(|app| app.id() == id);
    known.expect("a service of the suite in the gateway's table")
}

/// What a program said until it ended.
#[derive(Debug)]
pub struct Said {
    /// Whether it calls that a success.
    pub success: bool,
    /// Its answer.
    pub out: String,
    /// Its complaints.
    pub err: String,
}

impl Said {
    /// The answer of a program that must have succeeded.
    pub fn expect_success(self) -> String {
        assert!(self.success, "{}\n{}", self.out, self.err);
        self.out
    }
}

/// Runs a program to its end.
pub async fn run(mut command: Command, input: &str) -> Said {
    let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = streams
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input");
    // One that ends without reading everything says so by its end.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().await.expect("the program ends");
    Said {
        success: status.success(),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line to say it on"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
