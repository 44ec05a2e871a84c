//! Kafka in `KRaft` mode: SASL over TLS for everybody, certificates between controllers, nothing allowed
//! that the contract does not grant.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use event_schema::App;
use event_schema::topic::Profile;

use super::certificates::{BROKER, BROKERS_TRUST, CA, key_store};
use super::http::listens;
use super::layout::{ADMIN, Layout, STRANGER};
use super::part::Part;
use crate::cache::finished;
use crate::root::say;

const READY_WITHIN: Duration = Duration::from_mins(1);
const LOGGING: &str = "kafka-log4j2.properties";
const LOGGING_TEXT: &str = "\
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server
logger.server.level = info
";

/// Kafka's programs by the names that its distribution has.
const PROGRAMS: [(&str, &str); 6] = [
    ("kafka-topics.sh", "org.apache.kafka.tools.TopicCommand"),
    ("kafka-acls.sh", "org.apache.kafka.tools.AclCommand"),
    ("kafka-configs.sh", "kafka.admin.ConfigCommand"),
    ("kafka-storage.sh", "kafka.tools.StorageTool"),
    (
        "kafka-console-producer.sh",
        "org.apache.kafka.tools.ConsoleProducer",
    ),
    (
        "kafka-console-consumer.sh",
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
    ),
];

/// A client's settings, by its principal.
pub(super) fn client(principal: &str) -> String {
    format!("secrets/{principal}.properties")
}

fn settings(node: u16) -> String {
    format!("secrets/kafka-{node}.properties")
}

/// Formats and starts each broker that does not run.
pub(super) fn start(layout: &Layout, jars: &Path) -> anyhow::Result<()> {
    write_programs(layout, jars)?;
    for node in 1..=layout.brokers {
        let properties = layout.write(&settings(node), &properties(layout, node)?)?;
        let data = format!("kafka-{node}");
        if !layout.path(&data).join("meta.properties").exists() {
            layout.folder(&data)?;
            format(layout, &properties)?;
        }
        start_one(layout, jars, node)?;
    }
    Ok(())
}

/// Starts a broker as its files say, unless it runs.
pub(super) fn start_one(layout: &Layout, jars: &Path, node: u16) -> anyhow::Result<()> {
    let mut command = java(layout, jars);
    command
        .args(["-Xms256m", "-Xmx512m", "kafka.Kafka"])
        .arg(layout.path(&settings(node)));
    Part::kafka(node).start(layout, &mut command).map(drop)
}

/// Waits for the brokers, and makes topics and access once.
pub(super) fn make_ready(layout: &Layout, root: &Path) -> anyhow::Result<()> {
    for node in 1..=layout.brokers {
        let part = Part::kafka(node);
        let listener = layout.port(part.name())?;
        part.wait_until(layout, READY_WITHIN, || listens(listener))?;
    }
    if layout.path("run/topics").exists() {
        return Ok(());
    }
    say("stack: making topics and access");
    let script = root.join("tools/kafka/create-topics.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg(layout.profile().name());
    command
        .env("BOOTSTRAP", layout.bootstrap()?)
        .env("COMMAND_CONFIG", layout.path(&client(ADMIN)));
    command.env("PATH", path_with(layout)?);
    finished(&mut command, "making topics and access")?;
    layout.write("run/topics", "made\n").map(drop)
}

/// Programs for us, for tests and for whoever looks.
fn write_programs(layout: &Layout, jars: &Path) -> anyhow::Result<()> {
    layout.write(LOGGING, LOGGING_TEXT)?;
    layout.folder("bin")?;
    for (name, class) in PROGRAMS {
        // They live for a second: compiling well and collecting in parallel is not worth it.
        let text = format!(
            "#!/bin/sh\nexec java -Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
             -Dlog4j2.configurationFile='{}' -cp '{}/*' {class} \"$@\"\n",
            layout.path(LOGGING).display(),
            jars.display()
        );
        layout.write_program(&format!("bin/{name}"), &text)?;
    }
    let principals = [ADMIN, STRANGER]
        .into_iter()
        .chain(App::ALL.map(App::principal));
    for principal in principals {
        let text = client_properties(
            layout,
            principal,
            layout.secret(&format!("kafka:{principal}"))?,
        );
        layout.write(&client(principal), &text)?;
    }
    Ok(())
}

fn client_properties(layout: &Layout, principal: &str, password: &str) -> String {
    format!(
        "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config={}\n\
         ssl.truststore.type=PEM\nssl.truststore.location={}\n",
        jaas(principal, password),
        layout.path(CA).display()
    )
}

fn jaas(principal: &str, password: &str) -> String {
    format!(
        "org.apache.kafka.common.security.scram.ScramLoginModule required \
         username=\"{principal}\" password=\"{password}\";"
    )
}

/// Gives a broker its storage, and the cluster its principals.
fn format(layout: &Layout, properties: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(layout.path("bin/kafka-storage.sh"));
    command
        .args(["format", "--cluster-id", &layout.cluster, "--config"])
        .arg(properties);
    if layout.brokers == 1 {
        command.arg("--standalone");
    } else {
        command.args(["--initial-controllers", &controllers(layout)?]);
    }
    for principal in [ADMIN, STRANGER]
        .into_iter()
        .chain(App::ALL.map(App::principal))
    {
        let password = layout.secret(&format!("kafka:{principal}"))?;
        let credential = format!("SCRAM-SHA-512=[name=\"{principal}\",password=\"{password}\"]");
        command.args(["--add-scram", &credential]);
    }
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "formatting Kafka's storage: {said}"
    );
    Ok(())
}

