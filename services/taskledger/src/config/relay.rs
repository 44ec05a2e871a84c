//! The command line of `taskledger relay`.

use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::location::Location;

/// Looks after keys whose next event the sidecar refuses for good. Works beside a running suite.
#[derive(Clone, Debug, Subcommand)]
pub enum RelayCommand {
    /// Lists the keys whose events stay in the log.
    Parked(ParkedConfig),
    /// Lets the relay publish a parked key's events again, in order, after the cause was mended.
    Release(ReleaseConfig),
}

/// What `relay parked` shows.
#[derive(Clone, Debug, Args)]
pub struct ParkedConfig {
    /// Only this service, by its app id.
    #[arg(long)]
    pub service: Option<String>,

    /// One JSON object per line.
    #[arg(long)]
    pub json: bool,

    /// Where the ledgers are.
    #[command(flatten)]
    pub location: Location,
}

/// What `relay release` does.
#[derive(Clone, Debug, Args)]
pub struct ReleaseConfig {
    /// The key, as the list shows it.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub key: Option<Uuid>,

    /// Every parked key.
    #[arg(long)]
    pub all: bool,

    /// Only this service, by its app id.
    #[arg(long)]
    pub service: Option<String>,

    /// Says what would happen, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Where the ledgers are.
    #[command(flatten)]
    pub location: Location,
}
