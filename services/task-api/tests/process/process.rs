//! A running `task-api`.

use test_support::ServiceProcess;

/// Starts it over this database and beside this sidecar, and waits until it listens.
pub(crate) async fn start(database: &database::Config, sidecar: &str) -> ServiceProcess {
    ServiceProcess::start(env!("CARGO_BIN_EXE_task-api"), "public", database, sidecar).await
}
