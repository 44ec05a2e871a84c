//! The suite behind its gateway, as `cargo xtask compose test` runs it.

use std::path::{Path, PathBuf};

use clock::{Clock, SystemClock};
use event_schema::{App, UserId};
use serde_json::Value;
use test_support::bearer_signed_with;
use tokio::process::Command;

use crate::stack::{run, variable};

/// The file that says where it is, set by `cargo xtask compose test`.
const FILE: &str = "TASKLEDGER_COMPOSE";

/// A running suite, shared by all tests.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Where all public paths are.
    pub base: String,
    /// Every service of the compose file that lasts.
    pub services: Vec<String>,
    xtask: PathBuf,
    project: String,
    key: String,
}

impl Gateway {
    /// The one that the environment names.
    pub fn of_environment() -> Self {
        let file = variable(FILE).unwrap_or_else(|| {
            panic!("{FILE} names nothing: run this by `cargo xtask compose test`")
        });
        Self::read(Path::new(&file))
    }

    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("a running suite");
        let mut place: Value = serde_json::from_str(&text).expect("where it is");
        let mut take = |name: &str| place[name].take();
        Self {
            base: serde_json::from_value(take("base")).expect("its address"),
            services: serde_json::from_value(take("services")).expect("its services"),
            xtask: serde_json::from_value(take("xtask")).expect("the program that started it"),
            project: serde_json::from_value(take("project")).expect("its name"),
            key: serde_json::from_value(take("key")).expect("the key of tokens"),
        }
    }

    /// The `Authorization` header of a user.
    pub fn bearer(&self, user: UserId) -> String {
        bearer_signed_with(&self.key, user, SystemClock::new().now())
    }

    /// Restarts some services, and waits until all is healthy.
    pub async fn restart(&self, services: &[&str]) {
        let mut command = Command::new(&self.xtask);
        command.args(["compose", "--project", &self.project, "restart"]);
        command.args(services);
        run(command, "").await.expect_success();
    }

    /// Restarts all services and sidecars.
    pub async fn restart_services(&self) {
        let parts = App::ALL.map(|app| [app.id().to_owned(), format!("{}-daprd", app.id())]);
        let parts: Vec<_> = parts.as_flattened().iter().map(String::as_str).collect();
        self.restart(&parts).await;
    }
}
