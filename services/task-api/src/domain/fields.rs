//! Fields of a task: the parsers are the only way in.

use std::collections::BTreeSet;

use event_schema::{Anchor, Task, TimeValue, Trigger};

use reminder_plan::time_of;

use super::time;

/// The longest title, in characters.
pub const MAX_TITLE: usize = 500;
/// The longest notes, in bytes.
pub const MAX_NOTES: usize = 64 * 1024;
/// The most labels of a task.
pub const MAX_LABELS: usize = 50;
/// The longest label, in characters.
pub const MAX_LABEL: usize = 60;
/// The most reminders of a task.
pub const MAX_REMINDERS: usize = 20;
/// The longest reason for a skip, in characters.
pub const MAX_REASON: usize = 500;
/// A reminder is at most so far from the time it counts from.
pub const MAX_OFFSET_SECONDS: i64 = 366 * 86_400;

/// A time of day is at most so many days before the day it counts from.
pub const MAX_DAYS_BEFORE: u16 = 366;
/// The longest time between two nags.
pub const MAX_NAG_SECONDS: u32 = 31 * 86_400;
/// The most nags after the first firing.
pub const MAX_NAGS: u16 = 100;
/// The longest time that a reminder may be late and still be told.
pub const MAX_GRACE_SECONDS: u32 = 366 * 86_400;

/// A reminder is snoozed for at most so many days.
pub const MAX_SNOOZE_DAYS: u64 = 366;

/// A rule that a field breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON Pointer to the field.
    pub pointer: String,
    /// The stable name of the mistake.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

impl Fault {
    /// A fault of the field at a pointer.
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            message: message.into(),
        }
    }
}

/// A title: something, on at most 500 characters.
pub fn title(pointer: &str, raw: &str) -> Result<String, Fault> {
    text_of(pointer, raw, MAX_TITLE)
}

/// A label: something, on at most 60 characters.
pub fn label(pointer: &str, raw: &str) -> Result<String, Fault> {
    text_of(pointer, raw, MAX_LABEL)
}

/// A reason in the user's words.
pub fn reason(pointer: &str, raw: &str) -> Result<String, Fault> {
    text_of(pointer, raw, MAX_REASON)
}

/// Notes: anything, but not without end.
pub fn notes(pointer: &str, raw: String) -> Result<String, Fault> {
    if raw.len() > MAX_NOTES {
        let message = format!("must have at most {MAX_NOTES} bytes");
        return Err(Fault::new(pointer, "too_long", message));
    }
    check_characters(pointer, &raw)?;
    Ok(raw)
}

/// A set of labels.
pub fn labels(pointer: &str, labels: BTreeSet<String>) -> Result<BTreeSet<String>, Fault> {
    if labels.len() > MAX_LABELS {
        let message = format!("must be at most {MAX_LABELS}");
        return Err(Fault::new(pointer, "too_many", message));
    }
    Ok(labels)
}

fn text_of(pointer: &str, raw: &str, most: usize) -> Result<String, Fault> {
    let text = raw.trim();
    if text.is_empty() {
        return Err(Fault::new(pointer, "empty", "must not be empty"));
    }
    if text.chars().count() > most {
        let message = format!("must have at most {most} characters");
        return Err(Fault::new(pointer, "too_long", message));
    }
    check_characters(pointer, text)?;
    Ok(text.to_owned())
}

/// Control characters are no text, and JSON makes six bytes of each: an event full of them would be
/// more than a broker takes.
fn check_characters(pointer: &str, text: &str) -> Result<(), Fault> {
    let is_control = |c: char| c < ' ' && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(is_control) {
        let message = "must not contain control characters other than tabs and line breaks";
        return Err(Fault::new(pointer, "control_character", message));
    }
    Ok(())
}

