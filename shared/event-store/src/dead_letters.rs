//! The dead-letter table as the sidecar's client wants it, and as an operator reads it.

use dapr_client::{DeadLetter, DeadLetters, ParkError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::warn;

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
        let new = dead_letters::park(&mut tx, app.id(), &dead, self.core.clock.now()).await?;
        tx.commit().await?;
        if new {
            metrics::parked(app, &dead.topic);
            warn!(
                event.id = dead.event_id,
                event.r#type = dead.event_type,
                topic = dead.topic,
                "parked an event of {}: {}",
                dead.topic,
                dead.reason
            );
        }
        Ok(())
    }

    /// What stands in the dead-letter table, the oldest first.
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetterRow>, Error> {
        let mut tx = self.core.database.read().await?;
        Ok(dead_letters::list(&mut tx, self.core.app.id(), limit).await?)
    }
}
