//! Proves that log, heads and timers of a ledger fit together, while its service runs.

mod stream;

use database::{Database, Tx};
use event_schema::Envelope;
use uuid::Uuid;

use crate::store::audit::{self, EventRow, HeadRow};
use crate::store::events;
use crate::{Aggregate, Error};
use stream::{Check, check};

/// Events or heads read at a time.
const PAGE: i64 = 500;
/// After so many findings the rest would say the same.
const MOST_FINDINGS: usize = 100;

/// What was looked at, and every row that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Events in the log.
    pub events: u64,
    /// Streams with a head.
    pub streams: u64,
    /// What is wrong, a sentence with the exact row each; at most a hundred.
    pub findings: Vec<String>,
}

/// Verifies the ledger of one service.
///
/// It reads one snapshot, so it may run beside the service: positions are dense and end where the
/// counter stands, ids are unique, envelopes say what their rows say, versions are dense, the fold of
/// each stream's events equals the state in every envelope and in its head, and timers are what the
/// states say.
#[derive(Debug)]
pub struct Verifier<'a> {
    database: &'a Database,
    kinds: Vec<(&'static str, Check)>,
}

impl<'a> Verifier<'a> {
    /// A verifier of this database, which knows no kind of stream yet.
    pub fn new(database: &'a Database) -> Self {
        Self {
            database,
            kinds: Vec::new(),
        }
    }

    /// Folds streams of this kind.
    #[must_use]
    pub fn kind<A: Aggregate>(mut self) -> Self {
        self.kinds.push((A::KIND, check::<A>));
        self
    }

    /// Reads everything once. What is wrong is in the findings; an error means that it could not look.
    pub async fn run(&self) -> Result<Verification, Error> {
        let mut tx = self.database.read().await?;
        let mut found = Verification::default();
        verify_log(&mut tx, &mut found).await?;
        self.verify_streams(&mut tx, &mut found).await?;
        found.findings.truncate(MOST_FINDINGS);
        Ok(found)
    }

    async fn verify_streams(&self, tx: &mut Tx, found: &mut Verification) -> Result<(), Error> {
        let mut last = (String::new(), Uuid::nil());
        loop {
            let heads = audit::heads_after(tx, &last.0, last.1, PAGE).await?;
            let Some(end) = heads.last() else { break };
            last = (end.kind.clone(), end.stream_id);
            for head in &heads {
                found.streams += 1;
                self.verify_stream(tx, head, found).await?;
            }
            if found.findings.len() >= MOST_FINDINGS {
                return Ok(());
            }
        }
        for (kind, stream_id) in audit::headless(tx, PAGE).await? {
            found
                .findings
                .push(format!("{kind} {stream_id}: has events and no head"));
        }
        Ok(())
    }

    async fn verify_stream(
        &self,
        tx: &mut Tx,
        head: &HeadRow,
        found: &mut Verification,
    ) -> Result<(), Error> {
        let name = format!("{} {}", head.kind, head.stream_id);
        let Some((_, check)) = self.kinds.iter().find(|(kind, _)| *kind == head.kind) else {
            found
                .findings
                .push(format!("{name}: no service knows this kind of stream"));
            return Ok(());
        };
        let envelopes = audit::envelopes_of(tx, &head.kind, head.stream_id).await?;
        let timers = audit::timers_of(tx, &head.kind, head.stream_id).await?;
        let wrong = check(head, &envelopes, &timers);
        found
            .findings
            .extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
        Ok(())
    }
}

async fn verify_log(tx: &mut Tx, found: &mut Verification) -> Result<(), Error> {
    let mut last = 0;
    loop {
        let page = audit::events_after(tx, last, PAGE).await?;
        let Some(end) = page.last() else { break };
        let end = end.position;
        for (expected, event) in (last + 1..).zip(&page) {
            found.events += 1;
            if event.position != expected {
                found
                    .findings
                    .push(format!("position {expected} is missing"));
                break; // What follows is only shifted.
            }
            check_envelope(event, &mut found.findings);
        }
        last = end;
        if found.findings.len() >= MOST_FINDINGS {
            return Ok(());
        }
    }
    let counter = events::last_position(tx).await?;
    if counter != last {
        found.findings.push(format!(
            "the next position follows {counter}, but the log ends at {last}"
        ));
    }
    for (id, times) in audit::repeated_ids(tx, PAGE).await? {
        found
            .findings
            .push(format!("event id {id} stands in the log {times} times"));
    }
    Ok(())
}

fn check_envelope(event: &EventRow, findings: &mut Vec<String>) {
    let position = event.position;
    let envelope = match Envelope::parse(event.envelope.as_bytes()) {
        Ok(envelope) => envelope,
        Err(error) => {
            findings.push(format!("position {position}: {error}"));
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
            findings.push(format!(
                "position {position}: {column} is {row}, its envelope says {says}"
            ));
        }
    }
    if event.owner_id.is_nil() {
        findings.push(format!("position {position}: has no owner"));
    }
}
