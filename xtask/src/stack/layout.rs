//! Where everything of a stack is: made once, kept in `stack.json`, and read by tests too.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use event_schema::App;
use event_schema::topic::Profile;
use serde::{Deserialize, Serialize};

use crate::secrets::{kafka_id, secret};

const FILE: &str = "stack.json";

/// Below the ports that systems hand out to outgoing connections: one of those could take the port of a
/// part that is down for a moment.
const PORTS: std::ops::Range<u16> = 21_000..31_000;
/// A stack's ports follow each other; none needs more.
const BLOCK: u16 = 50;

/// Administrator of the broker, and one whose password is right and who may do nothing.
pub(super) const ADMIN: &str = "admin";
pub(super) const STRANGER: &str = "stranger";

/// What a stack of an older checkout lacks is empty, so that `down` can still remove it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Layout {
    /// Everything the stack keeps.
    pub(super) directory: PathBuf,
    /// The program that made it, so that tests can stop and start parts.
    pub(super) xtask: PathBuf,
    /// The sidecar's program, so that tests can start one of their own.
    pub(super) daprd: PathBuf,
    /// PostgreSQL's programs; empty when they are in `PATH`.
    pub(super) postgres: PathBuf,
    /// Whether the services are optimized.
    pub(super) release: bool,
    /// Kafka's brokers: one, or three with the copies of production.
    pub(super) brokers: u16,
    /// Kafka's id of the cluster.
    pub(super) cluster: String,
    /// Ports by part and purpose: `task-api`, `task-api:ops`, `kafka-1:controller`.
    pub(super) ports: BTreeMap<String, u16>,
    /// Passwords, tokens, keys: `kafka:notifier`, `postgres:notifier`, `jwt`.
    pub(super) secrets: BTreeMap<String, String>,
}

impl Layout {
    /// A fresh one in a directory that is made.
    pub(super) fn create(
        directory: &Path,
        (daprd, postgres): (&Path, &Path),
        brokers: u16,
        release: bool,
    ) -> anyhow::Result<Self> {
        let mut layout = Self {
            directory: directory.to_path_buf(),
            xtask: std::env::current_exe()?,
            daprd: daprd.to_path_buf(),
            postgres: postgres.to_path_buf(),
            release,
            brokers,
            cluster: kafka_id()?,
            ports: free_ports(&port_names(brokers))?,
            secrets: BTreeMap::new(),
        };
        for name in secret_names(brokers) {
            let made = if name.ends_with(":id") {
                kafka_id()
            } else {
                secret()
            };
            layout.secrets.insert(name, made?);
        }
        // The account of PostgreSQL has to get through to its own folder, and sees no more.
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(directory)?;
        for folder in ["logs", "run", "secrets"] {
            layout.folder(folder)?;
        }
        layout.write(FILE, &serde_json::to_string_pretty(&layout)?)?;
        Ok(layout)
    }

    /// The one in this directory.
    pub(super) fn load(directory: &Path) -> anyhow::Result<Option<Self>> {
        let path = directory.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .with_context(|| path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// Three brokers keep the copies of production.
    pub(super) fn profile(&self) -> Profile {
        if self.brokers >= Profile::Production.replication() {
            Profile::Production
        } else {
            Profile::Local
        }
    }

    pub(super) fn port(&self, name: &str) -> anyhow::Result<u16> {
        self.ports
            .get(name)
            .copied()
            .with_context(|| format!("the stack has no port {name}"))
    }

    pub(super) fn secret(&self, name: &str) -> anyhow::Result<&str> {
        let found = self.secrets.get(name).map(String::as_str);
        found.with_context(|| format!("the stack has no secret {name}"))
    }

    /// `host:port` of every broker.
    pub(super) fn bootstrap(&self) -> anyhow::Result<String> {
        let brokers = (1..=self.brokers).map(|node| {
            Ok(format!(
                "127.0.0.1:{}",
                self.port(&format!("kafka-{node}"))?
            ))
        });
        Ok(brokers.collect::<anyhow::Result<Vec<_>>>()?.join(","))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Makes a folder that only we can enter.
    pub(super) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path);
        made.with_context(|| path.display().to_string())?;
        Ok(path)
    }

    /// Writes a file that only we can read.
    pub(super) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        self.write_as(name, text, 0o600)
    }

