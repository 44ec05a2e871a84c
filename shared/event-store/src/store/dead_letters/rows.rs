//! What an operator sees of the dead-letter table: some rows, one row, and how many there are.

use chrono::{DateTime, Utc};
use database::{Error, Tx, on};

use super::{LONGEST_KEY, LONGEST_TEXT, text};
use crate::DeadLetterFilter;

/// A row of the dead-letter table, without the event itself.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetterRow {
    /// Its number; the rows of a key are processed in this order.
    pub dead_letter_id: i64,
    /// The topic it came from.
    pub topic: String,
    /// CloudEvents `id`, when it could be read.
    pub event_id: Option<String>,
    /// CloudEvents `type`, when it could be read.
    pub r#type: Option<String>,
    /// CloudEvents `subject`, when it could be read.
    pub subject: Option<String>,
    /// The partition key, when it could be read.
    pub key: Option<String>,
    /// CloudEvents `sequence`, when it could be read.
    pub version: Option<i64>,
    /// How long the event is.
    pub bytes: i64,
    /// Why it is here.
    pub reason: String,
    /// `parked`, `waiting` behind a parked one of its key, or `released` to be delivered again.
    pub state: String,
    /// How often it could not be processed; 0 for one that only waited.
    pub attempts: i64,
    /// When it came here.
    pub recorded_at: DateTime<Utc>,
    /// When it failed last, when that was not when it came here.
    pub failed_at: Option<DateTime<Utc>>,
    /// The parked row before it in its key.
    pub behind: Option<i64>,
}

/// Rows of one state, type and reason.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetterGroup {
    /// `parked`, `waiting` or `released`.
    pub state: String,
    /// CloudEvents `type`, when it could be read.
    pub r#type: Option<String>,
    /// Why they are here.
    pub reason: String,
    /// How many there are.
    pub count: i64,
    /// When the first came here.
    pub oldest: DateTime<Utc>,
    /// When the last came here.
    pub newest: DateTime<Utc>,
}

/// How much there is in one state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetterCount {
    /// `parked`, `waiting` or `released`.
    pub state: String,
    /// How many rows.
    pub count: i64,
    /// How long their events are together.
    pub bytes: i64,
    /// When the first of them came here.
    pub oldest: DateTime<Utc>,
}

/// Which ids are looked at: after the first, up to the second.
pub(crate) type Ids = (i64, i64);

/// All ids.
pub(crate) const ALL_IDS: Ids = (0, i64::MAX);

/// All columns but the event.
macro_rules! columns {
    () => {
        "select dead_letter_id, topic, event_id, type, subject, key, version,
                cast(length(envelope) as bigint) as bytes, reason, state, attempts, recorded_at,
                failed_at,
                (select max(ahead.dead_letter_id) from dead_letter ahead
                  where ahead.consumer = own.consumer and ahead.key = own.key
                    and ahead.state = 'parked'
                    and ahead.dead_letter_id < own.dead_letter_id) as behind
           from dead_letter own "
    };
}

/// What a filter lets through; `bind` gives it its parameters.
macro_rules! filter {
    () => {
        "where consumer = $1 and dead_letter_id > $2 and dead_letter_id <= $3
           and (cast($4 as text) is null or topic = $4)
           and (cast($5 as text) is null or type = $5)
           and (cast($6 as text) is null or key = $6)
           and (cast($7 as text) is null or subject = $7)
           and (cast($8 as text) is null or state = $8)
           and (cast($9 as text) is null or lower(reason) like $9 escape '\\')
           and recorded_at < $10 and recorded_at >= $11 "
    };
}

macro_rules! bind {
    ($query:expr, $consumer:expr, $filter:expr, $ids:expr) => {{
        let filter = $filter;
        $query
            .bind($consumer)
            .bind($ids.0)
            .bind($ids.1)
            .bind(
                filter
                    .topic
                    .as_deref()
                    .map(|topic| text(topic, LONGEST_TEXT)),
            )
            .bind(
                filter
                    .event_type
                    .as_deref()
                    .map(|name| text(name, LONGEST_TEXT)),
            )
            .bind(filter.key.as_deref().map(|key| text(key, LONGEST_KEY)))
            .bind(
                filter
                    .subject
                    .as_deref()
                    .map(|subject| text(subject, LONGEST_TEXT)),
            )
            .bind(filter.state.map(|state| state.as_str()))
            .bind(filter.reason.as_deref().map(containing))
            .bind(filter.before.unwrap_or(END_OF_TIME))
            .bind(filter.since.unwrap_or(DateTime::UNIX_EPOCH))
    }};
}

/// Later than anything; a year of five digits would be sorted before all others as text.
const END_OF_TIME: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(end) => end,
    None => DateTime::UNIX_EPOCH,
};

