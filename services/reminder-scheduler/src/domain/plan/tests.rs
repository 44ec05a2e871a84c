use event_schema::{Anchor, Reminder, TimeValue, Trigger};

use super::*;
use crate::domain::reminders::fixtures::{reminder_id, task};

#[test]
fn a_reminder_that_is_named_twice_is_planned_once() {
    let trigger = Trigger::Relative {
        to: Anchor::Due,
        offset_seconds: 0,
    };
    let one = Reminder::new(reminder_id(1), trigger);
    let task = Task {
        due: Some(TimeValue::Local {
            local: "2027-01-31T09:00:00".parse().unwrap(),
            time_zone: "UTC".to_owned(),
        }),
        reminders: vec![one.clone(), one],
        ..task()
    };

    assert_eq!(plan(&task).unwrap().len(), 1);
}
