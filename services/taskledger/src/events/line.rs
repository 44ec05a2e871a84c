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

/// Who did it, and the title where there is one. The text is a user's: shown without control characters.
fn story(event: &Envelope) -> String {
    let data: Value = serde_json::from_str(event.data.get()).unwrap_or_default();
    let actor = data["actor"].as_str().unwrap_or("somebody").to_owned();
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
    let mut story = actor;
    if let Some(slot) = slot {
        story.push_str(&format!("  slot {slot}"));
    }
    if let Some(title) = title {
        let clean: String = title.chars().filter(|c| !c.is_control()).take(60).collect();
        story.push_str(&format!("  {clean:?}"));
    }
    story
}
