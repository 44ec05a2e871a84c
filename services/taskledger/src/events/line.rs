//! One readable line per event.

use event_schema::Envelope;
use local_sidecar::Record;
use serde_json::Value;

/// `10:00:00.123  task-events/1@7  task.created.v1  018f… v1  user:…  "Pay rent"`
pub(super) fn of(record: &Record) -> String {
    let place = format!("{}/{}@{}", record.topic, record.partition, record.offset);
    let time = record.timestamp.format("%Y-%m-%d %H:%M:%S%.3f");
    let Some(bytes) = &record.value else {
        let key = record.key.as_deref().unwrap_or("no key");
        return format!("{time}  {place:<26}  tombstone of {key}");
    };
    match Envelope::parse(bytes) {
        Ok(event) => format!(
            "{time}  {place:<26}  {:<24}  {} v{:<3}  {}",
            event.event_type,
            event.subject,
            event.sequence,
            story(&event)
        ),
        Err(error) => format!("{time}  {place:<26}  unreadable ({error})"),
    }
}

/// Who did it, and slot and title where there are such.
fn story(event: &Envelope) -> String {
    let data: Value = serde_json::from_str(event.data.get()).unwrap_or_default();
    let actor = data["actor"].as_str().unwrap_or("somebody");
    let titles = [
        "/task/title",
        "/series/template/title",
        "/reminders/title",
        "/notification/title",
    ];
    let title = titles
        .iter()
        .find_map(|pointer| data.pointer(pointer)?.as_str());
    let slot = data.pointer("/change/slot").and_then(Value::as_str);
    let slot = slot.map_or_else(String::new, |slot| format!("  slot {slot}"));
    let title = title.map_or_else(String::new, |title| format!("  {:?}", printable(title)));
    format!("{actor}{slot}{title}")
}

/// A title is a user's text: nothing in it may move the cursor, and it may be long.
fn printable(title: &str) -> String {
    title.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use local_sidecar::Headers;

    use super::*;

    fn record(value: Option<&'static [u8]>) -> Record {
        Record {
            topic: "task-events".to_owned(),
            partition: 1,
            offset: 7,
            timestamp: DateTime::UNIX_EPOCH,
            key: Some("k".to_owned()),
            value: value.map(Into::into),
            headers: Headers::new(),
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_its_title() {
        let event = br#"{"specversion":"1.0","id":"00000000-0000-0000-0000-000000000001",
            "source":"/task-api","type":"task.created.v1","subject":"s","sequence":"1",
            "time":"2026-11-22T10:00:00Z","datacontenttype":"application/json","partitionkey":"k",
            "data":{"actor":"user:u","change":{},"task":{"title":"a\nb\u001b[31m"}}}"#;

        let line = of(&record(Some(event)));

        assert!(line.ends_with(r#"user:u  "ab[31m""#), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn tombstones_and_unreadable_records_are_lines_too() {
        assert!(of(&record(None)).ends_with("tombstone of k"));
        assert!(of(&record(Some(b"{"))).contains("unreadable"));
    }
}