    /// Writes a program.
    pub(super) fn write_program(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        self.write_as(name, text, 0o700)
    }

    fn write_as(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<PathBuf> {
        use std::io::Write;

        let path = self.path(name);
        let mut options = fs::OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| path.display().to_string())?;
        Ok(path)
    }
}

fn port_names(brokers: u16) -> Vec<String> {
    let mut names = vec!["postgres".to_owned()];
    for node in 1..=brokers {
        names.extend(["", ":controller"].map(|purpose| format!("kafka-{node}{purpose}")));
    }
    for app in App::ALL {
        names.extend(["", ":sidecar", ":ops"].map(|purpose| format!("{}{purpose}", app.id())));
        let of_daprd = ["", ":grpc", ":internal"];
        names.extend(of_daprd.map(|purpose| format!("{}-dapr{purpose}", app.id())));
    }
    names
}

fn secret_names(brokers: u16) -> Vec<String> {
    let mut names = ["postgres", "jwt"].map(str::to_owned).to_vec();
    names.extend([ADMIN, STRANGER].map(|principal| format!("kafka:{principal}")));
    names.extend((1..=brokers).map(|node| format!("kafka-{node}:id")));
    for app in App::ALL {
        let purposes = [
            "kafka",
            "postgres",
            "postgres-owner",
            "dapr-api-token",
            "app-api-token",
        ];
        names.extend(purposes.map(|purpose| format!("{purpose}:{}", app.id())));
    }
    names
}

/// The first block in which nobody listens, each stack beginning its search elsewhere.
fn free_ports(names: &[String]) -> anyhow::Result<BTreeMap<String, u16>> {
    let blocks = (PORTS.end - PORTS.start) / BLOCK;
    let first = u16::try_from(std::process::id() % u32::from(blocks))?;
    for block in (0..blocks).map(|step| (first + step) % blocks) {
        let ports: BTreeMap<_, _> = names
            .iter()
            .cloned()
            .zip(PORTS.start + block * BLOCK..)
            .collect();
        let held: Vec<_> = ports
            .values()
            .map(|port| TcpListener::bind(("127.0.0.1", *port)))
            .collect();
        if held.iter().all(Result::is_ok) {
            return Ok(ports);
        }
    }
    bail!(
        "no {} free ports in a row between {} and {}",
        names.len(),
        PORTS.start,
        PORTS.end
    )
}

#[cfg(test)]
impl Layout {
    /// One below a folder that goes with its test.
    pub(super) fn for_test(folder: &Path, brokers: u16) -> anyhow::Result<Self> {
        let nowhere = Path::new("");
        Self::create(&folder.join("stack"), (nowhere, nowhere), brokers, false)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_made_is_read_again_and_nobody_else_can() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("stack");
        let made = Layout::for_test(folder.path(), 1).unwrap();

        let read = Layout::load(&directory).unwrap().unwrap();

        assert_eq!(
            read.port("task-api:ops").unwrap(),
            made.port("task-api:ops").unwrap()
        );
        assert_eq!(read.secret("jwt").unwrap(), made.secret("jwt").unwrap());
        assert_eq!(read.profile(), Profile::Local);
        let bits = fs::metadata(directory.join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(bits & 0o777, 0o600);
        assert!(read.port("nothing").is_err() && read.secret("nothing").is_err());
    }

    #[test]
    fn three_brokers_are_as_in_production() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::for_test(folder.path(), 3).unwrap();

        assert_eq!(layout.profile(), Profile::Production);
        assert_eq!(layout.bootstrap().unwrap().split(',').count(), 3);
        let mut ports: Vec<_> = layout.ports.values().collect();
        ports.dedup();
        assert!(ports.len() == layout.ports.len() && ports.len() <= usize::from(BLOCK));
    }

    #[test]
    fn there_is_none_in_an_empty_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Layout::load(folder.path()).unwrap().is_none());
    }
}
