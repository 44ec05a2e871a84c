use axum::response::{IntoResponse, Sse};
use chrono::TimeDelta;
use clock::{Clock, TestClock};
use database::testing::TestDatabase;
use event_schema::{App, EventId, NotificationId, NotificationKind, notification_id};
use event_store::{Answer, Context, LaneLimits};
use test_support::{SseEvent, SseReader};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::domain::NotificationStream;
use crate::domain::notification::{Command, NewNotification, decide};

const USER: UserId = UserId(Uuid::from_u128(1));
const OTHER: UserId = UserId(Uuid::from_u128(2));

struct Log {
    _database: TestDatabase,
    ledger: Ledger,
    stop: CancellationToken,
    clock: TestClock,
}

impl Log {
    async fn new() -> Self {
        let sets = [event_store::MIGRATIONS, crate::store::MIGRATIONS];
        let test = TestDatabase::sqlite(&sets).await;
        let clock = TestClock::new("2026-11-22T10:00:00Z".parse().unwrap());
        let (ledger, lane) = Ledger::new(
            App::Notifier,
            test.database.clone(),
            clock.shared(),
            crate::store::projections(),
            LaneLimits::default(),
        );
        tokio::spawn(lane.run(CancellationToken::new()));
        Self {
            _database: test,
            ledger,
            stop: CancellationToken::new(),
            clock,
        }
    }

    async fn create(&self, number: u128, user: UserId) -> NotificationId {
        let new = NewNotification {
            id: notification_id(EventId(Uuid::from_u128(number)), user, "test"),
            user_id: user,
            kind: NotificationKind::ReminderFired,
            title: number.to_string(),
            body: String::new(),
            task_id: None,
            series_id: None,
            scheduled_for: None,
            missed: None,
        };
        let id = new.id;
        let context = Context::of_worker(App::Notifier, self.ledger.clock().now());
        let created = self
            .ledger
            .execute::<Error, _>(context, None, &[], move |unit| {
                for event in decide(None, Command::Create(new.clone()), unit.now())? {
                    unit.append::<NotificationStream>(id, &event);
                }
                Ok(Answer::default())
            });
        created.await.unwrap();
        id
    }

    async fn follow(&self, after: Option<&str>, limits: Limits) -> SseReader {
        self.follow_as(&caller(None), after, limits).await
    }

    async fn follow_as(&self, caller: &Caller, after: Option<&str>, limits: Limits) -> SseReader {
        let stopping = Stopping::from(self.stop.clone());
        let tail = Tail::begin(self.ledger.clone(), caller, after, stopping, limits).await;
        SseReader::new(Sse::new(tail.unwrap().events()).into_response())
    }
}

fn caller(expires_at: Option<DateTime<Utc>>) -> Caller {
    Caller {
        user_id: USER.as_uuid(),
        expires_at,
    }
}

/// What is said of the n-th notification.
fn title(event: &SseEvent) -> String {
    let view: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    view["title"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_committed_arrives_and_what_was_before_does_not() {
    let log = Log::new().await;
    log.create(1, USER).await;

    let mut reader = log.follow(None, Limits::USUAL).await;
    log.create(2, OTHER).await;
    log.create(3, USER).await;

    let event = reader.next_event().await.unwrap();
    assert_eq!(event.event, "notification.created");
    assert_eq!((title(&event).as_str(), event.id.as_str()), ("3", "3"));
}

#[tokio::test]
async fn a_caller_who_comes_back_gets_what_was_missed() {
    let log = Log::new().await;
    for number in 1..=600 {
        log.create(number, USER).await;
    }

    let mut reader = log.follow(Some("1"), Limits::USUAL).await;

    for number in 2..=600 {
        assert_eq!(
            title(&reader.next_event().await.unwrap()),
            number.to_string()
        );
    }
}

#[tokio::test]
async fn a_place_that_is_not_known_or_too_far_back_is_a_resync() {
    let log = Log::new().await;
    for number in 1..=5 {
        log.create(number, USER).await;
    }
    let limits = Limits {
        replay: 3,
        ..Limits::USUAL
    };

    for place in ["1", "-1", "6", "99999999999999999999", "x", ""] {
        let mut reader = log.follow(Some(place), limits).await;
        let event = reader.next_event().await.unwrap();
        assert_eq!(
            (event.event.as_str(), event.id.as_str()),
            ("resync", "5"),
            "{place:?}"
        );
    }
    let mut reader = log.follow(Some("2"), limits).await;
    assert_eq!(title(&reader.next_event().await.unwrap()), "3");
}

#[tokio::test]
async fn a_quiet_stream_shows_that_it_is_alive_and_where_it_is() {
    let log = Log::new().await;
    let limits = Limits {
        heartbeat: Duration::from_millis(10),
        ..Limits::USUAL
    };
    let mut reader = log.follow(None, limits).await;
    assert_eq!(reader.next().await.unwrap().comment, "connected");
    log.create(1, OTHER).await;

    let mut beat = reader.next().await.unwrap();
    while beat.id != "1" {
        assert_eq!(beat.comment, "heartbeat");
        beat = reader.next().await.unwrap();
    }
}

#[tokio::test]
async fn what_another_process_commits_is_found() {
    let log = Log::new().await;
    let limits = Limits {
        poll: Duration::from_millis(10),
        ..Limits::USUAL
    };
    let stopping = Stopping::from(log.stop.clone());
    let mut tail = Tail::begin(log.ledger.clone(), &caller(None), None, stopping, limits)
        .await
        .unwrap();
    // Nobody wakes this one.
    let (_silent, receiver) = watch::channel(0);
    tail.committed = receiver;
    let mut reader = SseReader::new(Sse::new(tail.events()).into_response());

    log.create(1, USER).await;

    assert_eq!(title(&reader.next_event().await.unwrap()), "1");
}

#[tokio::test]
async fn a_stream_ends_when_its_listener_stops() {
    let log = Log::new().await;
    let mut reader = log.follow(None, Limits::USUAL).await;
    reader.next().await.unwrap();

    log.stop.cancel();

    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn an_old_stream_ends() {
    let log = Log::new().await;
    let limits = Limits {
        max_age: Duration::from_millis(10),
        ..Limits::USUAL
    };
    let mut reader = log.follow(None, limits).await;
    while reader.next().await.is_some() {}
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_says_nothing_after_it() {
    let log = Log::new().await;
    let expires_at = log.clock.now() + TimeDelta::seconds(90);
    let anna = caller(Some(expires_at));
    let mut reader = log.follow_as(&anna, None, Limits::USUAL).await;
    reader.next().await.unwrap();
    log.clock.set(expires_at - TimeDelta::microseconds(1));
    log.create(1, USER).await;
    assert_eq!(title(&reader.next_event().await.unwrap()), "1");

    log.create(2, USER).await;
    log.clock.set(expires_at);

    assert_eq!(reader.next().await, None);
}
