use chrono::TimeDelta;
use clock::TestClock;
use database::testing::TestDatabase;
use event_schema::{App, EventId, NotificationId, UserId, notification_id};
use event_store::{Answer, Context, LaneLimits, Ledger};

use super::*;
use crate::domain::notification::{Command, NewNotification, decide};
use crate::error;

const USER: UserId = UserId(Uuid::from_u128(1));
const OTHER: UserId = UserId(Uuid::from_u128(2));

/// A ledger whose lane runs, over each database.
async fn ledgers() -> Vec<(TestDatabase, Ledger, TestClock)> {
    let sets = [event_store::MIGRATIONS, crate::store::MIGRATIONS];
    let mut ledgers = Vec::new();
    for test in TestDatabase::every(&sets).await {
        let clock = TestClock::new("2026-11-22T10:00:00Z".parse().unwrap());
        let (ledger, lane) = Ledger::new(
            App::Notifier,
            test.database.clone(),
            clock.shared(),
            crate::store::projections(),
            LaneLimits::default(),
        );
        tokio::spawn(lane.run(tokio_util::sync::CancellationToken::new()));
        ledgers.push((test, ledger, clock));
    }
    ledgers
}

fn id(number: u128, user: UserId) -> NotificationId {
    notification_id(EventId(Uuid::from_u128(number)), user, "test")
}

async fn give(ledger: &Ledger, id: NotificationId, command: Command) {
    let context = Context::of_worker(App::Notifier, ledger.clock().now());
    let decided = ledger.execute::<error::Error, _>(context, None, &[], move |unit| {
        let state = unit.state::<NotificationStream>(id);
        for event in decide(state.as_ref(), command.clone(), unit.now())? {
            unit.append::<NotificationStream>(id, &event);
        }
        Ok(Answer::default())
    });
    decided.await.unwrap();
}

async fn create(ledger: &Ledger, number: u128, user: UserId, kind: NotificationKind) {
    let new = NewNotification {
        id: id(number, user),
        user_id: user,
        kind,
        title: number.to_string(),
        body: String::new(),
        task_id: None,
        series_id: None,
        scheduled_for: None,
        missed: None,
    };
    give(ledger, new.id, Command::Create(new)).await;
}

async fn titles(ledger: &Ledger, filter: Filter, after: Option<Place>, limit: u32) -> Vec<String> {
    let mut tx = ledger.database().read().await.unwrap();
    let found = list(&mut tx, USER.as_uuid(), filter, after, limit).await;
    let found = found.unwrap().into_iter();
    found.map(|found| found.state.title).collect()
}

#[tokio::test]
async fn an_inbox_is_listed_from_the_newest_and_holds_nobody_elses() {
    for (_test, ledger, clock) in ledgers().await {
        for number in 1..=3 {
            create(&ledger, number, USER, NotificationKind::ReminderFired).await;
            create(&ledger, number, OTHER, NotificationKind::ReminderFired).await;
            clock.advance(TimeDelta::minutes(1));
        }

        assert_eq!(
            titles(&ledger, Filter::default(), None, 10).await,
            ["3", "2", "1"]
        );
    }
}

#[tokio::test]
async fn pages_meet_without_gap_or_repeat_also_within_one_moment() {
    for (_test, ledger, _clock) in ledgers().await {
        for number in 1..=7 {
            create(&ledger, number, USER, NotificationKind::ReminderFired).await;
        }
        let all = titles(&ledger, Filter::default(), None, 10).await;

        let mut paged = Vec::new();
        let mut after = None;
        loop {
            let mut tx = ledger.database().read().await.unwrap();
            let page = list(&mut tx, USER.as_uuid(), Filter::default(), after, 2).await;
            let page = page.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(Place::of(&last.state));
            paged.extend(page.into_iter().map(|found| found.state.title));
        }

        assert_eq!(all.len(), 7);
        assert_eq!(paged, all);
    }
}

#[tokio::test]
async fn filters_and_counts_know_what_was_read() {
    for (_test, ledger, clock) in ledgers().await {
        create(&ledger, 1, USER, NotificationKind::ReminderFired).await;
        clock.advance(TimeDelta::minutes(1));
        create(&ledger, 2, USER, NotificationKind::SeriesEnded).await;
        give(&ledger, id(1, USER), Command::Read { by: USER }).await;

        let unread = Filter {
            unread: true,
            kind: None,
        };
        let fired = Filter {
            unread: false,
            kind: Some(NotificationKind::ReminderFired),
        };
        assert_eq!(titles(&ledger, unread, None, 10).await, ["2"]);
        assert_eq!(titles(&ledger, fired, None, 10).await, ["1"]);
        let neither = Filter {
            unread: true,
            ..fired
        };
        assert!(titles(&ledger, neither, None, 10).await.is_empty());
        let mut tx = ledger.database().read().await.unwrap();
        assert_eq!(
            count(&mut tx, USER.as_uuid()).await.unwrap(),
            Counts {
                unread: 1,
                total: 2
            }
        );
        assert_eq!(
            count(&mut tx, OTHER.as_uuid()).await.unwrap(),
            Counts {
                unread: 0,
                total: 0
            }
        );
    }
}
