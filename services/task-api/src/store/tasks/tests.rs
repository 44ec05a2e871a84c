//! The same on both databases.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use clock::TestClock;
use database::on;
use database::testing::TestDatabase;
use event_schema::{Actor, App, Changed, Task, TaskEvent, TaskId, TaskUpdated, TimeValue, UserId};
use event_store::{Answer, Context, LaneLimits, Ledger};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Filter, Sort, height, list};
use crate::domain::{TaskStream, time};
use crate::error::Error;
use crate::store::{MIGRATIONS, projections};

const OWNER: UserId = UserId(Uuid::from_u128(1));

fn now() -> DateTime<Utc> {
    time::instant("2026-11-22T10:00:00Z").unwrap()
}

fn task(id: u128) -> Task {
    let by = Actor::User(OWNER);
    let task = Task::new(
        TaskId(Uuid::from_u128(id)),
        OWNER,
        id.to_string(),
        by,
        now(),
    );
    Task {
        labels: ["a".to_owned(), "b".to_owned()].into(),
        ..task
    }
}

fn filter() -> Filter {
    Filter {
        owner: OWNER,
        trashed: false,
        status: None,
        parent: None,
        label: None,
        due_from: None,
        due_before: None,
        after: None,
        sort: Sort::Due,
        limit: 200,
    }
}

/// A ledger with our projection, whose lane runs until it is dropped.
fn ledger(database: &TestDatabase) -> Ledger {
    let clock = Arc::new(TestClock::new(now()));
    let (ledger, lane) = Ledger::new(
        App::TaskApi,
        database.database.clone(),
        clock,
        projections(),
        LaneLimits::default(),
    );
    tokio::spawn(lane.run(CancellationToken::new()));
    ledger
}

async fn append(ledger: &Ledger, events: Vec<(TaskId, TaskEvent)>) {
    let context = Context::of_worker(App::TaskApi, now());
    let done = ledger.execute(context, None, &[], move |unit| {
        for (id, event) in &events {
            unit.append::<TaskStream>(*id, event);
        }
        Ok::<_, Error>(Answer::default())
    });
    done.await.unwrap();
}

fn created(task: &Task) -> (TaskId, TaskEvent) {
    (task.id, TaskEvent::Created(Box::new(task.clone())))
}

fn updated(id: TaskId, change: TaskUpdated) -> (TaskId, TaskEvent) {
    (id, TaskEvent::Updated(Box::new(change)))
}

async fn titles(ledger: &Ledger, filter: Filter) -> Vec<String> {
    let found = list(ledger.database(), &filter).await.unwrap();
    found.into_iter().map(|found| found.task.title).collect()
}

fn relabelled(task: &Task, to: &[&str]) -> (TaskId, TaskEvent) {
    let change = TaskUpdated {
        labels: Some(Changed {
            from: task.labels.clone(),
            to: to.iter().map(|label| (*label).to_owned()).collect(),
        }),
        updated_at: now(),
        ..TaskUpdated::default()
    };
    updated(task.id, change)
}

async fn labels(database: &TestDatabase) -> Vec<(Uuid, String)> {
    let mut tx = database.database.begin().await.unwrap();
    on!(&mut tx, conn => sqlx::query_as(
        "select task_id, label from task_labels order by task_id, label"
    ).fetch_all(conn).await)
    .unwrap()
}

#[tokio::test]
async fn labels_are_those_of_the_task_whatever_they_look_like() {
    const ODD: [&str; 8] = [
        "\"quoted\"",
        "NULL",
        "a",
        "back\\slash\\",
        "c,d",
        "tab\t",
        "{}",
        "\u{1f}\u{e9}",
    ];
    for database in TestDatabase::every(&[event_store::MIGRATIONS, MIGRATIONS]).await {
        let ledger = ledger(&database);
        let (first, second) = (task(1), task(2));
        append(&ledger, vec![created(&first), created(&second)]).await;
        let of_second = ["a", "b"].map(|label| (second.id.as_uuid(), label.to_owned()));

        for to in [&ODD[..], &ODD[..3], &ODD[2..], &[]] {
            append(&ledger, vec![relabelled(&first, to)]).await;

            let mut expected: Vec<_> = to
                .iter()
                .map(|label| (first.id.as_uuid(), (*label).to_owned()))
                .chain(of_second.clone())
                .collect();
            expected.sort();
            let mut found = labels(&database).await;
            found.sort();
            assert_eq!(found, expected);
        }
    }
}

