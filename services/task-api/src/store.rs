//! Rows for reading, made from the log in the transaction of the events.

pub mod preferences;
pub mod reminders;
pub mod series;
pub mod tasks;

use std::sync::Arc;

use database::MigrationSet;
use event_store::Projection;

/// The service's own tables; they come after the ledger's.
pub const MIGRATIONS: MigrationSet = database::migrations!(
    "task-api": "0001_tasks", "0002_task_labels", "0003_series", "0004_reminders", "0005_withdrawn_tasks",
    "0006_preferences", "0007_tasks_without_version"
);

/// Every projection of the ledger.
pub fn projections() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(tasks::Tasks),
        Arc::new(series::SeriesRows),
        Arc::new(reminders::Reminders),
        Arc::new(preferences::PreferencesRows),
    ]
}