/// A pattern for texts that contain this one, in lower case.
fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in text(part, LONGEST_TEXT).to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Rows that a filter lets through, in the order of their ids.
pub(crate) async fn list(
    tx: &mut Tx,
    consumer: &str,
    filter: &DeadLetterFilter,
    ids: Ids,
    limit: u32,
) -> Result<Vec<DeadLetterRow>, Error> {
    Ok(on!(tx, conn => bind!(
        sqlx::query_as(concat!(columns!(), filter!(), "order by dead_letter_id limit $12 + 0")), consumer, filter, ids
    ).bind(i64::from(limit)).fetch_all(conn).await)?)
}

/// How many rows a filter lets through, and the last of their ids.
pub(crate) async fn count(
    tx: &mut Tx,
    consumer: &str,
    filter: &DeadLetterFilter,
    ids: Ids,
) -> Result<(i64, i64), Error> {
    Ok(on!(tx, conn => bind!(
        sqlx::query_as(concat!(
            "select count(*), coalesce(max(dead_letter_id), 0) from dead_letter own ", filter!()
        )), consumer, filter, ids
    ).fetch_one(conn).await)?)
}

/// What a filter lets through by state, type and reason, the most frequent first.
pub(crate) async fn groups(
    tx: &mut Tx,
    consumer: &str,
    filter: &DeadLetterFilter,
    limit: u32,
) -> Result<Vec<DeadLetterGroup>, Error> {
    Ok(on!(tx, conn => bind!(
        sqlx::query_as(concat!(
            "select state, type, reason, count(*) as count, min(recorded_at) as oldest,
                    max(recorded_at) as newest from dead_letter own ",
            filter!(),
            "group by state, type, reason order by count(*) desc, state, type, reason limit $12 + 0"
        )), consumer, filter, ALL_IDS
    ).bind(i64::from(limit)).fetch_all(conn).await)?)
}

/// One row.
pub(crate) async fn find(
    tx: &mut Tx,
    consumer: &str,
    id: i64,
) -> Result<Option<DeadLetterRow>, Error> {
    Ok(
        on!(tx, conn => sqlx::query_as(concat!(columns!(), "where consumer = $1 and dead_letter_id = $2"
    )).bind(consumer).bind(id).fetch_optional(conn).await)?,
    )
}

/// The bytes of an event as they were received.
pub(crate) async fn envelope(
    tx: &mut Tx,
    consumer: &str,
    id: i64,
) -> Result<Option<Vec<u8>>, Error> {
    let row: Option<(Vec<u8>,)> = on!(tx, conn => sqlx::query_as(
        "select envelope from dead_letter where consumer = $1 and dead_letter_id = $2"
    ).bind(consumer).bind(id).fetch_optional(conn).await)?;
    Ok(row.map(|(envelope,)| envelope))
}

/// Rows that wait in a key, between two ids.
pub(crate) async fn waiting(
    tx: &mut Tx,
    consumer: &str,
    key: &str,
    (id, end): Ids,
    limit: u32,
) -> Result<Vec<DeadLetterRow>, Error> {
    Ok(
        on!(tx, conn => sqlx::query_as(concat!(columns!(), "where consumer = $1 and key = $2 and dead_letter_id > $3 and dead_letter_id < $4
           and state = 'waiting' order by dead_letter_id limit $5 + 0"
    )).bind(consumer).bind(key).bind(id).bind(end).bind(i64::from(limit)).fetch_all(conn).await)?,
    )
}

/// How many rows wait in a key, between two ids.
pub(crate) async fn count_waiting(
    tx: &mut Tx,
    consumer: &str,
    key: &str,
    (id, end): Ids,
) -> Result<i64, Error> {
    let (count,): (i64,) = on!(tx, conn => sqlx::query_as(
        "select count(*) from dead_letter
          where consumer = $1 and key = $2 and dead_letter_id > $3 and dead_letter_id < $4
            and state = 'waiting'"
    ).bind(consumer).bind(key).bind(id).bind(end).fetch_one(conn).await)?;
    Ok(count)
}

/// Rows to be delivered again after an id, in the order of the ids.
pub(crate) async fn released(
    tx: &mut Tx,
    consumer: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<DeadLetterRow>, Error> {
    Ok(
        on!(tx, conn => sqlx::query_as(concat!(columns!(), "where consumer = $1 and dead_letter_id > $2 and state = 'released'
         order by dead_letter_id limit $3 + 0"
    )).bind(consumer).bind(after).bind(i64::from(limit)).fetch_all(conn).await)?,
    )
}

/// How much there is in every state that has rows.
pub(crate) async fn by_state(tx: &mut Tx, consumer: &str) -> Result<Vec<DeadLetterCount>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select state, count(*) as count,
                cast(coalesce(sum(length(envelope)), 0) as bigint) as bytes,
                min(recorded_at) as oldest
           from dead_letter where consumer = $1 group by state order by state"
    ).bind(consumer).fetch_all(conn).await)?)
}
