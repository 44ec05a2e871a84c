//! Whether log, heads and what was published fit together.

use std::collections::HashMap;

use database::{Database, on};
use serde_json::Value;
use uuid::Uuid;

use crate::Published;

#[derive(sqlx::FromRow)]
struct EventRow {
    position: i64,
    kind: String,
    stream_id: Uuid,
    version: i64,
    event_id: Uuid,
    topic: Option<String>,
    key: Uuid,
    envelope: String,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    kind: String,
    stream_id: Uuid,
    version: i64,
    state: String,
}

type Streams<'a> = HashMap<(&'a str, Uuid), (i64, Value)>;

/// Everything that is wrong, in sentences.
pub(crate) async fn problems(
    database: &Database,
    published: &[Published],
    may_be_unpublished: bool,
) -> Result<Vec<String>, database::Error> {
    let mut tx = database.read().await?;
    let events: Vec<EventRow> = on!(&mut tx, conn => sqlx::query_as(
        "select position, kind, stream_id, version, event_id, topic, key, envelope
           from event
          order by position"
    ).fetch_all(conn).await)?;
    let heads: Vec<HeadRow> = on!(&mut tx, conn => sqlx::query_as(
        "select kind, stream_id, version, state from stream"
    ).fetch_all(conn).await)?;
    let (last,): (i64,) = on!(&mut tx, conn => sqlx::query_as(
        "select last_position from ledger_position"
    ).fetch_one(conn).await)?;
    drop(tx);

    let mut problems = Vec::new();
    check_positions(&events, last, &mut problems);
    let streams = check_versions(&events, &mut problems);
    check_heads(&heads, streams, &mut problems);
    check_published(&events, published, may_be_unpublished, &mut problems);
    Ok(problems)
}

fn check_positions(events: &[EventRow], last: i64, problems: &mut Vec<String>) {
    for (expected, event) in (1..).zip(events) {
        if event.position != expected {
            problems.push(format!("position {expected} is missing"));
            return;
        }
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    if last != count {
        problems.push(format!("the last position is {last} after {count} events"));
    }
}

/// Returns the newest version and state of every stream, by its events.
fn check_versions<'a>(events: &'a [EventRow], problems: &mut Vec<String>) -> Streams<'a> {
    let mut streams: Streams<'a> = HashMap::new();
    for event in events {
        let envelope: Value = serde_json::from_str(&event.envelope).unwrap_or_default();
        let stream = (event.kind.as_str(), event.stream_id);
        let before = streams.get(&stream).map_or(0, |(version, _)| *version);
        if event.version != before + 1 {
            problems.push(format!(
                "{} {} goes from version {before} to {}",
                event.kind, event.stream_id, event.version
            ));
        }
        let says = [&envelope["sequence"], &envelope["subject"], &envelope["id"]];
        let row = [
            event.version.to_string(),
            event.stream_id.to_string(),
            event.event_id.to_string(),
        ];
        if says != row.map(Value::from).each_ref() {
            problems.push(format!(
                "position {} is not what its row says",
                event.position
            ));
        }
        streams.insert(stream, (event.version, state_of(envelope)));
    }
    streams
}

/// `data` has the actor, the change, and the state under a name of its own.
fn state_of(mut envelope: Value) -> Value {
    let Some(data) = envelope["data"].as_object_mut() else {
        return Value::Null;
    };
    data.retain(|name, _| name != "actor" && name != "change");
    data.values_mut()
        .next()
        .map(Value::take)
        .unwrap_or_default()
}

fn check_heads<'a>(heads: &'a [HeadRow], mut streams: Streams<'a>, problems: &mut Vec<String>) {
    for head in heads {
        let name = format!("{} {}", head.kind, head.stream_id);
        let Some((version, state)) = streams.remove(&(head.kind.as_str(), head.stream_id)) else {
            problems.push(format!("{name} has a head and no events"));
            continue;
        };
        let stored: Value = serde_json::from_str(&head.state).unwrap_or_default();
        if head.version != version || stored != state {
            problems.push(format!("the head of {name} is not its last event's state"));
        }
    }
    for (kind, stream_id) in streams.keys() {
        problems.push(format!("{kind} {stream_id} has events and no head"));
    }
}

fn check_published(
    events: &[EventRow],
    published: &[Published],
    may_be_unpublished: bool,
    problems: &mut Vec<String>,
) {
    let arrivals: HashMap<&str, usize> = published.iter().map(Published::id).zip(0..).collect();
    let mut newest_of_key: HashMap<Uuid, usize> = HashMap::new();
    for event in events {
        let Some(topic) = &event.topic else { continue };
        let Some(arrival) = arrivals.get(event.event_id.to_string().as_str()) else {
            if !may_be_unpublished {
                problems.push(format!("position {} is not published", event.position));
            }
            continue;
        };
        let row = &published[*arrival];
        let bytes: Value = serde_json::from_str(&event.envelope).unwrap_or_default();
        if row.topic != *topic || row.key != event.key.to_string() || row.event != bytes {
            problems.push(format!(
                "position {} was changed on its way",
                event.position
            ));
        }
        let newest = newest_of_key.entry(event.key).or_default();
        if *arrival < *newest {
            problems.push(format!("position {} overtook its key", event.position));
        }
        *newest = (*newest).max(*arrival);
    }
}
