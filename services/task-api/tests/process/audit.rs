//! The callers' record, the log and what was published, compared.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clock::SystemClock;
use database::testing::TestDatabase;
use event_schema::App;
use event_store::{LaneLimits, Ledger, RecordedEvent};
use serde_json::Value;
use uuid::Uuid;

use crate::command::{Command, Kind, Outcome};
use crate::sidecar::{Arrival, Label, Sidecar, hash};

const PAGE: u32 = 1000;

/// An event of the log with what it says of itself.
struct Logged {
    row: RecordedEvent,
    label: Label,
}

/// Finds everything that was lost, repeated, made up, changed or overtaken; says what there was.
pub(crate) async fn audit(test: &TestDatabase, commands: &[Command], sidecar: &Sidecar) -> String {
    let log = read(test).await;
    check_versions(&log);
    let unknown = check_commands(&log, commands);
    let causes: HashSet<Uuid> = log.iter().map(|event| event.label.command).collect();
    sidecar.has_all(&causes).await;
    let arrivals = sidecar.arrivals();
    check_published(&log, &arrivals);
    let verified = task_api::app::verifier(&test.database).run().await.unwrap();
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
    let answered = commands.iter().filter(|one| one.answer().is_some()).count();
    format!(
        "{} commands, {answered} acknowledged, {unknown}; {} events, {} published again",
        commands.len(),
        log.len(),
        arrivals.len() - log.len(),
    )
}

/// The whole log; a hole in the positions is an error of the reader.
async fn read(test: &TestDatabase) -> Vec<Logged> {
    let clock = Arc::new(SystemClock::new());
    let database = test.database.clone();
    let (ledger, _lane) = Ledger::new(
        App::TaskApi,
        database,
        clock,
        Vec::new(),
        LaneLimits::default(),
    );
    let mut log = Vec::new();
    loop {
        let after = i64::try_from(log.len()).unwrap();
        let page = ledger.events_after(after, PAGE).await.unwrap();
        if page.is_empty() {
            assert_eq!(ledger.last_position().await.unwrap(), after);
            return log;
        }
        log.extend(page.into_iter().map(|row| Logged {
            label: serde_json::from_str(&row.envelope).unwrap(),
            row,
        }));
    }
}

fn check_versions(log: &[Logged]) {
    let mut versions = HashMap::<Uuid, i64>::new();
    for event in log {
        let version = versions.entry(event.row.stream_id).or_default();
        *version += 1;
        assert_eq!(event.row.version, *version, "{}", event.row.envelope);
        assert_eq!(event.label.subject, event.row.stream_id);
    }
}

/// Every acknowledged command has its one event, a refused one has none, an unknown one at most one,
/// and no event is without a command.
fn check_commands(log: &[Logged], commands: &[Command]) -> String {
    let mut events = HashMap::<Uuid, &Logged>::new();
    for event in log {
        let before = events.insert(event.label.command, event);
        assert!(before.is_none(), "happened twice: {}", event.row.envelope);
    }
    let (mut unknown, mut happened) = (0, 0);
    for command in commands {
        let event = events.remove(&command.id);
        match &command.outcome {
            Outcome::Answered(_) => {
                let event = event.unwrap_or_else(|| panic!("lost: {command:?}"));
                check_answer(command, event);
            }
            Outcome::Refused(answer) => {
                assert!(event.is_none(), "refused, and happened: {command:?}");
                assert_eq!(answer.status, 409, "{command:?}");
            }
            Outcome::Unknown => {
                unknown += 1;
                happened += usize::from(event.is_some());
            }
        }
    }
    let phantom = events.values().next().map(|event| &event.row.envelope);
    assert!(phantom.is_none(), "nobody asked for {phantom:?}");
    format!("{unknown} never answered of which {happened} happened")
}

/// The event is what its caller was told.
fn check_answer(command: &Command, event: &Logged) {
    let answer = command.answer().unwrap();
    assert_eq!(event.row.r#type, command.event_type(), "{command:?}");
    assert_eq!(event.row.stream_id, command.task, "{command:?}");
    let tag = format!("\"v{}\"", event.row.version);
    assert_eq!(answer.etag.as_deref(), Some(tag.as_str()), "{command:?}");
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    let envelope: Value = serde_json::from_str(&event.row.envelope).unwrap();
    let (told, task) = match command.kind {
        Kind::Create | Kind::Rename => (&told["title"], &envelope["data"]["task"]["title"]),
        Kind::Complete => (
            &told["task"]["completed_at"],
            &envelope["data"]["task"]["completed_at"],
        ),
    };
    assert_eq!(told, task, "{command:?}");
}

/// What arrived is the log: nothing else, nothing changed, and no event before one of its key that
/// is older. Repeats are allowed.
fn check_published(log: &[Logged], arrivals: &[Arrival]) {
    let mut first = HashMap::<Uuid, usize>::new();
    for (index, arrival) in arrivals.iter().enumerate() {
        first.entry(arrival.label.id).or_insert(index);
    }
    let by_id: HashMap<Uuid, &Logged> = log.iter().map(|event| (event.label.id, event)).collect();
    for arrival in arrivals {
        let event = by_id.get(&arrival.label.id);
        let event = event.unwrap_or_else(|| panic!("not in the log: {arrival:?}"));
        assert_eq!(arrival.hash, hash(&event.row.envelope), "{arrival:?}");
        assert_eq!(arrival.key, event.row.stream_id, "{arrival:?}");
        let created_or_completed = event.row.r#type != "task.updated.v1";
        let topic = ["task-update-events", "task-events"][usize::from(created_or_completed)];
        assert_eq!(arrival.topic, topic, "{arrival:?}");
    }
    let mut newest = HashMap::<Uuid, usize>::new();
    for event in log {
        let envelope = &event.row.envelope;
        let index = first.get(&event.label.id);
        let index = *index.unwrap_or_else(|| panic!("not published: {envelope}"));
        let newest = newest.entry(event.row.stream_id).or_default();
        assert!(
            index >= *newest,
            "published before an older one: {envelope}"
        );
        *newest = index;
    }
}
