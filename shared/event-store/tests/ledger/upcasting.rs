//! Old envelopes and old heads are read as today's on every path, and stay as they were written.

mod parcels;

use dapr_client::{DeadLetter, DeadLetters};
use database::on;
use event_schema::{Decoded, Envelope, State, decode};
use event_store::{Catalog, Context, Error, Inbound, Outcome, Relay, StreamRef, Unit, Verifier};
use serde_json::Value;
use uuid::Uuid;

use crate::fixture::{Fixture, TestError};
use crate::sidecar::Sidecar;
use parcels::{
    Event, MovedBy, OLD, Parcel, ParcelEvent, Parcels, head_of, id, insert, moved, parcel,
};

async fn state(fixture: &Fixture, stream: Uuid) -> Parcel {
    let found = fixture.ledger.state::<Parcels>(stream).await.unwrap();
    found.unwrap().state
}

async fn envelopes(fixture: &Fixture, stream: Uuid) -> Vec<String> {
    let events = fixture.ledger.events_of::<Parcels>(stream, 0, 100).await;
    events
        .unwrap()
        .into_iter()
        .map(|event| event.envelope)
        .collect()
}

fn read(envelope: &str) -> Event {
    let envelope = Envelope::parse(envelope.as_bytes()).unwrap();
    let Decoded::Known(data) = decode::<ParcelEvent>(&envelope).unwrap() else {
        unreachable!("{} is unknown", envelope.event_type)
    };
    data
}

/// A ledger with a parcel that was sent and moved, each in an older version.
async fn old(fixture: &Fixture) {
    for row in 0..OLD.len() {
        insert(fixture, row).await;
    }
    head_of(fixture, 1).await;
}

async fn versions_of_heads(fixture: &Fixture) -> Vec<i32> {
    let mut tx = fixture.ledger.database().read().await.unwrap();
    let rows: Vec<(i32,)> = on!(&mut tx, conn => sqlx::query_as(
        "select state_version from stream order by stream_id"
    ).fetch_all(conn).await)
    .unwrap();
    rows.into_iter().map(|(version,)| version).collect()
}

fn move_on(unit: &mut Unit<'_>) -> Result<event_store::Answer, TestError> {
    let found = unit.state::<Parcels>(id()).ok_or(TestError::Refused)?;
    unit.append::<Parcels>(id(), &moved(&found.place, "Rome", MovedBy::Truck));
    Ok(event_store::Answer::default())
}

#[tokio::test]
async fn history_and_log_are_read_as_todays() {
    for fixture in Fixture::every().await {
        old(&fixture).await;

        let history = envelopes(&fixture, id()).await;
        let log = fixture.ledger.events_after(0, 100).await.unwrap();

        let expected = [
            (ParcelEvent::Sent(Box::new(parcel("Oslo"))), parcel("Oslo")),
            (moved("Oslo", "Bonn", MovedBy::Unknown), parcel("Bonn")),
            (moved("Bonn", "Lyon", MovedBy::Unknown), parcel("Lyon")),
        ];
        for (index, expected) in expected.into_iter().enumerate() {
            for envelope in [&history[index], &log[index].envelope] {
                let found = read(envelope);
                assert_eq!((found.change, found.state), expected);
            }
        }
    }
}

#[tokio::test]
async fn a_head_of_any_version_is_read_and_the_next_event_writes_todays() {
    for state_version in 1..=Parcel::VERSION {
        for fixture in Fixture::every().await {
            old(&fixture).await;
            head_of(&fixture, state_version).await;
            let before = envelopes(&fixture, id()).await;
            assert_eq!(state(&fixture, id()).await, parcel("Lyon"));

            let outcome = fixture
                .ledger
                .execute(fixture.context(), None, &[], move_on)
                .await;

            assert!(matches!(outcome, Ok(Outcome::Accepted(_))), "{outcome:?}");
            assert_eq!(state(&fixture, id()).await, parcel("Rome"));
            let after = envelopes(&fixture, id()).await;
            assert_eq!(after[..3], before);
            let newest = Envelope::parse(after[3].as_bytes()).unwrap();
            assert_eq!(newest.event_type, "parcel.moved.v2");
            assert_eq!(newest.schema_version(), Some("2.0.0"));
            assert_eq!(versions_of_heads(&fixture).await, [4]);
        }
    }
}

#[tokio::test]
async fn a_ledger_of_every_version_is_sound() {
    for fixture in Fixture::every().await {
        old(&fixture).await;
        fixture
            .ledger
            .execute(fixture.context(), None, &[], move_on)
            .await
            .unwrap();

        let catalog = Catalog::default().kind::<Parcels>();
        let verifier = Verifier::new(fixture.ledger.database(), &catalog);
        let found = verifier.run().await.unwrap();

        assert_eq!(found.findings, Vec::<String>::new());
        assert_eq!((found.events, found.streams), (4, 1));
    }
}

#[tokio::test]
async fn an_old_head_that_is_not_the_fold_of_its_events_is_found() {
    for fixture in Fixture::every().await {
        old(&fixture).await;
        let mut tx = fixture.ledger.database().begin().await.unwrap();
        let changed = on!(&mut tx, conn => sqlx::query(
            "update stream set state = replace(state, 'Lyon', 'Nice')"
        ).execute(conn).await.map(|done| done.rows_affected()));
        assert_eq!(changed.unwrap(), 1);
        tx.commit().await.unwrap();

        let catalog = Catalog::default().kind::<Parcels>();
        let verifier = Verifier::new(fixture.ledger.database(), &catalog);
        let found = verifier.run().await.unwrap();

        let stream = id();
        let expected =
            format!("parcel {stream}: the state of its head is not the fold of its events");
        assert_eq!(found.findings, [expected]);
    }
}

