//! PostgreSQL with passwords: one database per service, owned by a role that makes its tables and used
//! by one that cannot.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use event_schema::App;

use super::layout::Layout;
use super::part::Part;
use super::services::binary;
use crate::cache::finished;
use crate::postgres::{Account, Binaries};
use crate::root::say;

const READY_WITHIN: Duration = Duration::from_mins(1);
const FOLDER: &str = "postgres";

/// Where a service finds its database, as the role that cannot change the past.
pub(super) fn url(layout: &Layout, app: App) -> anyhow::Result<String> {
    let password = layout.secret(&format!("postgres:{}", app.id()))?;
    address(layout, app, &name(app), password)
}

/// The same database, as the owner of its tables.
fn owner_url(layout: &Layout, app: App) -> anyhow::Result<String> {
    let password = layout.secret(&format!("postgres-owner:{}", app.id()))?;
    address(layout, app, &format!("{}_owner", name(app)), password)
}

fn address(layout: &Layout, app: App, role: &str, password: &str) -> anyhow::Result<String> {
    let port = layout.port("postgres")?;
    Ok(format!(
        "postgres://{role}:{password}@127.0.0.1:{port}/{}",
        name(app)
    ))
}

/// Of the database, and of the role that uses it.
fn name(app: App) -> String {
    app.id().replace('-', "_")
}

/// Makes the cluster and starts the server, unless it runs.
pub(super) fn start(layout: &Layout, binaries: &Binaries) -> anyhow::Result<()> {
    let account = Account::choose()?;
    let folder = layout.path(FOLDER);
    if !folder.join("data/PG_VERSION").exists() {
        create_cluster(layout, binaries, account, &folder)?;
    }
    let mut command = account.command(&binaries.path("postgres"));
    command
        .current_dir(&folder)
        .arg("-D")
        .arg(folder.join("data"));
    command.args(["-p", &layout.port("postgres")?.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "password_encryption=scram-sha-256",
        "fsync=on",
        "synchronous_commit=on",
        "max_connections=200",
        // So that `bench pipeline` can read when an effect was committed. It costs a few bytes per commit.
        "track_commit_timestamp=on",
    ] {
        command.args(["-c", setting]);
    }
    Part::Postgres.start(layout, &mut command).map(drop)
}

/// Waits for the server, and brings roles, databases and tables up to date.
pub(super) fn make_ready(layout: &Layout, root: &Path, binaries: &Binaries) -> anyhow::Result<()> {
    let port = layout.port("postgres")?.to_string();
    let ready = || {
        let mut command = Command::new(binaries.path("pg_isready"));
        command.args(["--quiet", "--host=127.0.0.1", "--port", &port]);
        command.status().is_ok_and(|status| status.success())
    };
    Part::Postgres.wait_until(layout, READY_WITHIN, ready)?;
    say("stack: bringing roles, databases and tables up to date");
    for app in App::ALL {
        create_database(layout, root, binaries, app)?;
        migrate(layout, app)?;
    }
    Ok(())
}

fn create_cluster(
    layout: &Layout,
    binaries: &Binaries,
    account: Account,
    folder: &Path,
) -> anyhow::Result<()> {
    layout.folder(FOLDER)?;
    let password = layout.write(&format!("{FOLDER}/password"), layout.secret("postgres")?)?;
    account.own(&password)?;
    account.own(folder)?;
    let entered = account.command(Path::new("ls")).arg(folder).output()?;
    ensure!(
        entered.status.success(),
        "PostgreSQL must not run as root, and the user that it runs as cannot enter {}: say --dir with a \
         folder that everybody can get to, such as --dir /tmp/taskledger-stack",
        folder.display()
    );
    let mut command = account.command(&binaries.path("initdb"));
    command.current_dir(folder).args([
        "--username=postgres",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
    ]);
    command
        .args(["--locale=C", "--no-sync", "--no-instructions", "--pwfile"])
        .arg(&password);
    let output = command
        .arg("--pgdata")
        .arg(folder.join("data"))
        .output()
        .context("cannot run initdb")?;
    ensure!(
        output.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::remove_file(password)?;
    // The server refuses a folder that others can read.
    fs::set_permissions(folder.join("data"), fs::Permissions::from_mode(0o700))?;
    Ok(())
}

/// Passwords go by the environment: an argument can be read by everybody on the machine.
fn create_database(
    layout: &Layout,
    root: &Path,
    binaries: &Binaries,
    app: App,
) -> anyhow::Result<()> {
    let mut command = Command::new(binaries.path("psql"));
    command.args([
        "--no-psqlrc",
        "--quiet",
        "--host=127.0.0.1",
        "--username=postgres",
        "--dbname=postgres",
    ]);
    command.args([
        "--port",
        &layout.port("postgres")?.to_string(),
        "--set=ON_ERROR_STOP=1",
    ]);
    command.arg(format!("--set=service={}", name(app)));
    command
        .arg("--file")
        .arg(root.join("tools/postgres/service.sql"));
    command.env("PGPASSWORD", layout.secret("postgres")?);
    command.env(
        "OWNER_PASSWORD",
        layout.secret(&format!("postgres-owner:{}", app.id()))?,
    );
    command.env(
        "SERVICE_PASSWORD",
        layout.secret(&format!("postgres:{}", app.id()))?,
    );
    finished(&mut command, "making roles and database")
}

fn migrate(layout: &Layout, app: App) -> anyhow::Result<()> {
    let mut command = Command::new(binary(layout, "taskledger")?);
    command.args([
        "ledger",
        "migrate",
        "--service",
        app.id(),
        "--app-role",
        &name(app),
    ]);
    command.env("DATABASE_URL", owner_url(layout, app)?);
    let output = command.output().context("cannot run taskledger")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "migrating {}: {said}", app.id());
    Ok(())
}