#[tokio::test]
async fn a_list_follows_every_change() {
    for database in TestDatabase::every(&[event_store::MIGRATIONS, MIGRATIONS]).await {
        let ledger = ledger(&database);
        let task = task(7);
        append(&ledger, vec![created(&task)]).await;
        let labelled = |label: &str| Filter {
            label: Some(label.to_owned()),
            ..filter()
        };
        assert_eq!(titles(&ledger, labelled("a")).await, ["7"]);

        let change = TaskUpdated {
            labels: Some(Changed {
                from: task.labels.clone(),
                to: ["c".to_owned()].into(),
            }),
            due: Some(Changed {
                from: None,
                to: Some(TimeValue::Instant { instant: now() }),
            }),
            updated_at: now(),
            ..TaskUpdated::default()
        };
        append(&ledger, vec![updated(task.id, change)]).await;

        assert_eq!(titles(&ledger, labelled("a")).await, [""; 0]);
        assert_eq!(titles(&ledger, labelled("c")).await, ["7"]);
        let due = Filter {
            due_from: Some(now()),
            due_before: Some(now() + TimeDelta::microseconds(1)),
            ..filter()
        };
        assert_eq!(titles(&ledger, due.clone()).await, ["7"]);
        let before = Filter {
            due_from: None,
            due_before: Some(now()),
            ..due
        };
        assert_eq!(titles(&ledger, before).await, [""; 0]);
        let theirs = Filter {
            owner: UserId(Uuid::from_u128(2)),
            ..filter()
        };
        assert_eq!(titles(&ledger, theirs).await, [""; 0]);
    }
}

#[tokio::test]
async fn the_first_and_the_last_day_stand_at_the_ends_of_a_list() {
    for database in TestDatabase::every(&[event_store::MIGRATIONS, MIGRATIONS]).await {
        let ledger = ledger(&database);
        let days = ["0001-01-01", "9999-12-31", "0001-01-02", "9999-12-30"];
        let tasks = (1..).zip(days).map(|(id, day)| Task {
            title: day.to_owned(),
            due: time::date(day).map(|date| TimeValue::Date { date }),
            ..task(id)
        });
        let tasks: Vec<Task> = tasks.collect();
        append(&ledger, tasks.iter().map(created).collect()).await;
        let undated = Task {
            title: "never".to_owned(),
            ..task(9)
        };
        append(&ledger, vec![created(&undated)]).await;

        let mut expected = days;
        expected.sort_unstable();
        for sort in [Sort::Due, Sort::DueDescending] {
            let mut page = Filter {
                sort,
                limit: 1,
                ..filter()
            };
            let mut walked = Vec::new();
            while let Some(found) = list(ledger.database(), &page).await.unwrap().pop() {
                page.after = Some(found.place);
                walked.push(found.task.title);
            }
            assert_eq!(walked[..4], expected);
            assert_eq!(walked[4..], ["never"]);
            expected.reverse();
        }
        let every = Filter {
            sort: Sort::CreatedAt,
            ..filter()
        };
        assert_eq!(titles(&ledger, every).await.len(), 5);
    }
}

#[tokio::test]
async fn a_row_is_written_only_when_it_changes() {
    for database in TestDatabase::every(&[event_store::MIGRATIONS, MIGRATIONS]).await {
        let ledger = ledger(&database);
        let task = task(7);
        append(&ledger, vec![created(&task)]).await;
        let mut tx = ledger.database().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query("update tasks set due_rank = 5")
            .execute(conn).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        let title = TaskUpdated {
            title: Some(Changed {
                from: task.title.clone(),
                to: "another".to_owned(),
            }),
            updated_at: now(),
            ..TaskUpdated::default()
        };

        append(&ledger, vec![updated(task.id, title)]).await;
        assert_eq!(due_rank(&database).await, 5);

        let parent = TaskUpdated {
            parent_id: Some(Changed {
                from: None,
                to: Some(TaskId(Uuid::from_u128(8))),
            }),
            updated_at: now(),
            ..TaskUpdated::default()
        };
        append(&ledger, vec![updated(task.id, parent)]).await;
        assert_eq!(due_rank(&database).await, 1);
    }
}

async fn due_rank(database: &TestDatabase) -> i16 {
    let mut tx = database.database.begin().await.unwrap();
    let (rank,): (i16,) = on!(&mut tx, conn => sqlx::query_as("select due_rank from tasks")
        .fetch_one(conn).await)
    .unwrap();
    rank
}

#[tokio::test]
async fn a_batch_of_many_tasks_is_written_at_once() {
    for database in TestDatabase::every(&[event_store::MIGRATIONS, MIGRATIONS]).await {
        let ledger = ledger(&database);
        let tasks: Vec<Task> = (1..=100).map(task).collect();
        append(&ledger, tasks.iter().map(created).collect()).await;
        assert_eq!(titles(&ledger, filter()).await.len(), 100);
    }
}

#[tokio::test]
async fn the_height_of_a_tree_is_counted_and_bounded() {
    for database in TestDatabase::every(&[event_store::MIGRATIONS, MIGRATIONS]).await {
        let ledger = ledger(&database);
        let chain = (1..=9).map(|id| Task {
            parent_id: (id > 1).then(|| TaskId(Uuid::from_u128(id - 1))),
            ..task(id)
        });
        let chain: Vec<Task> = chain.collect();
        append(&ledger, chain.iter().map(created).collect()).await;
        for (id, expected) in [(9, 1), (8, 2), (6, 4), (1, 6), (77, 1)] {
            let id = TaskId(Uuid::from_u128(id));
            assert_eq!(height(ledger.database(), id).await.unwrap(), expected);
        }
    }
}
