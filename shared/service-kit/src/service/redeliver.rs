//! Delivers again what an operator released from the dead-letter table, through the sidecar's door, and
//! says how much there is in it.

use std::collections::HashSet;
use std::time::Duration;

use dapr_client::{Ack, Door};
use event_store::{DeadLetterCount, DeadLetterRow, DeadLetterTable, Error};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How soon a release is noticed: the operator works from another process.
const POLL: Duration = Duration::from_secs(1);
/// How often the table is measured.
const MEASURE: Duration = Duration::from_secs(30);
/// How often a log line says again that somebody should look.
const REMIND: Duration = Duration::from_hours(1);
/// Rows of one read.
const PAGE: u32 = 64;
/// A pass that found so many keys to be retried ends: everything seems to be in trouble.
const MOST_HELD_UP: usize = 64;

/// What it takes to deliver to oneself.
#[derive(Clone, Debug)]
pub struct Redelivery {
    pub(super) table: DeadLetterTable,
    pub(super) door: Door,
}

/// What the log was told last.
#[derive(Default)]
struct Told {
    parked: i64,
    at: Option<Instant>,
}

impl Redelivery {
    /// Delivers what is released, until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let (mut told, mut measured) = (Told::default(), None::<Instant>);
        while !stop.is_cancelled() {
            match self.pass(&stop).await {
                Ok(0) => {}
                Ok(count) => info!("delivered {count} released events again"),
                Err(error) => warn!(%error, "cannot deliver released events: {error}"),
            }
            if measured.is_none_or(|at| at.elapsed() >= MEASURE) {
                measured = Some(Instant::now());
                self.measure(&mut told).await;
            }
            stop.run_until_cancelled(sleep(POLL)).await;
        }
    }

    /// Delivers everything that is released, in order; returns how many events were settled. One that
    /// is to be retried holds up its own key only.
    pub async fn run_once(&self) -> Result<usize, Error> {
        self.pass(&CancellationToken::new()).await
    }

    async fn pass(&self, stop: &CancellationToken) -> Result<usize, Error> {
        let (mut settled, mut after) = (0, 0);
        let mut held_up = HashSet::new();
        loop {
            let rows = self.table.released(after, PAGE).await?;
            if rows.is_empty() {
                return Ok(settled);
            }
            for row in rows {
                after = row.dead_letter_id;
                if stop.is_cancelled() || held_up.len() >= MOST_HELD_UP {
                    return Ok(settled);
                }
                if row.key.is_some() && held_up.contains(&row.key) {
                    continue;
                }
                if self.deliver(&row).await? {
                    settled += usize::from(self.table.settle(after).await?);
                } else {
                    held_up.insert(row.key);
                }
            }
        }
    }

    /// Whether the door took it: processed, parked again, or put back behind another of its key.
    async fn deliver(&self, row: &DeadLetterRow) -> Result<bool, Error> {
        let Some(event) = self.table.envelope(row.dead_letter_id).await? else {
            return Ok(true); // Dropped a moment ago.
        };
        let ack = self.door.deliver(&row.topic, row.key.as_deref(), event);
        Ok(ack.await == Ack::Success)
    }

    /// Shows the gauges, and says in the log when an operator should look.
    async fn measure(&self, told: &mut Told) {
        match self.table.measure().await {
            Ok(counts) => told.tell(&counts),
            Err(error) => warn!(%error, "cannot measure the dead letters: {error}"),
        }
    }
}

impl Told {
    /// Says it when there are more than last time, and again every hour.
    fn tell(&mut self, counts: &[DeadLetterCount]) {
        let of = |state: &str| counts.iter().find(|count| count.state == state);
        let Some(parked) = of("parked") else {
            *self = Self::default();
            return;
        };
        let more = parked.count > self.parked;
        if more || self.at.is_none_or(|at| at.elapsed() >= REMIND) {
            self.at = Some(Instant::now());
            let waiting = of("waiting").map_or(0, |count| count.count);
            let bytes: i64 = counts.iter().map(|count| count.bytes).sum();
            warn!(
                parked = parked.count,
                waiting,
                bytes,
                "{} events are parked and {waiting} wait behind them, the oldest since {}; see `taskledger dead-letters list`",
                parked.count,
                parked.oldest.format("%Y-%m-%d %H:%M UTC"),
            );
        }
        self.parked = parked.count;
    }
}
