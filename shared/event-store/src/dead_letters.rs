//! The dead-letter table as the sidecar's client wants it, and as an operator reads it.

use dapr_client::{DeadLetter, DeadLetters, ParkError};
use database::Database;
use event_schema::App;
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
        self.dead_letter_table().list(limit).await
    }

    /// The dead-letter table of this service.
    pub fn dead_letter_table(&self) -> DeadLetterTable {
        DeadLetterTable::new(self.core.database.clone(), self.core.app)
    }
}

/// The dead-letter table of a service, for its operator; it may be used beside the running service.
///
/// An event that could not be processed is *parked*, and later ones of its key *wait* behind it. An
/// operator replays the parked one (after the cause was mended) or drops it; either way it and those
/// that wait are *released*: the service delivers them to itself again, in order. One that fails again
/// is parked again, with what still waits behind it.
#[derive(Clone, Debug)]
pub struct DeadLetterTable {
    database: Database,
    app: App,
}

impl DeadLetterTable {
    /// The table of this service in its database.
    pub fn new(database: Database, app: App) -> Self {
        Self { database, app }
    }

    /// Every row, the oldest first.
    pub async fn list(&self, limit: u32) -> Result<Vec<DeadLetterRow>, Error> {
        let mut tx = self.database.read().await?;
        Ok(dead_letters::list(&mut tx, self.app.id(), limit).await?)
    }

    /// Releases a parked event and what waits behind it; `false` when no parked one has this id.
    pub async fn replay(&self, id: i64) -> Result<bool, Error> {
        let mut tx = self.database.begin().await?;
        let known = dead_letters::release(&mut tx, self.app.id(), id).await?;
        dead_letters::release_waiting(&mut tx, self.app.id()).await?;
        tx.commit().await?;
        Ok(known)
    }

    /// Forgets a parked event and releases what waits behind it; `false` when no parked one has this id.
    pub async fn discard(&self, id: i64) -> Result<bool, Error> {
        let mut tx = self.database.begin().await?;
        let known = dead_letters::remove(&mut tx, self.app.id(), id, "parked").await?;
        dead_letters::release_waiting(&mut tx, self.app.id()).await?;
        tx.commit().await?;
        Ok(known)
    }

    /// What is to be delivered again, in order.
    pub async fn released(&self, limit: u32) -> Result<Vec<DeadLetterRow>, Error> {
        let mut tx = self.database.read().await?;
        Ok(dead_letters::released(&mut tx, self.app.id(), limit).await?)
    }

    /// Forgets a released event after it was delivered, unless it was parked again meanwhile.
    pub async fn settle(&self, id: i64) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        dead_letters::remove(&mut tx, self.app.id(), id, "released").await?;
        Ok(tx.commit().await?)
    }
}
