//! The log in the order of positions: dense, unique, and saying what its rows say.

use database::Tx;
use event_schema::Envelope;

use super::{PAGE, Verification};
use crate::catalog::Catalog;
use crate::projection::{self, Tables};
use crate::store::audit::{self, LogRow};
use crate::store::events;
use crate::{Error, replay};

/// Reads every event, and folds it into the rows that the projections are to have.
pub(super) async fn verify(
    tx: &mut Tx,
    catalog: &Catalog,
    found: &mut Verification,
) -> Result<(), Error> {
    let mut last = 0;
    loop {
        let page = audit::log_after(tx, last, PAGE).await?;
        let Some(end) = page.last() else { break };
        if let Some(missing) = missing(last, &page) {
            found.find(format!("position {missing} is missing"));
        }
        last = end.position;
        found.events += page.len() as u64;
        for event in &page {
            check_envelope(event, found);
        }
        // What cannot be decoded is found where its stream is folded.
        let newest = replay::newest(&page);
        let changes: Vec<_> = newest
            .filter_map(|event| replay::change(catalog, event).ok())
            .collect();
        for projection in catalog.projections() {
            projection::apply(projection.as_ref(), tx, Tables::EXPECTED, &changes).await?;
        }
    }
    let counter = events::last_position(tx).await?;
    if counter != last {
        found.find(format!(
            "the next position follows {counter}, but the log ends at {last}"
        ));
    }
    for (id, times) in audit::repeated_ids(tx, PAGE).await? {
        found.find(format!("event id {id} stands in the log {times} times"));
    }
    Ok(())
}

/// The first position that is not there.
fn missing(last: i64, page: &[LogRow]) -> Option<i64> {
    let expected = last + 1..;
    let mut pairs = expected.zip(page);
    pairs.find_map(|(expected, event)| (event.position != expected).then_some(expected))
}

fn check_envelope(event: &LogRow, found: &mut Verification) {
    let position = event.position;
    let envelope = match Envelope::parse(event.envelope.as_bytes()) {
        Ok(envelope) => envelope,
        Err(error) => {
            found.find(format!("position {position}: {error}"));
            return;
        }
    };
    for (column, row, says) in [
        (
            "event_id",
            event.event_id.to_string(),
            envelope.id.to_string(),
        ),
        ("type", event.r#type.clone(), envelope.event_type),
        ("stream_id", event.stream_id.to_string(), envelope.subject),
        ("version", event.version.to_string(), envelope.sequence),
        ("key", event.key.to_string(), envelope.partitionkey),
    ] {
        if row != says {
            found.find(format!(
                "position {position}: {column} is {row}, its envelope says {says}"
            ));
        }
    }
    if event.owner_id.is_nil() {
        found.find(format!("position {position}: has no owner"));
    }
}