/// The rules between the fields of a task: what a recurring task and its reminders need.
pub fn check(task: &Task) -> Vec<Fault> {
    let mut faults = Vec::new();
    if task.series_id.is_some() && task.due.is_none() {
        faults.push(needs_date());
    }
    for (index, reminder) in task.reminders.iter().enumerate() {
        let pointer = format!("/reminders/{index}/trigger");
        faults.extend(check_trigger(&pointer, task, &reminder.trigger));
    }
    faults
}

fn check_trigger(pointer: &str, task: &Task, trigger: &Trigger) -> Option<Fault> {
    match trigger {
        Trigger::Relative { to, offset_seconds } => {
            check_relative(pointer, *to, task.anchor(*to), *offset_seconds)
        }
        Trigger::TimeOfDay { to, .. } if task.anchor(*to).is_none() => {
            Some(anchor_missing(pointer, *to))
        }
        Trigger::TimeOfDay { .. } => {
            let fires = matches!(time_of(task, trigger), Ok(Some(_)));
            (!fires).then(|| out_of_range(format!("{pointer}/days_before")))
        }
        Trigger::Absolute { .. } => None,
    }
}

/// A recurring task without a due has no slot to come back to.
pub fn needs_date() -> Fault {
    let message = "a recurring task needs a date or a local time";
    Fault::new("/due", "needs_date", message)
}

/// A time that cannot be told in UTC.
pub fn out_of_range(pointer: impl Into<String>) -> Fault {
    let message = "must be in the years 1 to 9999, also in UTC";
    Fault::new(pointer, "out_of_range", message)
}

fn check_relative(
    pointer: &str,
    to: Anchor,
    at: Option<&TimeValue>,
    offset_seconds: i64,
) -> Option<Fault> {
    let name = anchor_name(to);
    match at {
        Some(at @ (TimeValue::Local { .. } | TimeValue::Instant { .. })) => {
            let is_ours = time::reaches(at, offset_seconds);
            (!is_ours).then(|| out_of_range(format!("{pointer}/offset")))
        }
        Some(TimeValue::Date { .. }) => {
            // A date is no midnight in disguise.
            let message = format!(
                "{name} is a date and has no time of day: use a trigger of type time_of_day"
            );
            Some(Fault::new(
                format!("{pointer}/to"),
                "anchor_without_time",
                message,
            ))
        }
        None => Some(anchor_missing(pointer, to)),
    }
}

fn anchor_missing(pointer: &str, to: Anchor) -> Fault {
    let message = format!("the task has no {}", anchor_name(to));
    Fault::new(format!("{pointer}/to"), "anchor_missing", message)
}

/// The field that a relative reminder counts from.
pub fn anchor_name(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Due => "due",
        Anchor::Start => "start",
        Anchor::Deadline => "deadline",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_trimmed_and_counted_in_characters() {
        assert_eq!(title("/title", "  Pay rent \n").unwrap(), "Pay rent");
        assert!(title("/title", &"é".repeat(MAX_TITLE)).is_ok());
        assert_eq!(
            title("/title", &"é".repeat(MAX_TITLE + 1))
                .unwrap_err()
                .code,
            "too_long"
        );
        assert_eq!(title("/title", " \t ").unwrap_err().code, "empty");
    }

    #[test]
    fn text_has_no_control_characters() {
        assert!(notes("/notes", "a\tb\r\n\u{7f}\u{1f600}".to_owned()).is_ok());
        for text in ["a\u{1}b", "\u{1b}[31m"] {
            assert_eq!(title("/title", text).unwrap_err().code, "control_character");
            assert_eq!(
                notes("/notes", text.to_owned()).unwrap_err().code,
                "control_character"
            );
        }
    }

    #[test]
    fn notes_are_counted_in_bytes() {
        assert!(notes("/notes", "n".repeat(MAX_NOTES)).is_ok());
        assert_eq!(
            notes("/notes", "n".repeat(MAX_NOTES + 1)).unwrap_err().code,
            "too_long"
        );
    }
}
