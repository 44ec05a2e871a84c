//! The comparison: the ledger, what it replaces, and what the database could do at most.

mod config;
mod side;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clock::SystemClock;

use crate::case::{Load, Side};
use crate::peers::Peers;
use crate::place::Place;
use crate::probe;
use crate::report::{CaseReport, Report, Round, say};
use side::Stage;

pub(crate) use config::Config;

/// The peers are libraries and a server that wait for their answers too.
const PEERS_LOAD: Load = Load::Clients(64);
const PROBED_FOR: Duration = Duration::from_secs(1);
/// So many rounds of a case are repeated because others used the machine.
const MOST_REPEATS: usize = 3;

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let folder = match &config.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    // The database's own account must reach its part of it.
    make_passable(folder.path())?;
    let peers = if config.peers {
        Some(Peers::install(&config.peers_folder, config.database)?)
    } else {
        None
    };
    let place = Place::open(config.database, folder.path()).await?;
    let sidecar = side::sidecar(config.relay, folder.path()).await?;
    let mut report = Report {
        database: place.description(),
        relay: config.relay.description().to_owned(),
        cores: std::thread::available_parallelism()?.get(),
        seconds: config.seconds,
        pairs: config.pairs,
        foreign_limit: config.foreign_limit,
        cases: Vec::new(),
        missing: Vec::new(),
    };
    let stage = Stage {
        config: &config,
        place: &place,
        folder: folder.path(),
        sidecar: sidecar.as_ref(),
        peers: peers.as_ref(),
        clock: Arc::new(SystemClock::new()),
    };
    for load in &config.only {
        let sides = config.sides(*load);
        report.cases.push(case(&stage, *load, &sides).await?);
    }
    if let Some(peers) = &peers {
        let sides = peers.sides();
        report.cases.push(case(&stage, PEERS_LOAD, &sides).await?);
        report.missing.clone_from(&peers.missing);
    }
    if let Some(sidecar) = sidecar {
        sidecar.stop().await?;
    }
    if let Some(file) = &config.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    report.print()
}

/// A B A B A …, until there are enough rounds in which the machine was ours.
async fn case(stage: &Stage<'_>, load: Load, sides: &[Side]) -> anyhow::Result<CaseReport> {
    let config = stage.config;
    let mut case = CaseReport {
        load,
        flush_probe: probe::flush(stage.folder, PROBED_FOR)?,
        rounds: Vec::new(),
        dropped: Vec::new(),
    };
    while case.rounds.len() < config.pairs {
        let number = case.rounds.len() + 1;
        let mut runs = BTreeMap::new();
        for &side in sides {
            say(&format!("{load}, pair {number}: {side}"));
            let run = stage.run(side, load).await?;
            say(&format!("  {}", run.in_a_line()));
            runs.insert(side, run);
        }
        let round = Round { runs };
        let foreign = round.foreign_cores();
        if foreign > config.foreign_limit && case.dropped.len() < MOST_REPEATS {
            say(&format!("  dropped: others used {foreign:.2} cores"));
            case.dropped.push(round);
        } else {
            case.rounds.push(round);
        }
    }
    Ok(case)
}

fn make_passable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

impl Config {
    /// Who takes part: the ceiling knows no clients, so it is measured once, beside the most.
    fn sides(&self, load: Load) -> Vec<Side> {
        let clients = |load: &Load| match load {
            Load::Clients(clients) => Some(*clients),
            Load::Rate(_) => None,
        };
        let most = self.only.iter().filter_map(clients).max();
        let is_most = clients(&load).is_some() && clients(&load) == most;
        let sides = [Side::Ledger, Side::Naive, Side::Ceiling];
        let takes_part = |side: &Side| match side {
            Side::Ledger => true,
            Side::Naive => self.against.contains(side),
            Side::Ceiling => self.against.contains(side) && is_most,
            _ => false,
        };
        sides.into_iter().filter(takes_part).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn the_ceiling_is_measured_once_beside_the_most_clients() {
        let config = Flags::parse_from(["ledger"]).config;
        let with_ceiling = |load: &&Load| config.sides(**load).contains(&Side::Ceiling);
        let loads: Vec<_> = config.only.iter().filter(with_ceiling).collect();
        assert_eq!(loads, [&Load::Clients(256)]);
        assert_eq!(config.sides(Load::Rate(1000)), [Side::Ledger, Side::Naive]);
    }
}
