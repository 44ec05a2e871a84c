//! The four services as processes of their own, configured as in production.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use event_schema::App;

use super::http::status;
use super::layout::Layout;
use super::part::Part;
use super::{postgres, target};
use crate::cache::finished;
use crate::root::cargo;

/// A sidecar gives up waiting for its app after a minute.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// Brings the binaries up to date.
pub(super) fn build(root: &Path, layout: &Layout) -> anyhow::Result<()> {
    let mut command = cargo(root);
    command.args(["build", "--locked", "--bins", "-p", "taskledger"]);
    for app in App::ALL {
        command.args(["-p", app.id()]);
    }
    if layout.release {
        command.arg("--release");
    }
    finished(&mut command, "building the services")
}

/// A binary of ours.
pub(super) fn binary(layout: &Layout, name: &str) -> anyhow::Result<PathBuf> {
    let profile = if layout.release { "release" } else { "debug" };
    Ok(target()?.join(profile).join(name))
}

/// Starts the services that do not run, and those anew that run as they were built before.
pub(super) fn start(layout: &Layout) -> anyhow::Result<()> {
    for app in App::ALL {
        let service = Part::Service(app);
        if service.is_older_than(layout, &binary(layout, app.id())?)? {
            service.stop(layout)?;
        }
        start_one(layout, app)?;
    }
    Ok(())
}

/// Starts a service, unless it runs.
pub(super) fn start_one(layout: &Layout, app: App) -> anyhow::Result<()> {
    let mut command = command(layout, app)?;
    Part::Service(app).start(layout, &mut command).map(drop)
}

/// Waits until every service is ready and every sidecar delivers.
pub(super) fn wait(layout: &Layout) -> anyhow::Result<()> {
    for app in App::ALL {
        let ops = layout.port(&format!("{}:ops", app.id()))?;
        let ready = || status(ops, "/readyz") == Some(200);
        Part::Service(app).wait_until(layout, READY_WITHIN, ready)?;
        let sidecar = Part::daprd(app);
        let port = layout.port(sidecar.name())?;
        let ready = || status(port, "/v1.0/healthz") == Some(204);
        sidecar.wait_until(layout, READY_WITHIN, ready)?;
    }
    Ok(())
}

fn command(layout: &Layout, app: App) -> anyhow::Result<Command> {
    let id = app.id();
    let address = |purpose: &str| {
        Ok::<_, anyhow::Error>(format!(
            "127.0.0.1:{}",
            layout.port(&format!("{id}{purpose}"))?
        ))
    };
    let mut command = Command::new(binary(layout, id)?);
    // What a shell may have set for another suite is not for this one.
    for variable in [
        "DAPR_HTTP_ENDPOINT",
        "DATABASE_MIGRATE",
        "PUBSUB_NAME",
        "AUTH_JWT_ISSUER",
        "AUTH_JWT_AUDIENCE",
    ] {
        command.env_remove(variable);
    }
    for (variable, value) in [
        ("LISTEN_ADDRESS", address("")?),
        ("SIDECAR_LISTEN_ADDRESS", address(":sidecar")?),
        ("OPS_LISTEN_ADDRESS", address(":ops")?),
        ("DATABASE_URL", postgres::url(layout, app)?),
        (
            "DAPR_HTTP_PORT",
            layout.port(&format!("{id}-dapr"))?.to_string(),
        ),
        (
            "DAPR_API_TOKEN",
            layout.secret(&format!("dapr-api-token:{id}"))?.to_owned(),
        ),
        (
            "APP_API_TOKEN",
            layout.secret(&format!("app-api-token:{id}"))?.to_owned(),
        ),
        (
            "AUTH_JWT_KEY",
            layout
                .secret("jwt")
                .context("the key of tokens")?
                .to_owned(),
        ),
        ("LOG_FORMAT", "json".to_owned()),
        ("RUST_LOG", "info".to_owned()),
    ] {
        command.env(variable, value);
    }
    Ok(command)
}
