//! What is delivered at least once has its effect once; poison never blocks others.

use chrono::TimeDelta;
use dapr_client::{DeadLetter, DeadLetters};
use event_store::{Inbound, LaneLimits, Ledger, Outcome, Unit};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{Fixture, TestError, TestResult, create, task};

pub(crate) fn inbound(subject: u128, version: u64, fact: bool) -> Inbound {
    let event_id = Uuid::from_u128(subject << 32 | u128::from(version));
    Inbound {
        topic: "task-events".to_owned(),
        event_id,
        event_type: "task.created.v1".to_owned(),
        source: "/elsewhere".to_owned(),
        subject: Uuid::from_u128(subject),
        version,
        key: Uuid::from_u128(subject).to_string(),
        raw: format!("{{\"id\":\"{event_id}\"}}").into_bytes(),
        fact,
    }
}

/// Every effect makes a task of its own, so that effects can be counted.
pub(crate) async fn receive(fixture: &Fixture, inbound: Inbound) -> TestResult {
    let context = fixture.context();
    let title = format!("{} v{}", inbound.subject.as_u128(), inbound.version);
    let id = fixture.clock_id();
    let decide = move |unit: &mut Unit<'_>| -> Result<(), TestError> {
        create(task(id, &title, unit.now()))(unit).map(drop)
    };
    fixture.ledger.receive(context, inbound, &[], decide).await
}

impl Fixture {
    fn clock_id(&self) -> u128 {
        use clock::Clock;
        self.clock.new_id().as_u128()
    }
}

#[tokio::test]
async fn a_fact_delivered_many_times_at_once_and_after_a_restart_has_one_effect() {
    for fixture in Fixture::every().await {
        let outcomes = join_all((0..20).map(|_| receive(&fixture, inbound(1, 1, true)))).await;
        let fixture = fixture.restart().await;
        let late = receive(&fixture, inbound(1, 1, true)).await.unwrap();

        let applied = outcomes
            .iter()
            .filter(|o| matches!(o, Ok(Outcome::Accepted(_))))
            .count();
        assert_eq!(applied, 1);
        assert_eq!(late, Outcome::Stale);
        assert_eq!(fixture.titles().await, ["1 v1"]);
    }
}

#[tokio::test]
async fn a_fact_is_forgotten_after_thirty_days_and_not_before() {
    for fixture in Fixture::every().await {
        receive(&fixture, inbound(1, 1, true)).await.unwrap();

        fixture.clock.advance(TimeDelta::days(29));
        assert_eq!(fixture.ledger.purge().await.unwrap(), 0);
        let early = receive(&fixture, inbound(1, 1, true)).await.unwrap();
        assert_eq!(early, Outcome::Stale);
        fixture.clock.advance(TimeDelta::days(2));
        assert_eq!(fixture.ledger.purge().await.unwrap(), 1);

        let late = receive(&fixture, inbound(1, 1, true)).await.unwrap();
        assert!(matches!(late, Outcome::Accepted(_)));
    }
}

#[tokio::test]
async fn only_what_is_newer_than_the_newest_seen_has_an_effect() {
    for fixture in Fixture::every().await {
        let mut effects = Vec::new();
        for version in [2, 1, 2, 5, 4, 3, 6] {
            let outcome = receive(&fixture, inbound(1, version, false)).await.unwrap();
            if matches!(outcome, Outcome::Accepted(_)) {
                effects.push(version);
            }
        }

        assert_eq!(effects, [2, 5, 6]);
    }
}

#[tokio::test]
async fn streams_of_different_sources_have_gates_of_their_own() {
    for fixture in Fixture::every().await {
        let mut other = inbound(1, 1, false);
        other.source = "/another".to_owned();
        receive(&fixture, inbound(1, 7, false)).await.unwrap();

        let outcome = receive(&fixture, other).await.unwrap();

        assert!(matches!(outcome, Outcome::Accepted(_)));
    }
}

#[tokio::test]
async fn a_refused_effect_leaves_the_gate_open() {
    for fixture in Fixture::every().await {
        let refuse = |_: &mut Unit<'_>| Err::<(), _>(TestError::Refused);
        let first = fixture
            .ledger
            .receive(fixture.context(), inbound(1, 1, false), &[], refuse);
        assert!(matches!(first.await, Err(TestError::Refused)));

        let again = receive(&fixture, inbound(1, 1, false)).await.unwrap();

        assert!(matches!(again, Outcome::Accepted(_)));
    }
}

