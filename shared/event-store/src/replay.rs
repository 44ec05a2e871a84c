//! The log a page at a time, as the changes that a projection is told.

use std::collections::HashMap;

use database::Tx;
use event_schema::Envelope;
use uuid::Uuid;

use crate::Error;
use crate::catalog::Catalog;
use crate::projection::StreamChange;
use crate::store::audit::{self, LogRow};
use crate::store::to_u64;

/// Some events that follow each other.
pub(crate) struct Page {
    /// How many.
    pub(crate) events: usize,
    /// The position of the last.
    pub(crate) end: i64,
    /// Each of their streams once, with its newest state.
    pub(crate) changes: Vec<StreamChange>,
}

/// The events after a position; `None` at the end of the log.
pub(crate) async fn page(
    tx: &mut Tx,
    catalog: &Catalog,
    after: i64,
    limit: i64,
) -> Result<Option<Page>, Error> {
    let rows = audit::log_after(tx, after, limit).await?;
    let Some(last) = rows.last() else {
        return Ok(None);
    };
    let end = last.position;
    if usize::try_from(end - after) != Ok(rows.len()) {
        return Err(Error::Bug(format!(
            "the log has a hole after position {after}: `ledger verify` says where"
        )));
    }
    let changes = newest(&rows)
        .map(|row| change(catalog, row).map_err(|error| unreadable(row.position, &error)));
    Ok(Some(Page {
        events: rows.len(),
        end,
        changes: changes.collect::<Result<_, _>>()?,
    }))
}

/// The last row of each stream, in the order of the log.
pub(crate) fn newest(rows: &[LogRow]) -> impl Iterator<Item = &LogRow> {
    let mut last: HashMap<(&str, Uuid), i64> = HashMap::with_capacity(rows.len());
    for row in rows {
        last.insert((&row.kind, row.stream_id), row.position);
    }
    let is_last =
        move |row: &LogRow| last.get(&(row.kind.as_str(), row.stream_id)) == Some(&row.position);
    rows.iter().filter(move |row| is_last(row))
}

/// What a projection is told when this event is the newest of its stream.
pub(crate) fn change(catalog: &Catalog, row: &LogRow) -> Result<StreamChange, String> {
    let kind = catalog
        .find(&row.kind)
        .ok_or_else(|| format!("no service knows streams of kind {}", row.kind))?;
    let envelope = Envelope::parse(row.envelope.as_bytes()).map_err(|error| error.to_string())?;
    Ok(StreamChange {
        kind: kind.name,
        stream_id: row.stream_id,
        version: to_u64(row.version),
        snapshot: (kind.state)(&envelope)?,
        before: None,
    })
}

fn unreadable(position: i64, error: &str) -> Error {
    Error::Bug(format!("the event at position {position}: {error}"))
}
