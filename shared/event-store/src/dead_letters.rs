//! The dead-letter table as the sidecar's client wants it, and as an operator works with it.

mod filter;
mod pace;
mod replay;
mod table;

use dapr_client::{DeadLetter, DeadLetters, ParkError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::warn;

pub use filter::{DeadLetterFilter, DeadLetterState};
pub use replay::{BulkReplay, ReplayProgress};
pub use table::{DeadLetterTable, Dropped, Replayed};

use crate::store::dead_letters;
use crate::{DeadLetterRow, Error, Ledger, metrics};

impl DeadLetters for Ledger {
    fn park(&self, dead: DeadLetter) -> BoxFuture<'_, Result<(), ParkError>> {
        async move { self.park_now(dead).await.map_err(ParkError::new) }.boxed()
    }
}

impl Ledger {
    async fn park_now(&self, dead: DeadLetter) -> Result<(), Error> {
        let app = self.core.app;
        let mut tx = self.core.database.begin().await?;
        let attempts = dead_letters::park(&mut tx, app.id(), &dead, self.core.clock.now()).await?;
        tx.commit().await?;
        if let Some(attempts) = attempts {
            metrics::parked(app, &dead.topic);
            warn!(
                event.id = dead.event_id,
                event.r#type = dead.event_type,
                topic = dead.topic,
                attempts,
                "parked an event of {}: {}",
                dead.topic,
                dead.reason
            );
        }
        Ok(())
    }

    /// What stands in the dead-letter table, the oldest first.
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetterRow>, Error> {
        let table = self.dead_letter_table();
        table.list(&DeadLetterFilter::default(), 0, limit).await
    }

    /// The dead-letter table of this service.
    pub fn dead_letter_table(&self) -> DeadLetterTable {
        DeadLetterTable::new(self.core.database.clone(), self.core.app)
    }
}
