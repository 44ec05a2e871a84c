//! The services run as roles that cannot change the past.

use event_schema::App;
use suite_tests::stack::{Said, Stack, run};
use tokio::process::Command;

/// Runs a statement as a service does.
async fn statement(stack: &Stack, app: App, database: App, statement: &str) -> Said {
    let name = |app: App| app.id().replace('-', "_");
    let mut command = Command::new(stack.postgres_program("psql"));
    command.args(["--no-psqlrc", "--host=127.0.0.1", "--set=ON_ERROR_STOP=1"]);
    command.args(["--port", &stack.port("postgres").to_string()]);
    command.args([
        "--username",
        &name(app),
        "--dbname",
        &name(database),
        "--command",
        statement,
    ]);
    command.env(
        "PGPASSWORD",
        stack.secret(&format!("postgres:{}", app.id())),
    );
    run(command, "").await
}

#[tokio::test]
async fn a_service_appends_to_its_log_and_does_not_see_that_of_another() {
    let stack = Stack::of_environment();
    for app in App::ALL {
        statement(&stack, app, app, "select count(*) from event")
            .await
            .expect_success();
        for denied in [
            "update event set version = version where false",
            "delete from event where false",
            "drop table event",
            "create table mine (id int)",
        ] {
            let refused = statement(&stack, app, app, denied).await;
            let owner =
                refused.err.contains("permission denied") || refused.err.contains("must be owner");
            assert!(!refused.success && owner, "{denied}: {refused:?}");
        }
    }
    let refused = statement(&stack, App::Notifier, App::TaskApi, "select 1").await;
    assert!(
        refused.err.contains("permission denied for database"),
        "{refused:?}"
    );
}