#[tokio::test]
async fn a_state_from_the_future_is_shown_but_never_written_over() {
    for fixture in Fixture::every().await {
        old(&fixture).await;
        let mut tx = fixture.ledger.database().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query("update stream set state_version = 5, state = $1")
            .bind(parcels::state_in(4, "Lyon").to_string()).execute(conn).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();

        let outcome = fixture
            .ledger
            .execute(fixture.context(), None, &[], move_on)
            .await;

        let Err(TestError::Ledger(error @ Error::Outdated(_))) = outcome else {
            unreachable!("{outcome:?}")
        };
        assert!(error.is_transient());
        assert!(
            error.to_string().contains("version 5, this code knows 4"),
            "{error}"
        );
        assert_eq!(state(&fixture, id()).await, parcel("Lyon"));
        assert_eq!(envelopes(&fixture, id()).await.len(), 3);
    }
}

/// What a subscriber does: decode, and take in what the event says.
async fn deliver(fixture: &Fixture, raw: &[u8]) -> Result<Outcome, TestError> {
    let envelope = Envelope::parse(raw).unwrap();
    let data = read(std::str::from_utf8(raw).unwrap());
    let copy = Uuid::from_u128(id().as_u128() + 1);
    let inbound = Inbound {
        topic: "task-events".to_owned(),
        event_id: envelope.id.as_uuid(),
        event_type: envelope.event_type.clone(),
        source: envelope.source.clone(),
        subject: envelope.subject.parse().unwrap(),
        version: envelope.version(),
        key: envelope.partitionkey.clone(),
        raw: raw.to_vec(),
        fact: false,
    };
    let context = Context {
        causation_id: Some(envelope.id.to_string()),
        ..fixture.context()
    };
    let decide = move |unit: &mut Unit<'_>| {
        let event = match unit.state::<Parcels>(copy) {
            None => ParcelEvent::Sent(Box::new(data.state.clone())),
            Some(_) => data.change.clone(),
        };
        unit.append::<Parcels>(copy, &event);
        Ok::<_, TestError>(())
    };
    let streams = [StreamRef::of::<Parcels>(copy)];
    fixture
        .ledger
        .receive(context, inbound, &streams, decide)
        .await
}

#[tokio::test]
async fn delivered_events_of_a_service_that_is_not_upgraded_have_their_effect() {
    for fixture in Fixture::every().await {
        for (row, place) in ["Oslo", "Bonn", "Lyon"].into_iter().enumerate() {
            let raw = parcels::envelope(row);

            let first = deliver(&fixture, raw.as_bytes()).await.unwrap();
            let again = deliver(&fixture, raw.as_bytes()).await.unwrap();

            assert!(matches!(first, Outcome::Accepted(_)), "{first:?}");
            assert_eq!(again, Outcome::Stale);
            let copy = Uuid::from_u128(id().as_u128() + 1);
            assert_eq!(state(&fixture, copy).await, parcel(place));
        }
    }
}

#[tokio::test]
async fn a_dead_letter_of_an_older_version_can_be_replayed() {
    for fixture in Fixture::every().await {
        let (raw, table) = (parcels::envelope(0), fixture.ledger.dead_letter_table());
        let envelope = Envelope::parse(raw.as_bytes()).unwrap();
        let dead = DeadLetter {
            topic: "task-events".to_owned(),
            event_id: Some(envelope.id.to_string()),
            event_type: Some(envelope.event_type.clone()),
            subject: Some(envelope.subject.clone()),
            key: Some(envelope.partitionkey.clone()),
            version: Some(envelope.version()),
            raw: raw.clone().into_bytes().into(),
            reason: "its reader had a bug".to_owned(),
        };
        fixture.ledger.park(dead).await.unwrap();
        let parked = fixture.ledger.dead_letters(1).await.unwrap()[0].dead_letter_id;
        table.replay(parked).await.unwrap();

        let released = table.released(0, 1).await.unwrap();
        assert_eq!(released[0].dead_letter_id, parked);
        let kept = table.envelope(parked).await.unwrap().unwrap();
        assert_eq!(kept, raw.as_bytes());
        let outcome = deliver(&fixture, &kept).await.unwrap();

        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        let copy = Uuid::from_u128(id().as_u128() + 1);
        assert_eq!(state(&fixture, copy).await, parcel("Oslo"));
    }
}

#[tokio::test]
async fn old_events_are_published_as_they_were_written() {
    for fixture in Fixture::every().await {
        old(&fixture).await;
        let (sidecar, client) = Sidecar::start().await;

        let mut relay = Relay::new(&fixture.ledger, client);
        while relay.run_once().await.unwrap().published > 0 {}

        let published = sidecar.with(|recorded| recorded.events.clone());
        let events: Vec<Value> = published.into_iter().map(|(_, event)| event).collect();
        let stored = envelopes(&fixture, id()).await;
        let stored: Vec<Value> = stored
            .iter()
            .map(|envelope| serde_json::from_str(envelope).unwrap())
            .collect();
        assert_eq!(events, stored);
    }
}
