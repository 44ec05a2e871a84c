//! `taskledger dead-letters show`.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use clock::{Clock, SystemClock};
use event_store::DeadLetterRow;
use serde_json::Value;

use super::{row, table, unknown};
use crate::config::ShowConfig;
use crate::location;
use crate::printable::{age, text};

/// More than any reason has.
const ALL: usize = 10_000;

pub(super) async fn run(config: &ShowConfig) -> anyhow::Result<()> {
    let service = location::service(&config.service)?;
    let table = table(service, &config.location).await?;
    let found = (
        table.find(config.id).await?,
        table.envelope(config.id).await?,
    );
    let (Some(row), Some(event)) = found else {
        return Err(unknown(service, config.id));
    };
    let mut out = io::stdout().lock();
    if config.json {
        let mut object = row::json(service, &row);
        object["event"] = serde_json::from_slice(&event)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&event)));
        return Ok(writeln!(out, "{object}")?);
    }
    let (count, first) = table.behind(&row, row::SOME).await?;
    writeln!(out, "service   {}", service.id())?;
    attributes(&mut out, &row, SystemClock::new().now())?;
    match row.behind {
        Some(ahead) => writeln!(out, "waits     behind {ahead}")?,
        None if count > 0 => {
            writeln!(
                out,
                "waiting   {count} behind it: {}",
                row::numbers(count, &first)
            )?;
        }
        None => {}
    }
    Ok(writeln!(out, "\n{}", readable(&event))?)
}

fn attributes(out: &mut impl Write, row: &DeadLetterRow, now: DateTime<Utc>) -> io::Result<()> {
    let or = |value: &Option<String>, none: &str| text(value.as_deref().unwrap_or(none), ALL);
    let ago = |at: DateTime<Utc>| {
        format!(
            "{} ({} ago)",
            at.format("%Y-%m-%d %H:%M:%S UTC"),
            age(now - at)
        )
    };
    writeln!(out, "number    {}", row.dead_letter_id)?;
    writeln!(out, "state     {}", row.state)?;
    writeln!(out, "tries     {}", row.attempts)?;
    writeln!(out, "since     {}", ago(row.recorded_at))?;
    if let Some(at) = row.failed_at {
        writeln!(out, "failed    {}", ago(at))?;
    }
    writeln!(out, "topic     {}", text(&row.topic, ALL))?;
    writeln!(out, "type      {}", or(&row.r#type, "unreadable"))?;
    writeln!(out, "event id  {}", or(&row.event_id, "unreadable"))?;
    writeln!(out, "subject   {}", or(&row.subject, "unreadable"))?;
    writeln!(out, "key       {}", or(&row.key, "none"))?;
    writeln!(out, "size      {} bytes", row.bytes)?;
    writeln!(out, "reason    {}", text(&row.reason, ALL))
}

/// JSON with its lines; anything else as it came, without what would move the cursor.
fn readable(event: &[u8]) -> String {
    let pretty = serde_json::from_slice::<Value>(event)
        .ok()
        .and_then(|event| serde_json::to_string_pretty(&event).ok());
    pretty.unwrap_or_else(|| {
        let raw = String::from_utf8_lossy(event);
        raw.chars()
            .map(|c| {
                if c.is_control() && c != '\n' {
                    '\u{fffd}'
                } else {
                    c
                }
            })
            .collect()
    })
}
