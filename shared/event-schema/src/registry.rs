//! Every event type of the suite.

use crate::{
    EventSet, EventType, NotificationEvent, ProgressEvent, ReminderEvent, SeriesEvent, TaskEvent,
    WatchEvent,
};

/// Every event type of the suite, in the order of the topic contract.
pub fn all_events() -> impl Iterator<Item = &'static EventType> {
    TaskEvent::TYPES
        .iter()
        .chain(ReminderEvent::TYPES)
        .chain(SeriesEvent::TYPES)
        .chain(ProgressEvent::TYPES)
        .chain(NotificationEvent::TYPES)
        .chain(WatchEvent::TYPES)
}
