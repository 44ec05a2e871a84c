//! A password that is wrong: at the sidecar, at the broker, at the database.

use event_schema::App;
use reqwest::Method;
use serde_json::{Value, json};
use suite_tests::stack::{Stack, run};
use tokio::process::Command;

use super::{Scene, until};

#[tokio::test]
async fn a_sidecar_with_a_wrong_password() {
    let scene = Scene::start().await;
    let [service, sidecar] = scene.ends(["task-api", "task-api-dapr"]);
    let path = scene.stack.path("secrets/task-api.json");
    let mut secrets: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    secrets["kafka"]["saslPassword"] = json!("wrong");
    std::fs::write(&path, secrets.to_string()).unwrap();
    scene.stack.restart(&["task-api-dapr"]).await;

    let task = scene.remind().await;
    let words = ["level=fatal", "pubsub.kafka", "SASL", "invalid credentials"];
    scene.says("task-api-dapr", sidecar, &words).await;
    let words = [
        "no answer from the sidecar",
        "the last line of its log",
        "a wrong password",
    ];
    scene.says("task-api", service, &words).await;

    scene.stack.up().await;
    scene.told(&task).await;
}

#[tokio::test]
async fn a_password_that_the_broker_does_not_know_any_more() {
    let scene = Scene::start().await;
    let [service] = scene.ends(["task-api"]);
    at_broker(&scene.stack, "another").await;
    scene.stack.restart_brokers().await;

    let task = scene.remind().await;
    let words = [
        "the sidecar does not publish",
        "SASL",
        "invalid credentials",
        "user or password",
    ];
    scene.says("task-api", service, &words).await;

    at_broker(&scene.stack, scene.stack.secret("kafka:task-api")).await;
    scene.told(&task).await;
}

#[tokio::test]
async fn a_password_that_the_database_does_not_know_any_more() {
    let scene = Scene::start().await;
    let [service, reader] = scene.ends(["task-api", "reminder-scheduler"]);
    let task = json!({ "title": "Water the plants" });
    at_database(&scene.stack, App::ReminderScheduler, "another").await;
    let first = scene.remind().await;
    at_database(&scene.stack, App::TaskApi, "another").await;

    let request = scene.suite.request(Method::POST, "/v1/tasks").json(&task);
    let refused = request.send().await.unwrap();
    assert_eq!(refused.status(), 503, "a caller may come again");
    assert!(refused.headers().contains_key("retry-after"));
    let words = ["password authentication failed", "DATABASE_URL"];
    scene.says("task-api", service, &words).await;
    scene.says("reminder-scheduler", reader, &words).await;

    for app in [App::ReminderScheduler, App::TaskApi] {
        let right = scene.stack.secret(&format!("postgres:{}", app.id()));
        at_database(&scene.stack, app, right).await;
    }
    let taken = async || {
        let request = scene.suite.request(Method::POST, "/v1/tasks").json(&task);
        request.send().await.unwrap().status() == 201
    };
    until("a command to be taken", taken).await;
    scene.told(&first).await;
}

/// Changes the password of task-api's principal; connections that there are go on.
async fn at_broker(stack: &Stack, password: &str) {
    let password = format!("SCRAM-SHA-512=[password={password}]");
    let words = [
        "--alter",
        "--entity-type",
        "users",
        "--entity-name",
        "task-api",
        "--add-config",
    ];
    let words = [words.as_slice(), &[&password]].concat();
    let said = stack.kafka("kafka-configs.sh", "admin", &words, "").await;
    said.expect_success();
}

/// Changes the password of a service's role, and ends its connections.
async fn at_database(stack: &Stack, app: App, password: &str) {
    let role = app.id().replace('-', "_");
    let mut command = Command::new(stack.postgres_program("psql"));
    command.args(["--no-psqlrc", "--host=127.0.0.1", "--username=postgres"]);
    command.args(["--dbname=postgres", "--set=ON_ERROR_STOP=1"]);
    command.args(["--port", &stack.port("postgres").to_string()]);
    command.args([
        "--command",
        &format!("alter role {role} password '{password}'"),
    ]);
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where usename =";
    command.args(["--command", &format!("{end} '{role}'")]);
    command.env("PGPASSWORD", stack.secret("postgres"));
    run(command, "").await.expect_success();
}
