//! The role that a service runs as may append to the log and nothing else.

use database::sqlx::{self, AssertSqlSafe, Connection, PgConnection};
use database::testing::TestDatabase;
use database::{Config, MigrateMode};
use event_store::{AppRole, AppRoleError, MIGRATIONS};
use secrecy::ExposeSecret;

/// A connection as a role that was let in, and nothing is pending for it.
async fn let_in(owner: &TestDatabase) -> PgConnection {
    let url = owner.config.database_url.expose_secret();
    let (base, name) = url.rsplit_once('/').unwrap();
    let role = format!("app_{name}");
    let mut admin = PgConnection::connect(url).await.unwrap();
    let create = AssertSqlSafe(format!("create role {role} login"));
    sqlx::query(create).execute(&mut admin).await.unwrap();
    // As in a database that was hardened: nobody may what was not granted to him.
    let harden = sqlx::query("revoke execute on all functions in schema public from public");
    harden.execute(&mut admin).await.unwrap();

    AppRole::new(&role)
        .unwrap()
        .let_in(&owner.database)
        .await
        .unwrap();

    let (_, host) = base.rsplit_once('@').unwrap();
    let url = format!("postgres://{role}@{host}/{name}");
    let config = Config {
        database_migrate: MigrateMode::Check,
        ..Config::for_url(url.clone())
    };
    let opened = database::Database::connect(&config, &[MIGRATIONS]).await;
    opened.unwrap().close().await;
    PgConnection::connect(&url).await.unwrap()
}

async fn refusal(connection: &mut PgConnection, statement: &'static str) -> Option<String> {
    let outcome = sqlx::query(statement).execute(connection).await;
    let refused = outcome.err()?;
    refused.as_database_error()?.code().map(Into::into)
}

#[tokio::test]
async fn the_role_changes_rows_but_neither_the_past_nor_the_tables() {
    const DENIED: Option<&str> = Some("42501");
    for owner in TestDatabase::every(&[MIGRATIONS]).await {
        if !owner.is_postgres() {
            let refused = AppRole::new("app").unwrap().let_in(&owner.database).await;
            assert!(matches!(refused, Err(AppRoleError::NoRoles)), "{refused:?}");
            continue;
        }
        let mut app = let_in(&owner).await;
        for allowed in [
            "insert into event select * from event where false",
            "update stream set version = version where false",
            "delete from inbox where false",
            "update timer set fire_at = fire_at where false",
            "select as_wanted('{1}', '{1}')",
        ] {
            assert_eq!(refusal(&mut app, allowed).await, None, "{allowed}");
        }
        for denied in [
            "update event set version = version where false",
            "delete from event where false",
            "truncate event",
            "truncate stream",
            "alter table event add column more text",
            "drop table event",
            "create table mine (id int)",
            "create index mine on event (type)",
            "delete from migration where false",
        ] {
            assert_eq!(
                refusal(&mut app, denied).await.as_deref(),
                DENIED,
                "{denied}"
            );
        }
    }
}

#[tokio::test]
async fn a_table_that_is_made_later_is_the_roles_too() {
    for owner in TestDatabase::every(&[MIGRATIONS]).await {
        if !owner.is_postgres() {
            continue;
        }
        let mut app = let_in(&owner).await;
        let mut admin = PgConnection::connect(owner.config.database_url.expose_secret())
            .await
            .unwrap();
        let made = sqlx::query("create table rebuilt (id int)")
            .execute(&mut admin)
            .await;
        made.unwrap();

        assert_eq!(
            refusal(&mut app, "insert into rebuilt values (1)").await,
            None
        );
    }
}

#[test]
fn a_name_that_would_be_more_than_a_name_is_refused() {
    for name in [
        "",
        "1app",
        "App",
        "app;drop",
        "a b",
        "\"app\"",
        &"a".repeat(64),
    ] {
        let refused = AppRole::new(name);
        assert!(matches!(refused, Err(AppRoleError::Name)), "{name}");
    }
    assert!(AppRole::new("task_api").is_ok());
}
