use event_schema::{Actor, ReminderId, Status, TaskId, TimeValue, Told, Trigger, UserId};
use uuid::Uuid;

use super::*;

const NINE: &str = "2027-01-31T09:00:00Z";
const TEN: &str = "2027-01-31T10:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Told at nine.
fn reminder() -> Reminder {
    let instant = at(NINE);
    let at = TimeValue::Instant { instant };
    Reminder::new(ReminderId(Uuid::from_u128(3)), Trigger::Absolute { at })
}

fn answered(reply: Reply) -> Reminder {
    let answer = Answer {
        to: at(NINE),
        wall: None,
        reply,
        at: at("2027-01-31T08:00:00Z"),
    };
    Reminder {
        answer: Some(answer),
        ..reminder()
    }
}

fn told(until: &str, reminder: Reminder) -> Reminder {
    let told = Told {
        until: at(until),
        missed: false,
        fire_count: 1,
        last_fired_at: Some(at(until)),
        late_by_ms: 0,
        nag_at: None,
    };
    Reminder {
        told: Some(told),
        ..reminder
    }
}

fn task() -> Task {
    let owner = UserId(Uuid::from_u128(1));
    let id = TaskId(Uuid::from_u128(2));
    Task::new(id, owner, "", Actor::User(owner), DateTime::UNIX_EPOCH)
}

fn stands(reminder: &Reminder) -> (State, Option<String>) {
    let standing = standing(&task(), reminder);
    let next = standing.next_at.map(|at| at.format("%H").to_string());
    (standing.state, next)
}

fn first(reminder: &Reminder) -> Option<DateTime<Utc>> {
    first_of(&task(), reminder).unwrap()
}

#[test]
fn what_was_told_for_the_time_it_has_now_is_over() {
    assert_eq!(
        stands(&reminder()),
        (State::Scheduled, Some("09".to_owned()))
    );
    assert_eq!(stands(&told(NINE, reminder())), (State::Fired, None));
    let earlier = told("2027-01-31T08:59:00Z", reminder());
    assert_eq!(stands(&earlier), (State::Scheduled, Some("09".to_owned())));
    let mut missed = told(NINE, reminder());
    missed.told.as_mut().unwrap().missed = true;
    assert_eq!(stands(&missed), (State::Missed, None));
    let mut nags = told(NINE, reminder());
    nags.told.as_mut().unwrap().nag_at = Some(at(TEN));
    assert_eq!(stands(&nags), (State::Fired, Some("10".to_owned())));
}

#[test]
fn what_was_taken_back_is_not_told_for_that_time_any_more() {
    let mut taken_back = told(TEN, reminder());
    let told = taken_back.told.as_mut().unwrap();
    (told.fire_count, told.last_fired_at) = (0, None);
    assert_eq!(stands(&taken_back), (State::Cancelled, None));
    let later = Reminder {
        told: taken_back.told,
        trigger: Trigger::Absolute {
            at: TimeValue::Instant {
                instant: at("2027-01-31T11:00:00Z"),
            },
        },
        ..reminder()
    };
    assert_eq!(stands(&later), (State::Scheduled, Some("11".to_owned())));
}

#[test]
fn an_answer_holds_for_the_time_that_was_answered() {
    for reminder in [snoozed_until_ten(), told(NINE, snoozed_until_ten())] {
        assert_eq!(stands(&reminder), (State::Snoozed, Some("10".to_owned())));
        assert_eq!(first(&reminder), Some(at(TEN)));
    }
    assert_eq!(
        stands(&told(TEN, snoozed_until_ten())),
        (State::Fired, None)
    );
    for (reply, state) in [
        (Reply::Dismissed, State::Dismissed),
        (Reply::Acknowledged, State::Acknowledged),
    ] {
        assert_eq!(stands(&answered(reply)), (state, None));
        assert_eq!(stands(&told(NINE, answered(reply))), (state, None));
        assert_eq!(first(&answered(reply)), None);
        let mut moved = answered(reply);
        moved.answer.as_mut().unwrap().to = at(TEN);
        assert_eq!(first(&moved), Some(at(NINE)));
        assert_eq!(stands(&moved).0, State::Scheduled);
    }
}

fn snoozed_until_ten() -> Reminder {
    answered(Reply::Snoozed { until: at(TEN) })
}

#[test]
fn nothing_of_a_closed_task_is_to_come() {
    let closed = Task {
        status: Status::Completed,
        ..task()
    };
    let mut nags = told(NINE, reminder());
    nags.told.as_mut().unwrap().nag_at = Some(at(TEN));
    for (reminder, state) in [
        (reminder(), State::Cancelled),
        (snoozed_until_ten(), State::Cancelled),
        (nags, State::Fired),
        (answered(Reply::Dismissed), State::Dismissed),
    ] {
        let standing = standing(&closed, &reminder);
        assert_eq!((standing.state, standing.next_at), (state, None));
        assert_eq!(first_of(&closed, &reminder), Ok(None));
    }
}

#[test]
fn an_answer_holds_for_the_time_on_the_wall_whatever_instant_that_is_now() {
    let nine = |time_zone: &str| {
        let at = TimeValue::Local {
            local: "2027-01-31T09:00:00".parse().unwrap(),
            time_zone: time_zone.to_owned(),
        };
        Reminder::new(ReminderId(Uuid::from_u128(3)), Trigger::Absolute { at })
    };
    // It was dismissed when other rules had nine in Berlin at nine in UTC.
    let wall = wall_of(&task(), &nine("Europe/Berlin").trigger).unwrap();
    let dismissed = |time_zone: &str| Reminder {
        answer: Some(Answer {
            wall: wall.clone(),
            ..answered(Reply::Dismissed).answer.unwrap()
        }),
        ..nine(time_zone)
    };

    assert_eq!(stands(&dismissed("Europe/Berlin")).0, State::Dismissed);
    assert_eq!(first(&dismissed("Europe/Berlin")), None);
    let elsewhere = stands(&dismissed("Asia/Tokyo"));
    assert_eq!(elsewhere, (State::Scheduled, Some("00".to_owned())));
}
