//! Proves that log, heads, timers and projections of a ledger fit together, while its service runs.

mod log;
mod rows;
pub(crate) mod stream;
mod streams;

use database::Database;

use crate::Error;
use crate::catalog::Catalog;
pub(crate) use stream::Fold;

/// Rows read at a time.
const PAGE: i64 = 1_000;
/// After so many findings the rest would say the same.
const MOST_FINDINGS: usize = 100;

/// What was looked at, and every row that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Events in the log.
    pub events: u64,
    /// Streams with a head.
    pub streams: u64,
    /// Rows of projections that follow from the log.
    pub rows: u64,
    /// What is wrong, a sentence with the exact row each; at most a hundred.
    pub findings: Vec<String>,
}

impl Verification {
    fn find(&mut self, finding: impl Into<String>) {
        if !self.is_full() {
            self.findings.push(finding.into());
        }
    }

    fn is_full(&self) -> bool {
        self.findings.len() >= MOST_FINDINGS
    }
}

/// Verifies the ledger of one service.
///
/// It reads one snapshot, so it may run beside the service, and a page at a time, so it needs little
/// memory: positions are dense and end where the counter stands, ids are unique, envelopes say what
/// their rows say and fit their schemas, versions are dense, the fold of each stream's events equals
/// the state in every envelope and in its head, timers are what the states say, and projections hold
/// the rows that follow from the log, no more and no fewer.
#[derive(Debug)]
pub struct Verifier<'a> {
    database: &'a Database,
    catalog: &'a Catalog,
}

impl<'a> Verifier<'a> {
    /// A verifier of this database, in which everything is of this catalog.
    pub fn new(database: &'a Database, catalog: &'a Catalog) -> Self {
        Self { database, catalog }
    }

    /// Reads everything once. What is wrong is in the findings; an error means that it could not look.
    pub async fn run(&self) -> Result<Verification, Error> {
        let mut tx = self.database.scratch().await?;
        let mut found = Verification::default();
        rows::expect(&mut tx, self.catalog).await?;
        log::verify(&mut tx, self.catalog, &mut found).await?;
        streams::verify(&mut tx, self.catalog, &mut found).await?;
        rows::compare(&mut tx, self.catalog, &mut found).await?;
        tx.rollback().await?;
        Ok(found)
    }
}
