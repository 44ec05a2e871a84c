//! What a batch has to know of the past: one trip to PostgreSQL for all tables.

use std::collections::{HashMap, HashSet};

use database::{Error, Together, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::dead_letters::{self, Queues};
use super::idempotency::{self, Answers};
use super::inbox::{self, Subject};
use super::streams;
use crate::head::{Head, Heads};
use crate::{IdempotencyKey, StreamRef};

/// Which rows are wanted.
#[derive(Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) consumer: &'static str,
    pub(crate) streams: &'a [StreamRef],
    pub(crate) answers: &'a [&'a IdempotencyKey],
    pub(crate) facts: &'a [Uuid],
    pub(crate) subjects: &'a [Subject],
    /// Partition keys.
    pub(crate) keys: &'a [String],
}

/// Those that were found.
#[derive(Default)]
pub(crate) struct Past {
    /// Every wanted stream; one that does not exist has version 0.
    pub(crate) heads: Heads,
    pub(crate) answers: Answers,
    /// Facts that were processed.
    pub(crate) processed: HashSet<Uuid>,
    /// The newest version processed of each foreign stream.
    pub(crate) seen: HashMap<Subject, u64>,
    pub(crate) queues: Queues,
}

/// A row of one of the tables. What a column holds is the table's business.
#[derive(Debug, Default, sqlx::FromRow)]
pub(super) struct Row {
    table_name: String,
    pub(super) name: Option<String>,
    pub(super) id: Option<Uuid>,
    pub(super) number: Option<i64>,
    pub(super) text: Option<String>,
    pub(super) small: Option<i32>,
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) place: Option<String>,
}

impl Past {
    /// Reads everything that is wanted.
    pub(crate) async fn load(tx: &mut Tx, wanted: &Wanted<'_>) -> Result<Self, Error> {
        let mut past = Self::default();
        for stream in wanted.streams {
            past.heads.insert(*stream, Head::default());
        }
        match tx {
            Tx::Postgres(tx) => past.ask(tx, wanted).await?,
            Tx::Sqlite(tx) => {
                let consumer = wanted.consumer;
                past.heads.extend(streams::load(tx, wanted.streams).await?);
                past.answers = idempotency::find(tx, wanted.answers).await?;
                past.processed = inbox::processed(tx, consumer, wanted.facts).await?;
                past.seen = inbox::seen(tx, consumer, wanted.subjects).await?;
                past.queues = dead_letters::queues(tx, consumer, wanted.keys).await?;
            }
        }
        Ok(past)
    }

    async fn ask(&mut self, conn: &mut PgConnection, wanted: &Wanted<'_>) -> Result<(), Error> {
        let mut together = Together::default();
        let mut selects = Vec::new();
        if !wanted.streams.is_empty() {
            streams::want(&mut together, wanted.streams);
            selects.push("select * from heads");
        }
        if !wanted.answers.is_empty() {
            idempotency::want(&mut together, wanted.answers);
            selects.push("select * from answers");
        }
        if !wanted.facts.is_empty() {
            inbox::want_processed(&mut together, wanted.consumer, wanted.facts);
            selects.push("select * from processed");
        }
        if !wanted.subjects.is_empty() {
            inbox::want_seen(&mut together, wanted.consumer, wanted.subjects);
            selects.push("select * from versions");
        }
        if !wanted.keys.is_empty() {
            dead_letters::want(&mut together, wanted.consumer, wanted.keys);
            selects.push("select * from queues");
        }
        if together.is_empty() {
            return Ok(());
        }
        let kinds = wanted
            .streams
            .iter()
            .map(|stream| (stream.kind, stream.kind))
            .collect();
        for row in together.ask(conn, &selects.join(" union all ")).await? {
            self.take(row, &kinds);
        }
        Ok(())
    }

    fn take(&mut self, row: Row, kinds: &HashMap<&str, &'static str>) {
        match row.table_name.as_str() {
            "stream" => self.heads.extend(streams::found(row, kinds)),
            "idempotency" => self.answers.extend(idempotency::found(row)),
            "inbox" => self.processed.extend(row.id),
            "seen" => self.seen.extend(inbox::found(row)),
            _ => self.queues.extend(dead_letters::found(row)),
        }
    }
}
