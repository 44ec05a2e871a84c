//! Delivers again what an operator released from the dead-letter table, through the sidecar's door.

use std::time::Duration;

use dapr_client::{Ack, Door};
use event_store::{DeadLetterRow, DeadLetterTable, Error};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How soon a release is noticed: the operator works from another process.
const POLL: Duration = Duration::from_secs(1);
/// Rows of one pass.
const BATCH: u32 = 64;

/// What it takes to deliver to oneself.
#[derive(Clone, Debug)]
pub struct Redelivery {
    pub(super) table: DeadLetterTable,
    pub(super) door: Door,
}

impl Redelivery {
    /// Delivers what is released, until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.run_once().await {
                Ok(0) => {}
                Ok(count) => info!("delivered {count} released events again"),
                Err(error) => warn!(%error, "cannot deliver released events: {error}"),
            }
            stop.run_until_cancelled(tokio::time::sleep(POLL)).await;
        }
    }

    /// Delivers one batch in order; returns how many events were settled. One that is to be retried
    /// ends the batch, because those behind it may be of its key.
    pub async fn run_once(&self) -> Result<usize, Error> {
        let mut settled = 0;
        for row in self.table.released(BATCH).await? {
            let id = row.dead_letter_id;
            if !self.deliver(row).await {
                break;
            }
            self.table.settle(id).await?;
            settled += 1;
        }
        Ok(settled)
    }

    /// Whether the door took it: processed, or parked again.
    async fn deliver(&self, row: DeadLetterRow) -> bool {
        let ack = self
            .door
            .deliver(&row.topic, row.key.as_deref(), row.envelope);
        ack.await == Ack::Success
    }
}
