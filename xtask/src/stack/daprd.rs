//! One real sidecar per service, with the files of `dapr-components` as they are.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use event_schema::App;
use serde_json::json;

use super::certificates::CA;
use super::layout::Layout;
use super::part::Part;

const COMPONENTS: [&str; 3] = ["kafka-pubsub.yaml", "secretstore.yaml", "resiliency.yaml"];
const CONFIG: &str = "config.yaml";
/// How a sidecar collects garbage, here, in compose and on Kubernetes: `docs/kafka.md` says why.
pub(crate) const GARBAGE: [(&str, &str); 2] = [("GOGC", "400"), ("GOMEMLIMIT", "450MiB")];

/// Starts the sidecars that do not run.
pub(super) fn start(layout: &Layout, root: &Path, daprd: &Path) -> anyhow::Result<()> {
    copy_components(layout, root)?;
    for app in App::ALL {
        write_secrets(layout, app)?;
        start_one(layout, app, daprd)?;
    }
    Ok(())
}

/// Starts a sidecar with the files that it finds, unless it runs.
pub(super) fn start_one(layout: &Layout, app: App, daprd: &Path) -> anyhow::Result<()> {
    let mut command = command(layout, app, daprd)?;
    command
        .env("KAFKA_BROKERS", layout.bootstrap()?)
        .env("SECRETS_FILE", layout.path(&secrets(app)))
        .envs(GARBAGE);
    Part::daprd(app).start(layout, &mut command).map(drop)
}

fn secrets(app: App) -> String {
    format!("secrets/{}.json", app.id())
}

/// Copied, because a sidecar warns of every file in its folder that is no component.
fn copy_components(layout: &Layout, root: &Path) -> anyhow::Result<()> {
    let source = root.join("dapr-components");
    let resources = layout.folder("resources")?;
    let targets = COMPONENTS.map(|name| (name, resources.join(name)));
    for (name, target) in targets.into_iter().chain([(CONFIG, layout.path(CONFIG))]) {
        fs::copy(source.join(name), target).with_context(|| format!("dapr-components/{name}"))?;
    }
    Ok(())
}

fn write_secrets(layout: &Layout, app: App) -> anyhow::Result<()> {
    let text = json!({ "kafka": {
        "saslUsername": app.principal(),
        "saslPassword": layout.secret(&format!("kafka:{}", app.id()))?,
        "caCert": fs::read_to_string(layout.path(CA))?,
    }});
    layout.write(&secrets(app), &text.to_string()).map(drop)
}

fn command(layout: &Layout, app: App, daprd: &Path) -> anyhow::Result<Command> {
    let id = app.id();
    let port = |purpose: &str| {
        Ok::<_, anyhow::Error>(layout.port(&format!("{id}-dapr{purpose}"))?.to_string())
    };
    let mut command = Command::new(daprd);
    command.args(["--app-id", id, "--app-protocol", "http"]);
    command.args([
        "--app-port",
        &layout.port(&format!("{id}:sidecar"))?.to_string(),
    ]);
    for (flag, port) in [
        ("--dapr-http-port", port("")?),
        ("--dapr-grpc-port", port(":grpc")?),
        ("--dapr-internal-grpc-port", port(":internal")?),
    ] {
        command.args([flag, &port]);
    }
    for flag in [
        "--dapr-listen-addresses",
        "--dapr-internal-grpc-listen-address",
    ] {
        command.args([flag, "127.0.0.1"]);
    }
    // 1.14 would serve them to the whole network, whatever address it is told.
    command.arg("--enable-metrics=false");
    command
        .arg("--resources-path")
        .arg(layout.path("resources"));
    command.arg("--config").arg(layout.path(CONFIG));
    for (variable, purpose) in [
        ("DAPR_API_TOKEN", "dapr-api-token"),
        ("APP_API_TOKEN", "app-api-token"),
    ] {
        command.env(variable, layout.secret(&format!("{purpose}:{id}"))?);
    }
    Ok(command)
}
