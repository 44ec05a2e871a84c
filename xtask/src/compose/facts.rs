//! What an image and its container are, as the engine and the system say it.

use std::fs;

use anyhow::{Context, ensure};
use chrono::DateTime;
use serde_json::Value;

use super::engine::{Engine, docker, log};
use crate::root::say;

/// The largest image of a service, in bytes.
const LARGEST: u64 = 30_000_000;
/// The longest start, in seconds.
const SLOWEST: f64 = 1.0;
/// What a service logs when its ops address is open.
const LISTENS: &str = "ops listens";

/// Of a service that runs.
#[derive(Debug)]
pub(super) struct Facts {
    name: String,
    bytes: u64,
    seconds: f64,
    user: String,
    read_only: bool,
    capabilities: String,
    no_new_privileges: bool,
    health_check: String,
}

/// Asks the engine about a running container, and the system about its process.
pub(super) fn of_service(engine: &Engine, name: &str) -> anyhow::Result<Facts> {
    let id = engine.ask(&["ps", "--quiet", name])?;
    let container = inspected("container", &id)?;
    let at = |pointer: &str| {
        container
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let image = inspected("image", at("/Image"))?;
    let process = container["State"]["Pid"].to_string();
    let status = format!("/proc/{process}/status");
    let status = fs::read_to_string(&status)
        .with_context(|| format!("{status}: the engine has to run on this machine"))?;
    let said = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.unwrap_or_default().trim().to_owned()
    };
    Ok(Facts {
        name: name.to_owned(),
        bytes: image["Size"].as_u64().unwrap_or(u64::MAX),
        seconds: started(&id, at("/State/StartedAt"))?,
        user: said("Uid:")
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
        read_only: container["HostConfig"]["ReadonlyRootfs"] == Value::Bool(true),
        capabilities: said("CapBnd:") + &said("CapEff:"),
        no_new_privileges: said("NoNewPrivs:") == "1",
        health_check: image["Config"]["Healthcheck"]["Test"].to_string(),
    })
}

fn inspected(kind: &str, id: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&docker(&[
        kind,
        "inspect",
        "--format={{json .}}",
        id,
    ])?)?)
}

/// Seconds from the start of the container to its open ops address.
fn started(id: &str, at: &str) -> anyhow::Result<f64> {
    let log = log(id)?;
    let line = log.lines().rev().find(|line| line.contains(LISTENS));
    let (opened, _) = line
        .and_then(|line| line.split_once(' '))
        .context("it does not listen")?;
    seconds_between(at, opened).with_context(|| format!("no times: {at}, {opened}"))
}

/// From one instant to another. The engine notes the start when the process runs already, and may be
/// slower than the service: then it is 0.
fn seconds_between(from: &str, until: &str) -> Option<f64> {
    let [from, until] = [from, until].map(|at| DateTime::parse_from_rfc3339(at).ok());
    Some((until? - from?).as_seconds_f64().max(0.0))
}

/// Shows them, and fails when one is not as promised.
pub(super) fn assert_modest(all: &[Facts]) -> anyhow::Result<()> {
    say("service               MB   start s   user   read-only   capabilities   no new privileges");
    for facts in all {
        let bytes = u32::try_from(facts.bytes).unwrap_or(u32::MAX);
        let none = if facts.has_capabilities() {
            "some"
        } else {
            "none"
        };
        say(&format!(
            "{:<19}{:>5.1}{:>10.3}{:>7}{:>12}{none:>15}{:>20}",
            facts.name,
            f64::from(bytes) / 1e6,
            facts.seconds,
            facts.user,
            facts.read_only,
            facts.no_new_privileges
        ));
    }
    all.iter().try_for_each(Facts::is_modest)
}

impl Facts {
    fn has_capabilities(&self) -> bool {
        self.capabilities.chars().any(|digit| digit != '0')
    }

    fn is_modest(&self) -> anyhow::Result<()> {
        let name = &self.name;
        ensure!(
            self.bytes <= LARGEST,
            "the image of {name} has {} bytes",
            self.bytes
        );
        ensure!(
            self.seconds <= SLOWEST,
            "{name} takes {} s to start",
            self.seconds
        );
        ensure!(
            !["", "0"].contains(&self.user.as_str()),
            "{name} runs as root"
        );
        ensure!(self.read_only, "{name} may write to its root");
        ensure!(
            !self.has_capabilities(),
            "{name} has capabilities: {}",
            self.capabilities
        );
        ensure!(self.no_new_privileges, "{name} may get privileges");
        let check = r#"["CMD","/service","health"]"#;
        ensure!(
            self.health_check == check,
            "the health check of {name} is {}",
            self.health_check
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modest() -> Facts {
        Facts {
            name: "notifier".to_owned(),
            bytes: 20_000_000,
            seconds: 0.1,
            user: "65532".to_owned(),
            read_only: true,
            capabilities: "00000000000000000000000000000000".to_owned(),
            no_new_privileges: true,
            health_check: r#"["CMD","/service","health"]"#.to_owned(),
        }
    }

    #[test]
    fn one_that_is_not_as_promised_is_refused() {
        assert!(modest().is_modest().is_ok());
        for broken in [
            Facts {
                bytes: 31_000_000,
                ..modest()
            },
            Facts {
                seconds: 1.1,
                ..modest()
            },
            Facts {
                user: "0".to_owned(),
                ..modest()
            },
            Facts {
                read_only: false,
                ..modest()
            },
            Facts {
                capabilities: "00000000a80425fb".to_owned(),
                ..modest()
            },
            Facts {
                no_new_privileges: false,
                ..modest()
            },
            Facts {
                health_check: "null".to_owned(),
                ..modest()
            },
        ] {
            assert!(broken.is_modest().is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_start_takes_from_one_instant_to_the_other() {
        let [evening, midnight] = ["2026-11-22T23:59:59.75Z", "2026-11-23T00:00:00Z"];
        assert_eq!(seconds_between(evening, midnight), Some(0.25));
        assert!(seconds_between("yesterday", midnight).is_none());
    }

    #[test]
    fn a_service_that_listens_before_the_engine_says_that_it_runs_takes_no_time() {
        let [listens, runs] = ["2026-11-23T14:45:30.1Z", "2026-11-23T14:45:30.137469Z"];
        assert_eq!(seconds_between(runs, listens), Some(0.0));
    }
}
