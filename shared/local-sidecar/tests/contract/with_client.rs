//! The client that the services use, against this sidecar: what one says the other understands.

use std::sync::Arc;

use chrono::{TimeZone, Utc};
use clock::TestClock;
use dapr_client::{
    Ack, Client, DeadLetter, DeadLetters, Delivery, HandlerError, Message, ParkError, Subscriptions,
};
use event_schema::{App, Topic};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use local_sidecar::{AppBinding, Config, LocalSidecar};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::stage::patiently;

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl HandlerError for Never {
    fn is_transient(&self) -> bool {
        false
    }
}

struct Nowhere;

impl DeadLetters for Nowhere {
    fn park(&self, _dead: DeadLetter) -> BoxFuture<'_, Result<(), ParkError>> {
        async { Err(ParkError::new("nothing is parked here")) }.boxed()
    }
}

type Deliveries = UnboundedSender<Delivery>;

async fn on_event(deliveries: Deliveries, delivery: Delivery) -> Result<Ack, Never> {
    deliveries.send(delivery).map_err(|_| Never)?;
    Ok(Ack::Success)
}

fn envelope(sequence: u32) -> String {
    json!({
        "specversion": "1.0", "id": "019c1347-d280-7000-8000-000000000001", "source": "/notifier",
        "type": "t.v1", "subject": "019c1347-d280-7000-8000-000000000002",
        "time": "2026-11-22T07:00:00.123456Z", "datacontenttype": "application/json",
        "partitionkey": "k", "sequence": sequence.to_string(), "traceid": "t", "traceparent": "t",
        "data": {},
    })
    .to_string()
}

/// The notifier with both tokens set, and what it receives from reminder events.
async fn app(config: &dapr_client::Config) -> (String, UnboundedReceiver<Delivery>) {
    let (sender, deliveries) = unbounded_channel();
    let router = Subscriptions::new(App::Notifier, config)
        .on(Topic::ReminderEvents, on_event)
        .into_router(sender, Arc::new(Nowhere));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, deliveries)
}

#[tokio::test]
async fn what_the_client_publishes_reaches_its_subscriptions_in_either_mode() {
    for delivery in [
        dapr_client::DeliveryMode::Bulk,
        dapr_client::DeliveryMode::Single,
    ] {
        let mut config = dapr_client::Config {
            dapr_api_token: Some("to the sidecar".into()),
            app_api_token: Some("to the app".into()),
            delivery,
            ..dapr_client::Config::default()
        };
        let (url, mut deliveries) = app(&config).await;
        let dir = TempDir::new().unwrap();
        let clock = TestClock::new(Utc.with_ymd_and_hms(2026, 11, 22, 7, 0, 0).unwrap());
        let mut notifier = AppBinding::new("notifier", url);
        notifier.dapr_api_token.clone_from(&config.dapr_api_token);
        notifier.app_api_token.clone_from(&config.app_api_token);
        let mut scheduler = AppBinding::new("reminder-scheduler", "http://127.0.0.1:9");
        scheduler.dapr_api_token.clone_from(&config.dapr_api_token);
        let apps = vec![notifier, scheduler];
        let sidecar =
            LocalSidecar::bind(Config::new(dir.path().join("b.db"), apps, clock.shared()))
                .await
                .unwrap();
        config.dapr_http_port = sidecar.address("notifier").unwrap().port();
        let subscriber = Client::new(&config).unwrap();
        config.dapr_http_port = sidecar.address("reminder-scheduler").unwrap().port();
        let publisher = Client::new(&config).unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(sidecar.run(stop.clone()));
        patiently(publisher.wait_until_ready()).await;

        let (one, two) = (envelope(1), envelope(2));
        let messages = [
            Message {
                position: 1,
                key: "k",
                envelope: &one,
            },
            Message {
                position: 2,
                key: "l",
                envelope: &two,
            },
        ];
        let topic = Topic::ReminderEvents.name();
        assert_eq!(publisher.publish_bulk(topic, &messages).await.unwrap(), []);
        publisher.publish_tombstone(topic, "k").await.unwrap();

        let mut versions = Vec::new();
        for _ in 0..2 {
            let delivery = patiently(deliveries.recv()).await.unwrap();
            assert_eq!(delivery.topic, Topic::ReminderEvents);
            versions.push(delivery.envelope.version());
        }
        versions.sort_unstable();
        assert_eq!(versions, [1, 2]);
        assert!(
            subscriber
                .metadata()
                .await
                .unwrap()
                .subscribes_to(&[Topic::ReminderEvents])
        );
        let refused = subscriber.publish(topic, &messages[0]).await.unwrap_err();
        assert!(refused.is_configuration());
        stop.cancel();
        patiently(running).await.unwrap().unwrap();
    }
}
