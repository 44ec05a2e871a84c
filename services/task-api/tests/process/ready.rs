//! Whether requests should be sent here: what a gateway asks.

use std::sync::Arc;

use clap::Parser;
use clock::SystemClock;
use database::testing::TestDatabase;
use secrecy::ExposeSecret;
use service_kit::health::{Health, Status};
use task_api::app;
use task_api::config::Config;
use test_support::RecordingSidecar;

async fn ready(health: &Health) -> Status {
    health.readiness().await.status
}

/// A rollout with a wrong configuration does not replace what works; what works goes on.
#[tokio::test]
async fn a_sidecar_counts_until_it_was_seen_and_the_database_always() {
    for test in TestDatabase::every(&[]).await {
        let sidecar = RecordingSidecar::start().await;
        sidecar.go_down();
        let config = Config::parse_from([
            "task-api",
            "--database-url",
            test.config.database_url.expose_secret(),
            "--database-migrate",
            "apply",
            "--dapr-http-endpoint",
            sidecar.url(),
        ]);
        let service = app::build_with(config, Arc::new(SystemClock::new()));
        let service = service.await.unwrap();
        let health = service.health();

        assert_eq!(ready(&health).await, Status::NotReady);
        sidecar.recover();
        assert_eq!(ready(&health).await, Status::Ready);
        sidecar.go_down();
        assert_eq!(ready(&health).await, Status::Degraded);

        service.state.ledger.database().close().await;
        assert_eq!(ready(&health).await, Status::NotReady);
        sidecar.recover();
        assert_eq!(ready(&health).await, Status::NotReady);
    }
}