pub(crate) fn poison(key: u128, raw: &'static [u8]) -> DeadLetter {
    DeadLetter {
        topic: "task-events".to_owned(),
        event_id: None,
        event_type: None,
        subject: None,
        key: Some(Uuid::from_u128(key).to_string()),
        version: None,
        raw: raw.into(),
        reason: "unreadable".to_owned(),
    }
}

#[tokio::test]
async fn later_events_of_a_parked_key_wait_and_other_keys_go_on() {
    for fixture in Fixture::every().await {
        fixture.ledger.park(poison(1, b"\xff")).await.unwrap();

        let same = receive(&fixture, inbound(1, 1, false)).await.unwrap();
        let other = receive(&fixture, inbound(2, 1, false)).await.unwrap();

        assert_eq!(same, Outcome::Waiting);
        assert!(matches!(other, Outcome::Accepted(_)));
        let rows = fixture.ledger.dead_letters(10).await.unwrap();
        let states: Vec<&str> = rows.iter().map(|row| row.state.as_str()).collect();
        assert_eq!(states, ["parked", "waiting"]);
        let table = fixture.ledger.dead_letter_table();
        let bytes = table.envelope(rows[0].dead_letter_id).await.unwrap();
        assert_eq!(bytes.as_deref(), Some(b"\xff".as_slice()));
        assert_eq!(rows[0].reason, "unreadable");
    }
}

#[tokio::test]
async fn a_redelivered_poison_event_is_parked_once() {
    for fixture in Fixture::every().await {
        for _ in 0..3 {
            fixture.ledger.park(poison(1, b"{")).await.unwrap();
            receive(&fixture, inbound(1, 1, false)).await.unwrap();
        }

        assert_eq!(fixture.ledger.dead_letters(10).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn the_same_bytes_hold_every_key_under_which_they_come() {
    for fixture in Fixture::every().await {
        fixture.ledger.park(poison(1, b"{")).await.unwrap();
        fixture.ledger.park(poison(2, b"{")).await.unwrap();

        let second = receive(&fixture, inbound(2, 1, false)).await.unwrap();

        assert_eq!(second, Outcome::Waiting);
    }
}

#[tokio::test]
async fn poison_of_any_text_and_length_can_be_parked_and_holds_its_key() {
    for fixture in Fixture::every().await {
        // Incompressible, as an index entry of it would have to be.
        let noise: String = (0..20_000_u32)
            .map(|n| char::from(b'!' + u8::try_from(n.wrapping_mul(2_654_435_761) >> 26).unwrap()))
            .collect();
        for (subject, key) in (7..).zip(["with\0nul".to_owned(), noise]) {
            let mut dead = poison(1, b"\0");
            dead.event_id = Some(format!("id of {key}"));
            dead.event_type = Some(key.clone());
            dead.subject = Some(key.clone());
            dead.reason = format!("cannot read {key}");
            dead.key = Some(key.clone());
            fixture.ledger.park(dead).await.unwrap();

            let mut same = inbound(subject, 1, false);
            same.key = key;
            assert_eq!(receive(&fixture, same).await.unwrap(), Outcome::Waiting);
        }

        assert_eq!(fixture.ledger.dead_letters(10).await.unwrap().len(), 4);
    }
}

#[tokio::test]
async fn two_events_of_a_parked_key_wait_in_their_order() {
    for fixture in Fixture::every().await {
        fixture.ledger.park(poison(1, b"{")).await.unwrap();

        join_all((1..=5).map(|version| receive(&fixture, inbound(1, version, false)))).await;

        let rows = fixture.ledger.dead_letters(10).await.unwrap();
        let ids: Vec<_> = rows[1..].iter().map(|row| row.event_id.clone()).collect();
        let expected: Vec<_> = (1..=5)
            .map(|version| Some(inbound(1, version, false).event_id.to_string()))
            .collect();
        assert_eq!(ids, expected);
    }
}

#[tokio::test]
async fn deliveries_beyond_the_queue_wait_instead_of_coming_again() {
    for fixture in Fixture::every().await {
        let (queue, batch) = (2, 2);
        let (ledger, lane) = Ledger::new(
            event_schema::App::TaskApi,
            fixture.ledger.database().clone(),
            fixture.clock.shared(),
            Vec::new(),
            LaneLimits { queue, batch },
        );
        tokio::spawn(lane.run(CancellationToken::new()));
        let nothing = |_: &mut Unit<'_>| Ok::<_, TestError>(());

        let deliveries = (1..=20).map(|subject| inbound(subject, 1, false));
        let outcomes = join_all(
            deliveries.map(|event| ledger.receive(fixture.context(), event, &[], nothing)),
        )
        .await;

        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }
}
