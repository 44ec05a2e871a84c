//! The callers' record, the log and what was published, compared. Pure: every difference is a sentence.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use event_store::RecordedEvent;
use serde_json::Value;
use uuid::Uuid;

use crate::command::{Answer, Command, Kind, Outcome};
use crate::sidecar::{Arrival, Label, hash};

/// An event of the log with what it says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) row: RecordedEvent,
    pub(crate) label: Label,
}

/// Everything that was lost, repeated, made up, changed or overtaken.
pub(crate) fn differences(
    log: &[Logged],
    commands: &[Command],
    arrivals: &[Arrival],
) -> Vec<String> {
    let mut found = Vec::new();
    compare_versions(log, &mut found);
    compare_commands(log, commands, &mut found);
    compare_arrivals(log, arrivals, &mut found);
    compare_order(log, arrivals, &mut found);
    found
}

fn compare_versions(log: &[Logged], found: &mut Vec<String>) {
    let mut versions = HashMap::<Uuid, i64>::new();
    for event in log {
        let version = versions.entry(event.row.stream_id).or_default();
        *version += 1;
        if event.row.version != *version || event.label.subject != event.row.stream_id {
            found.push(format!("a version is missing before {:?}", event.row));
        }
    }
}

/// Every acknowledged command has its one event, a refused one has none, an unknown one at most one,
/// and no event is without a command.
fn compare_commands(log: &[Logged], commands: &[Command], found: &mut Vec<String>) {
    let mut events = HashMap::<Uuid, &Logged>::new();
    for event in log {
        if events.insert(event.label.command, event).is_some() {
            found.push(format!("happened twice: {:?}", event.row));
        }
    }
    for command in commands {
        match (events.remove(&command.id), &command.outcome) {
            (None, Outcome::Answered(_)) => found.push(format!("lost: {command:?}")),
            (Some(event), Outcome::Answered(answer)) => {
                if !is_told(command, answer, event) {
                    found.push(format!("{command:?} is not {:?}", event.row));
                }
            }
            (Some(_), Outcome::Refused(_)) => {
                found.push(format!("refused, and happened: {command:?}"));
            }
            (None, Outcome::Refused(answer)) if answer.status != 409 => {
                found.push(format!("not to be refused like this: {command:?}"));
            }
            (None, Outcome::Refused(_)) | (_, Outcome::Unknown) => {}
        }
    }
    let phantoms = events.values().map(|event| &event.row);
    found.extend(phantoms.map(|row| format!("nobody asked for {row:?}")));
}

/// Whether the event is what its caller was told.
fn is_told(command: &Command, answer: &Answer, event: &Logged) -> bool {
    let told: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let envelope: Value = serde_json::from_str(&event.row.envelope).unwrap_or_default();
    let task = &envelope["data"]["task"];
    let same = match command.kind {
        Kind::Create | Kind::Rename => {
            told["title"] == task["title"] && told["title"] == command.id.to_string()
        }
        Kind::Complete => told["task"]["completed_at"] == task["completed_at"],
    };
    let tag = format!("\"v{}\"", event.row.version);
    same && event.row.r#type == command.event_type()
        && event.row.stream_id == command.task
        && answer.etag.as_deref() == Some(tag.as_str())
}

/// What arrived is in the log and unchanged. Repeats are allowed.
fn compare_arrivals(log: &[Logged], arrivals: &[Arrival], found: &mut Vec<String>) {
    let by_id: HashMap<Uuid, &Logged> = log.iter().map(|event| (event.label.id, event)).collect();
    for arrival in arrivals {
        let Some(event) = by_id.get(&arrival.label.id) else {
            found.push(format!("published, and not in the log: {arrival:?}"));
            continue;
        };
        let topic = match event.row.r#type.as_str() {
            "task.updated.v1" => "task-update-events",
            _ => "task-events",
        };
        let same = arrival.hash == hash(&event.row.envelope);
        if !same || arrival.key != event.row.stream_id || arrival.topic != topic {
            found.push(format!("changed on its way: {arrival:?}"));
        }
    }
}

/// Everything arrived, and nothing before an older event of its key.
fn compare_order(log: &[Logged], arrivals: &[Arrival], found: &mut Vec<String>) {
    let mut first = HashMap::<Uuid, usize>::new();
    for (index, arrival) in arrivals.iter().enumerate() {
        first.entry(arrival.label.id).or_insert(index);
    }
    let mut newest = HashMap::<Uuid, usize>::new();
    for event in log {
        let Some(index) = first.get(&event.label.id) else {
            found.push(format!("not published: {:?}", event.row));
            continue;
        };
        let newest = newest.entry(event.row.stream_id).or_default();
        if index < newest {
            found.push(format!("overtook its key: {:?}", event.row));
        }
        *newest = *index.max(newest);
    }
}
