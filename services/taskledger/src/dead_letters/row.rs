//! A dead letter as a line of a table and as a JSON object.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use event_schema::App;
use event_store::{DeadLetterGroup, DeadLetterRow};
use serde_json::{Value, json};

use crate::printable::{age, text};

/// More of a reason than this is in `show`.
const SHORT: usize = 90;
/// Numbers of those that wait, in a sentence.
pub(super) const SOME: u32 = 10;

pub(super) fn heading(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<20}{:>7}  {:<9}{:>5}{:>7}  {:<20}{:<26}{:<38}reason",
        "service", "id", "state", "age", "tries", "topic", "type", "key"
    )
}

pub(super) fn line(
    out: &mut impl Write,
    service: App,
    row: &DeadLetterRow,
    now: DateTime<Utc>,
) -> io::Result<()> {
    let reason = match row.behind {
        Some(ahead) if row.state == "waiting" => format!("waits behind {ahead}"),
        _ => text(&row.reason, SHORT),
    };
    writeln!(
        out,
        "{:<20}{:>7}  {:<9}{:>5}{:>7}  {:<20}{:<26}{:<38}{reason}",
        service.id(),
        row.dead_letter_id,
        row.state,
        age(now - row.recorded_at),
        row.attempts,
        text(&row.topic, 19),
        text(name(row), 25),
        text(row.key.as_deref().unwrap_or("none"), 36),
    )
}

/// One in a sentence: `7 (task.created.v1 of key 0190…): not a task`.
pub(super) fn sentence(row: &DeadLetterRow) -> String {
    format!(
        "{} ({} of key {}): {}",
        row.dead_letter_id,
        text(name(row), 60),
        text(row.key.as_deref().unwrap_or("none"), 60),
        text(&row.reason, SHORT)
    )
}

/// Numbers in a sentence, and how many more there are: `8, 9, 12 and 4 more`.
pub(super) fn numbers(count: u64, first: &[DeadLetterRow]) -> String {
    let ids: Vec<String> = first
        .iter()
        .map(|row| row.dead_letter_id.to_string())
        .collect();
    let more = count.saturating_sub(ids.len() as u64);
    let ids = ids.join(", ");
    if more == 0 {
        ids
    } else {
        format!("{ids} and {more} more")
    }
}

pub(super) fn name(row: &DeadLetterRow) -> &str {
    row.r#type.as_deref().unwrap_or("unreadable")
}

pub(super) fn json(service: App, row: &DeadLetterRow) -> Value {
    json!({
        "service": service.id(),
        "id": row.dead_letter_id,
        "state": row.state,
        "behind": row.behind,
        "reason": row.reason,
        "attempts": row.attempts,
        "recorded_at": row.recorded_at,
        "failed_at": row.failed_at,
        "topic": row.topic,
        "type": row.r#type,
        "event_id": row.event_id,
        "subject": row.subject,
        "version": row.version,
        "key": row.key,
        "bytes": row.bytes,
    })
}

pub(super) fn group_heading(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<20}{:>8}  {:<9}{:>7}{:>7}  {:<26}reason",
        "service", "count", "state", "oldest", "newest", "type"
    )
}

pub(super) fn group_line(
    out: &mut impl Write,
    service: App,
    group: &DeadLetterGroup,
    now: DateTime<Utc>,
) -> io::Result<()> {
    writeln!(
        out,
        "{:<20}{:>8}  {:<9}{:>7}{:>7}  {:<26}{}",
        service.id(),
        group.count,
        group.state,
        age(now - group.oldest),
        age(now - group.newest),
        text(group.r#type.as_deref().unwrap_or("unreadable"), 25),
        text(&group.reason, SHORT)
    )
}

pub(super) fn group_json(service: App, group: &DeadLetterGroup) -> Value {
    json!({
        "service": service.id(),
        "count": group.count,
        "state": group.state,
        "oldest": group.oldest,
        "newest": group.newest,
        "type": group.r#type,
        "reason": group.reason,
    })
}
