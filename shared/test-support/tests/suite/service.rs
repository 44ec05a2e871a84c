//! The smallest service: a notification for every task that is created.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::routing::{get, post};
use axum::{Json, Router};
use dapr_client::{Ack, Client, Delivery, HandlerError, Subscriptions};
use database::Database;
use event_schema::{
    App, Decoded, Notification, NotificationEvent, NotificationId, NotificationKind, TaskEvent,
    Topic, UserId, decode,
};
use event_store::{Aggregate, Context, Inbound, LaneLimits, Ledger, Relay};
use serde_json::Value;
use service_kit::Kit;
use service_kit::extract::Call;
use test_support::{TestEnvironment, TestParts};
use uuid::Uuid;

/// What the service was asked, and what its worker has to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<(Vec<String>, usize)>>);

impl Calls {
    pub(crate) fn in_order(&self) -> Vec<String> {
        self.0.lock().unwrap().0.clone()
    }

    pub(crate) fn by_event(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for id in self.in_order() {
            *counts.entry(id).or_default() += 1;
        }
        counts
    }

    pub(crate) fn plan_work(&self, batches: usize) {
        self.0.lock().unwrap().1 = batches;
    }

    pub(crate) fn work_left(&self) -> usize {
        self.0.lock().unwrap().1
    }

    fn work(&self) -> usize {
        let left = &mut self.0.lock().unwrap().1;
        let done = (*left).min(1);
        *left -= done;
        done
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("not now")]
    Unwelcome,
    #[error(transparent)]
    Ledger(#[from] event_store::Error),
    #[error(transparent)]
    Decode(#[from] event_schema::DecodeError),
    #[error(transparent)]
    Subject(#[from] event_store::SubjectError),
}

impl HandlerError for Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Unwelcome | Self::Ledger(_))
    }
}

struct Notes;

impl Aggregate for Notes {
    const KIND: &'static str = "notification";

    type Events = NotificationEvent;

    fn evolve(state: Option<Notification>, event: &NotificationEvent) -> Option<Notification> {
        match event {
            NotificationEvent::Created(notification) => Some(Notification::clone(notification)),
            _ => state,
        }
    }

    fn partition_key(notification: &Notification) -> Uuid {
        notification.user_id.as_uuid()
    }
}

pub(crate) async fn parts(environment: TestEnvironment, calls: Calls) -> Result<TestParts, String> {
    let clock = environment.clock();
    let database = Database::connect(&environment.database(), &[event_store::MIGRATIONS]).await;
    let database = database.map_err(|error| error.to_string())?;
    let limits = LaneLimits::default();
    let (ledger, lane) = Ledger::new(App::Notifier, database, clock.clone(), vec![], limits);
    let client = Client::new(&environment.dapr()).map_err(|error| error.to_string())?;
    let kit = Kit::new("notes", clock, &environment.http(), &environment.auth());
    let kit = kit.map_err(|error| error.to_string())?;
    let routes = Router::new()
        .route(
            "/me",
            get(async |call: Call| Json(UserId(call.caller.user_id))),
        )
        .route("/echo", post(async |Json(body): Json<Value>| Json(body)));
    let state = (ledger.clone(), calls.clone());
    let doors = Subscriptions::new(App::Notifier, &environment.dapr())
        .on(Topic::TaskEvents, on_task_events)
        .into_router(state, Arc::new(ledger.clone()));
    let relay = Relay::new(&ledger, client);
    Ok(TestParts::new(
        ledger,
        lane,
        relay,
        kit.public_layers(routes),
        kit.sidecar_layers(doors),
    )
    .worker("work", move || {
        let done = calls.work();
        async move { Ok::<_, String>(done) }
    }))
}

async fn on_task_events(
    (ledger, calls): (Ledger, Calls),
    delivery: Delivery,
) -> Result<Ack, Error> {
    calls
        .0
        .lock()
        .unwrap()
        .0
        .push(delivery.envelope.id.to_string());
    let Decoded::Known(event) = decode::<TaskEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    if event.state.title == "Unwelcome" {
        return Err(Error::Unwelcome);
    }
    let context = Context::of_delivery(App::Notifier, &delivery, ledger.clock().now());
    let inbound = Inbound::of_delivery(&delivery)?;
    let note = Notification {
        id: NotificationId(inbound.subject),
        user_id: event.state.owner_id,
        kind: NotificationKind::ReminderFired,
        title: event.state.title,
        body: String::new(),
        task_id: None,
        series_id: None,
        scheduled_for: None,
        missed: None,
        created_at: context.now,
        read_at: None,
        withdrawn_at: None,
    };
    ledger
        .receive::<Error, _>(context, inbound, &[], move |unit| {
            let created = NotificationEvent::Created(Box::new(note.clone()));
            unit.append::<Notes>(note.id.as_uuid(), &created);
            Ok(())
        })
        .await?;
    Ok(Ack::Success)
}
