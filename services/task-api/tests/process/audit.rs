//! Reads the log, waits until it is published, and compares it with what callers remember.

use std::collections::HashSet;
use std::sync::Arc;

use clock::SystemClock;
use database::testing::TestDatabase;
use event_schema::App;
use event_store::{LaneLimits, Ledger};
use uuid::Uuid;

use crate::command::{Command, Outcome};
use crate::compare::{Logged, differences};
use crate::sidecar::Sidecar;

const PAGE: u32 = 1000;

/// Finds everything that was lost, repeated, made up, changed or overtaken; says what there was.
pub(crate) async fn audit(test: &TestDatabase, commands: &[Command], sidecar: &Sidecar) -> String {
    let log = read(test).await;
    let causes: HashSet<Uuid> = log.iter().map(|event| event.label.command).collect();
    sidecar.has_all(&causes).await;
    let arrivals = sidecar.arrivals();
    let found = differences(&log, commands, &arrivals);
    assert!(found.is_empty(), "{} differences: {found:#?}", found.len());
    let verified = event_store::Verifier::new(&test.database, &task_api::app::catalog())
        .run()
        .await
        .unwrap();
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
    let answered = commands.iter().filter(|one| one.answer().is_some()).count();
    let unknown = commands
        .iter()
        .filter(|one| one.outcome == Outcome::Unknown);
    let unknown: Vec<bool> = unknown.map(|one| causes.contains(&one.id)).collect();
    format!(
        "{} commands, {answered} acknowledged, {} never answered of which {} happened; {} events, \
         {} published again",
        commands.len(),
        unknown.len(),
        unknown.iter().filter(|happened| **happened).count(),
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
