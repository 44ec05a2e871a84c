//! What to compare.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::case::{Load, Side};
use crate::driver::Times;
use crate::place::Kind;

/// What to compare.
#[derive(Args, Clone, Debug)]
pub(crate) struct Config {
    /// On which database.
    #[arg(long, value_enum, default_value_t = Kind::Postgres)]
    pub(super) database: Kind,

    /// Pairs of runs per load.
    #[arg(long, default_value_t = 5)]
    pub(super) pairs: usize,

    /// Seconds that each run is measured.
    #[arg(long, default_value_t = 4.0, value_parser = seconds)]
    pub(super) seconds: f64,

    /// Seconds of the same load before that.
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub(super) warm_up: f64,

    /// Loads: c64 is a closed loop of 64 clients, r5000 an open loop of 5 000 requests a second.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "c1,c64,c256,r1000,r5000,r10000"
    )]
    pub(super) only: Vec<Load>,

    /// What the ledger is compared with.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "naive,ceiling"
    )]
    pub(super) against: Vec<Side>,

    /// Whether a sidecar is there that takes what the ledger publishes.
    #[arg(long, value_enum, default_value_t = Relay::On)]
    pub(super) relay: Relay,

    /// A pair is dropped and repeated when others used more cores than this.
    #[arg(long, default_value_t = 0.15)]
    pub(super) foreign_limit: f64,

    /// Writes everything that was measured into this file too.
    #[arg(long)]
    pub(super) json: Option<PathBuf>,

    /// Where the databases are made; by default where temporary files are.
    #[arg(long)]
    pub(super) folder: Option<PathBuf>,

    /// Compares with pg-boss, graphile-worker and Restate too, as far as npm can install them.
    #[arg(long)]
    pub(super) peers: bool,

    /// Where npm installs them; what is there already stays.
    #[arg(long, default_value = "target/bench-peers")]
    pub(super) peers_folder: PathBuf,

    /// Verifies after each run that what was written is a ledger without a fault.
    #[arg(long)]
    pub(super) verify: bool,
}

/// Whether the ledger's events are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Relay {
    /// A stand-in takes every event at once and drops it.
    On,
    /// Nothing listens, as in an outage: the relay backs off.
    Off,
}

impl Relay {
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::On => {
                "on: the ledger publishes to a stand-in sidecar that takes and drops events"
            }
            Self::Off => "off: no sidecar listens, the ledger's relay backs off",
        }
    }
}

impl Config {
    /// The same without the ledger's own loads.
    pub(crate) fn only_peers(mut self) -> Self {
        self.only.clear();
        self.peers = true;
        self
    }

    pub(super) fn times(&self) -> Times {
        Times {
            warm_up: Duration::from_secs_f64(self.warm_up),
            measured: Duration::from_secs_f64(self.seconds),
        }
    }
}

/// Between nothing and an hour.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=3600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("must be between 0 and 3600".to_owned())
    }
}
