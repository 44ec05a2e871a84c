//! Whatever goes wrong is found: each case breaks one thing of a sound record.

use clock::{Clock, SystemClock};
use serde_json::json;
use tokio::time::Instant;

use super::*;

/// What was asked, the log, and what arrived.
type Record = (Vec<Command>, Vec<Logged>, Vec<Arrival>);

/// A task that was created, renamed and completed; one that was refused; one that nobody answered.
fn sound() -> Record {
    let clock = SystemClock::new();
    let task = clock.new_id();
    let kinds = [Kind::Create, Kind::Rename, Kind::Complete];
    let mut commands: Vec<Command> = kinds
        .map(|kind| Command::new(clock.new_id(), kind, task))
        .into();
    let mut log = Vec::new();
    for (command, version) in commands.iter_mut().zip(1..) {
        let state = json!({ "title": command.id.to_string(), "completed_at": "now" });
        let body = match command.kind {
            Kind::Complete => json!({ "task": state }),
            Kind::Create | Kind::Rename => state.clone(),
        };
        command.outcome = Outcome::Answered(Answer {
            status: 200,
            etag: Some(format!("\"v{version}\"")),
            body: body.to_string(),
        });
        log.push(logged(&clock, command, version, &state));
    }
    let arrivals = log.iter().map(arrival).collect();
    let mut refused = Command::new(clock.new_id(), Kind::Complete, task);
    refused.outcome = Outcome::Refused(Answer {
        status: 409,
        etag: None,
        body: String::new(),
    });
    commands.push(refused);
    commands.push(Command::new(clock.new_id(), Kind::Create, clock.new_id()));
    (commands, log, arrivals)
}

fn logged(clock: &SystemClock, command: &Command, version: i64, state: &Value) -> Logged {
    let label = Label {
        id: clock.new_id(),
        subject: command.task,
        command: command.id,
    };
    let row = RecordedEvent {
        position: version,
        stream_id: command.task,
        version,
        r#type: command.event_type().to_owned(),
        owner_id: command.task,
        envelope: json!({ "data": { "task": state } }).to_string(),
        recorded_at: clock.now(),
    };
    Logged { row, label }
}

fn arrival(event: &Logged) -> Arrival {
    let updated = event.row.r#type == "task.updated.v1";
    Arrival {
        at: Instant::now(),
        door: 0,
        topic: if updated {
            "task-update-events"
        } else {
            "task-events"
        }
        .to_owned(),
        key: event.row.stream_id,
        label: event.label,
        hash: hash(&event.row.envelope),
    }
}

/// The first word of every difference after something was broken.
fn broken(what: impl FnOnce(&mut Record)) -> Vec<String> {
    let mut record = sound();
    what(&mut record);
    let (commands, log, arrivals) = record;
    let found = differences(&log, &commands, &arrivals);
    let first = |text: &String| text.split([' ', ':', ',']).next().map(str::to_owned);
    found.iter().filter_map(first).collect()
}

#[test]
fn a_sound_record_has_no_differences_however_often_an_event_arrives() {
    assert!(broken(|_| {}).is_empty());
    let repeated = broken(|(_, _, arrivals)| arrivals.extend_from_within(..));
    assert!(repeated.is_empty(), "{repeated:?}");
}

#[test]
fn an_acknowledged_command_without_its_event_is_found() {
    let found = broken(|(_, log, arrivals)| {
        log.pop();
        arrivals.pop();
    });
    assert_eq!(found, ["lost"]);
}

#[test]
fn an_event_that_nobody_asked_for_is_found() {
    assert_eq!(
        broken(|(commands, ..)| drop(commands.remove(0))),
        ["nobody"]
    );
}

#[test]
fn an_event_of_a_refused_command_is_found() {
    let found = broken(|(commands, log, _)| log[2].label.command = commands[3].id);
    assert_eq!(found, ["lost", "refused"]);
}

#[test]
fn a_command_that_happened_twice_is_found() {
    let found = broken(|(_, log, arrivals)| {
        let mut again = log[2].clone();
        again.row.version = 4;
        again.label.id = again.row.owner_id;
        arrivals.push(arrival(&again));
        log.insert(2, again);
        log.swap(2, 3);
    });
    assert!(found.contains(&"happened".to_owned()), "{found:?}");
}

#[test]
fn an_answer_that_is_not_the_event_is_found() {
    let found = broken(|(commands, ..)| {
        if let Outcome::Answered(answer) = &mut commands[1].outcome {
            answer.etag = Some("\"v1\"".to_owned());
        }
    });
    assert_eq!(found, ["Command"]);
}

#[test]
fn a_missing_version_is_found() {
    assert_eq!(broken(|(_, log, _)| log[2].row.version = 4)[0], "a");
}

#[test]
fn an_event_that_was_not_published_or_is_not_in_the_log_is_found() {
    assert_eq!(broken(|(_, _, arrivals)| drop(arrivals.pop())), ["not"]);
    let new = broken(|(_, _, arrivals)| {
        let mut new = arrivals[0].clone();
        new.label.id = new.key;
        arrivals.push(new);
    });
    assert_eq!(new, ["published"]);
}

#[test]
fn an_event_that_was_changed_or_overtaken_is_found() {
    assert_eq!(
        broken(|(_, _, arrivals)| arrivals[1].hash += 1),
        ["changed"]
    );
    assert_eq!(broken(|(_, _, arrivals)| arrivals.swap(0, 1)), ["overtook"]);
}
