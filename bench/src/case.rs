//! What is compared under which load.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Serialize, Serializer};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Side {
    /// Commands through task-api.
    Ledger,
    /// The same rows by a handler with a transaction per request.
    Naive,
    /// The same rows written directly, a hundred events at a time.
    Ceiling,
    /// Timers through reminder-scheduler.
    #[value(skip)]
    Timers,
    /// Jobs sent to pg-boss.
    #[value(skip)]
    PgBoss,
    /// Jobs added to graphile-worker.
    #[value(skip)]
    GraphileWorker,
    /// Calls that Restate shall make later.
    #[value(skip)]
    Restate,
}

impl Side {
    pub(crate) const ALL: [Self; 7] = [
        Self::Ledger,
        Self::Timers,
        Self::Naive,
        Self::Ceiling,
        Self::PgBoss,
        Self::GraphileWorker,
        Self::Restate,
    ];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ledger => "ledger",
            Self::Naive => "naive",
            Self::Ceiling => "ceiling",
            Self::Timers => "timers",
            Self::PgBoss => "pg-boss",
            Self::GraphileWorker => "graphile-worker",
            Self::Restate => "restate",
        })
    }
}

/// How requests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Closed loop: so many clients, each waiting for its answer before it asks again.
    Clients(usize),
    /// Open loop: so many requests a second, whatever becomes of them.
    Rate(u32),
}

/// The most clients: each is a connection, and the service has 1024 of them.
const MOST_CLIENTS: usize = 1000;
const HIGHEST_RATE: u32 = 1_000_000;

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clients(1) => f.pad("1 client"),
            Self::Clients(clients) => f.pad(&format!("{clients} clients")),
            Self::Rate(rate) => f.pad(&format!("{rate}/s")),
        }
    }
}

impl Serialize for Load {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Text that names no load.
#[derive(Debug, thiserror::Error)]
#[error("a load is c64 for 64 clients (1 to {MOST_CLIENTS}), or r5000 for 5 000 requests a second")]
pub(crate) struct LoadError;

impl FromStr for Load {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Self, LoadError> {
        let (kind, count) = text.split_at_checked(1).ok_or(LoadError)?;
        match kind {
            "c" => {
                let clients = count.parse().ok();
                let clients = clients.filter(|clients| (1..=MOST_CLIENTS).contains(clients));
                clients.map(Self::Clients).ok_or(LoadError)
            }
            "r" => {
                let rate = count.parse().ok();
                let rate = rate.filter(|rate| (1..=HIGHEST_RATE).contains(rate));
                rate.map(Self::Rate).ok_or(LoadError)
            }
            _ => Err(LoadError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_named_shortly() {
        assert_eq!("c64".parse::<Load>().ok(), Some(Load::Clients(64)));
        assert_eq!("r5000".parse::<Load>().ok(), Some(Load::Rate(5000)));
        for wrong in ["", "c", "c0", "c1001", "r0", "r-1", "x5", "é5"] {
            assert!(wrong.parse::<Load>().is_err(), "{wrong}");
        }
    }
}
