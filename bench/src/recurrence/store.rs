//! What became of the series, as task-api's own rows tell.

use std::collections::HashMap;

use database::{Database, Error, on, sqlx};
use uuid::Uuid;

/// The tasks of every series.
pub(super) async fn tasks_of_series(tasks: &Database) -> Result<HashMap<Uuid, Vec<Uuid>>, Error> {
    let mut tx = tasks.read().await?;
    let rows: Vec<(Uuid, Uuid)> = on!(&mut tx, conn => sqlx::query_as(
        "select series_id, task_id from tasks where series_id is not null"
    ).fetch_all(conn).await)?;
    let mut of_series: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (series, task) in rows {
        of_series.entry(series).or_default().push(task);
    }
    Ok(of_series)
}
