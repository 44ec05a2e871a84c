//! Keys that the relay parked, in an operator's hands.

use database::Database;
use uuid::Uuid;

use crate::store::relay_parked;
use crate::{Error, Ledger, ParkedKeyRow};

/// The keys that a service's relay parked, for its operator; it may be used beside the running service.
///
/// A key whose next event the sidecar refuses for good is *parked*: its events stay in the log, and
/// others go on. An operator *releases* it after the cause was mended. The relay then publishes what it
/// skipped, in order, within seconds, and the key is like any other again. One that is refused again is
/// parked again where it stands.
#[derive(Clone, Debug)]
pub struct ParkedKeyTable {
    database: Database,
}

impl ParkedKeyTable {
    /// The table in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Every parked key, the oldest first.
    pub async fn list(&self, limit: u32) -> Result<Vec<ParkedKeyRow>, Error> {
        let mut tx = self.database.read().await?;
        Ok(relay_parked::list(&mut tx, limit).await?)
    }

    /// Releases a key; `false` when it is not parked. Once more changes nothing.
    pub async fn release(&self, key: Uuid) -> Result<bool, Error> {
        let mut tx = self.database.begin().await?;
        let known = relay_parked::release(&mut tx, key).await?;
        tx.commit().await?;
        Ok(known)
    }
}

impl Ledger {
    /// The keys that the relay parked, the oldest first.
    pub async fn parked_keys(&self, limit: u32) -> Result<Vec<ParkedKeyRow>, Error> {
        self.parked_key_table().list(limit).await
    }

    /// Releases a key that the relay parked; `false` when it is not parked.
    pub async fn release_parked(&self, key: Uuid) -> Result<bool, Error> {
        self.parked_key_table().release(key).await
    }

    /// The keys that this service's relay parked.
    pub fn parked_key_table(&self) -> ParkedKeyTable {
        ParkedKeyTable::new(self.core.database.clone())
    }
}