/// `id@host:port:directory` of each.
fn controllers(layout: &Layout) -> anyhow::Result<String> {
    let controllers = (1..=layout.brokers).map(|node| {
        let (port, id) = (
            layout.port(&format!("kafka-{node}:controller"))?,
            layout.secret(&format!("kafka-{node}:id"))?,
        );
        Ok(format!("{node}@127.0.0.1:{port}:{id}"))
    });
    Ok(controllers.collect::<anyhow::Result<Vec<_>>>()?.join(","))
}

fn properties(layout: &Layout, node: u16) -> anyhow::Result<String> {
    let (broker, controller) = (
        layout.port(&format!("kafka-{node}"))?,
        layout.port(&format!("kafka-{node}:controller"))?,
    );
    let quorum = (1..=layout.brokers).map(|node| {
        Ok(format!(
            "127.0.0.1:{}",
            layout.port(&format!("kafka-{node}:controller"))?
        ))
    });
    let quorum = quorum.collect::<anyhow::Result<Vec<_>>>()?.join(",");
    let (copies, in_sync) = copies(layout.profile());
    let mut text = String::new();
    for (name, value) in [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", node.to_string()),
        (
            "log.dirs",
            layout.path(&format!("kafka-{node}")).display().to_string(),
        ),
        (
            "listeners",
            format!("SASL_SSL://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}"),
        ),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        ("controller.quorum.bootstrap.servers", quorum),
        (
            "listener.security.protocol.map",
            "CONTROLLER:SSL,SASL_SSL:SASL_SSL".to_owned(),
        ),
        ("inter.broker.listener.name", "SASL_SSL".to_owned()),
        ("sasl.enabled.mechanisms", "SCRAM-SHA-512".to_owned()),
        (
            "sasl.mechanism.inter.broker.protocol",
            "SCRAM-SHA-512".to_owned(),
        ),
        (
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config",
            jaas(ADMIN, layout.secret(&format!("kafka:{ADMIN}"))?),
        ),
        ("ssl.keystore.type", "PEM".to_owned()),
        (
            "ssl.keystore.location",
            layout.path(&key_store(node)).display().to_string(),
        ),
        ("ssl.truststore.type", "PEM".to_owned()),
        (
            "ssl.truststore.location",
            layout.path(BROKERS_TRUST).display().to_string(),
        ),
        ("ssl.enabled.protocols", "TLSv1.2,TLSv1.3".to_owned()),
        (
            "listener.name.controller.ssl.client.auth",
            "required".to_owned(),
        ),
        (
            "ssl.principal.mapping.rules",
            "RULE:^CN=([^,]+).*$/$1/,DEFAULT".to_owned(),
        ),
        (
            "authorizer.class.name",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
        ),
        ("allow.everyone.if.no.acl.found", "false".to_owned()),
        ("super.users", format!("User:{ADMIN};User:{BROKER}")),
        ("auto.create.topics.enable", "false".to_owned()),
        // A consumer need not wait for others that may come.
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        ("offsets.topic.replication.factor", copies.clone()),
        ("transaction.state.log.replication.factor", copies.clone()),
        ("transaction.state.log.min.isr", in_sync.clone()),
        ("share.coordinator.state.topic.replication.factor", copies),
        ("share.coordinator.state.topic.min.isr", in_sync),
    ] {
        let _ = writeln!(text, "{name}={value}");
    }
    Ok(text)
}

fn copies(profile: Profile) -> (String, String) {
    (
        profile.replication().to_string(),
        profile.min_insync_replicas().to_string(),
    )
}

fn java(layout: &Layout, jars: &Path) -> Command {
    let mut command = Command::new("java");
    command.arg(format!(
        "-Dlog4j2.configurationFile={}",
        layout.path(LOGGING).display()
    ));
    command.arg("-cp").arg(format!("{}/*", jars.display()));
    command
}

/// The stack's programs before all others.
fn path_with(layout: &Layout) -> anyhow::Result<std::ffi::OsString> {
    let output = Command::new("sh")
        .args(["-c", "printf %s \"$PATH\""])
        .output()?;
    let known = String::from_utf8(output.stdout)?;
    let ours = layout.path("bin");
    Ok(std::env::join_paths(
        std::iter::once(ours).chain(std::env::split_paths(&known)),
    )?)
}
