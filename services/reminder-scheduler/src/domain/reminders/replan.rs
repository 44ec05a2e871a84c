//! Following the rules of the zones: what was planned by older ones is planned anew.

use event_schema::{
    PlannedReminder, ReminderEvent, ReminderMoved, RemindersReplanned, TaskReminders,
};
use reminder_plan::instant_of;

/// Moves each reminder whose time on the wall is another instant now, also what had its turn: that stands
/// for the new instant then, and does not come again. Rules that are older than those of the plan are of a
/// process that is about to be replaced.
pub(super) fn decide(state: Option<&TaskReminders>, tzdb_version: &str) -> Vec<ReminderEvent> {
    let Some(state) = state.filter(|state| state.tzdb_version.as_str() < tzdb_version) else {
        return Vec::new();
    };
    let replanned = ReminderEvent::Replanned(RemindersReplanned {
        tzdb_version: tzdb_version.to_owned(),
    });
    let moved = state.reminders.iter().filter_map(moved);
    std::iter::once(replanned).chain(moved).collect()
}

/// A zone that is not known any more is left as it was known.
fn moved(reminder: &PlannedReminder) -> Option<ReminderEvent> {
    let to = instant_of(reminder.wall.as_ref()?).ok().flatten()?;
    let from = reminder.first_at();
    (to != from).then_some(ReminderEvent::Moved(ReminderMoved {
        reminder_id: reminder.reminder_id,
        from,
        to,
    }))
}
