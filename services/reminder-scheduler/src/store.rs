//! Rows for reading, made from the log in the transaction of the events.

pub mod plans;

use std::sync::Arc;

use database::MigrationSet;
use event_store::Projection;

/// The service's own tables; they come after the ledger's.
pub const MIGRATIONS: MigrationSet = database::migrations!("reminder-scheduler": "0001_plans");

/// Every projection of the ledger.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(plans::Plans)]
}
