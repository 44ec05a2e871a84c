//! `taskledger dead-letters` beside a running suite.

use std::path::Path;

use database::sqlx::{self, Connection, SqliteConnection};

use crate::running::{Ended, Running, operator, run};

/// Three parked events of the notifier, whose bytes nobody can read; one waits behind the first. The
/// last has the fingerprint that the service makes of it: the hash of topic, NUL and bytes.
const ROWS: &str = "insert into dead_letter
    (consumer, topic, type, subject, key, envelope, fingerprint, reason, state, recorded_at)
    values ('notifier', 'task-events', 'task.created.v1', 's', 'k', x'7b', x'01', 'not a task',
            'parked', '2026-11-22T10:00:00+00:00'),
           ('notifier', 'task-events', 'task.updated.v1', 's', 'k', x'7b7d', x'02', 'waits',
            'waiting', '2026-11-22T10:00:01+00:00'),
           ('notifier', 'reminder-events', 'reminder.fired.v1', 's', 'l', x'5b', x'03', 'not a \u{1b}[31mreminder',
            'parked', '2026-11-22T10:00:02+00:00'),
           ('notifier', 'reminder-events', null, null, null, x'5b', x'b4b8acb572d16a6e035111407e7194924a397d79ce6bbd9458470c65d6e2f2ee', 'not a reminder',
            'parked', '2026-11-22T10:00:03+00:00')";

async fn database(directory: &Path) -> SqliteConnection {
    let file = format!("sqlite://{}/notifier.db", directory.display());
    SqliteConnection::connect(&file).await.unwrap()
}

/// A directory with those events, whose suite does not run any more.
async fn stopped() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    Running::start(directory.path()).await.kill().await;
    let mut database = database(directory.path()).await;
    sqlx::query(ROWS).execute(&mut database).await.unwrap();
    directory
}

async fn dead_letters(directory: &Path, words: &[&str]) -> Ended {
    let words = [&["dead-letters"], words].concat();
    run(operator(&words, directory)).await
}

async fn states(directory: &Path) -> Vec<(i64, String)> {
    let mut database = database(directory).await;
    let rows = sqlx::query_as("select dead_letter_id, state from dead_letter order by 1");
    rows.fetch_all(&mut database).await.unwrap()
}

#[tokio::test]
async fn parked_events_are_listed_by_filters_counted_and_shown() {
    let directory = stopped().await;
    let said = async |words: &[&str]| {
        let ended = dead_letters(directory.path(), words).await;
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
        ended.stdout
    };

    let all = said(&["list"]).await;
    assert_eq!(all.lines().count(), 5, "{all}");
    assert!(
        all.contains("waits behind 1") && !all.contains('\u{1b}'),
        "{all}"
    );
    let json = said(&["list", "--json", "--reason", "A REMINDER", "--limit", "1"]).await;
    let row: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&row["id"], &row["service"]),
        (&4.into(), &"notifier".into())
    );
    for (filter, ids) in [
        (["--topic", "task-events"], "1 2"),
        (["--type", "reminder.fired.v1"], "3"),
        (["--state", "waiting"], "2"),
        (["--key", "l"], "3"),
        (["--before", "2026-11-22T10:00:01Z"], "1"),
        (["--after", "2026-11-22T10:00:02Z"], "3 4"),
    ] {
        let json = said(&[&["list", "--json"], &filter[..]].concat()).await;
        let rows = json
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let found: Vec<String> = rows.map(|row| row["id"].to_string()).collect();
        assert_eq!(found.join(" "), ids, "{filter:?}");
    }
    let summary = said(&["list", "--summary"]).await;
    assert!(
        summary.contains("not a task") && summary.lines().count() == 5,
        "{summary}"
    );
    let shown = said(&["show", "1", "--service", "notifier"]).await;
    assert!(
        shown.contains("not a task") && shown.contains("1 behind it: 2"),
        "{shown}"
    );
    let none = said(&["list", "--key", "nobody's"]).await;
    assert_eq!(none, "No dead letter is like that.\n");
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let directory = stopped().await;
    let before = states(directory.path()).await;

    for verb in ["replay", "drop"] {
        let ended = dead_letters(directory.path(), &[verb, "--all", "--dry-run"]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        for part in [
            "1 (task.created.v1 of key k): not a task",
            "1 event behind it: 2",
            "Nothing was changed.",
        ] {
            assert!(ended.stdout.contains(part), "{}", ended.stdout);
        }
    }

    assert_eq!(states(directory.path()).await, before);
}

#[tokio::test]
async fn what_is_dropped_for_good_has_to_be_said_clearly() {
    let directory = stopped().await;
    for (words, part) in [
        (vec!["drop"], "say which events to drop"),
        (vec!["replay"], "say which events to replay"),
        (vec!["drop", "1"], "--service"),
        (
            vec!["drop", "1", "--key", "k", "--service", "notifier"],
            "exclude each other",
        ),
        (vec!["drop", "1", "4", "--service", "notifier"], "--yes"),
        (
            vec!["drop", "--reason", "not a"],
            "3 events would be dropped for good",
        ),
        (
            vec!["drop", "9", "--service", "notifier"],
            "notifier has no dead letter 9",
        ),
        (
            vec!["replay", "1", "--service", "nobody"],
            "no service nobody",
        ),
        (vec!["replay", "--all", "--rate", "fast"], "--rate"),
        (vec!["list", "--before", "yesterday"], "--before"),
        (vec!["list", "--topic", "tasks"], "--topic"),
        (vec!["list", "--state", "lost"], "--state"),
        (vec!["list", "--limit", "0"], "--limit"),
    ] {
        let ended = dead_letters(directory.path(), &words).await;
        assert!(ended.code.is_some_and(|code| code != 0), "{words:?}");
        assert!(ended.stderr.contains(part), "{words:?}: {}", ended.stderr);
    }
    assert_eq!(states(directory.path()).await.len(), 4);

    let dropped = dead_letters(directory.path(), &["drop", "--reason", "not a", "--yes"]).await;

    assert_eq!(
        dropped.stdout,
        "3 events dropped. 1 event behind will be delivered again, at once where the service runs.\n"
    );
    assert_eq!(states(directory.path()).await, [(2, "released".to_owned())]);
}

#[tokio::test]
async fn a_replay_releases_everything_once_and_at_its_pace() {
    let directory = stopped().await;
    let waiting = dead_letters(directory.path(), &["replay", "2", "--service", "notifier"]).await;
    assert!(
        waiting
            .stdout
            .starts_with("Dead letter 2 waits, because 1 is parked"),
        "{}",
        waiting.stdout
    );
    let replay = ["replay", "--all", "--rate", "1000/s"];

    let first = dead_letters(directory.path(), &replay).await;
    let again = dead_letters(directory.path(), &replay).await;

    assert!(
        first
            .stdout
            .starts_with("3 events replayed; with what waited behind, 4"),
        "{}",
        first.stdout
    );
    assert!(
        again.stdout.contains("nothing was changed"),
        "{}",
        again.stdout
    );
    let states = states(directory.path()).await;
    assert!(
        states.iter().all(|(_, state)| state == "released"),
        "{states:?}"
    );
    let by_number = dead_letters(directory.path(), &["replay", "1", "--service", "notifier"]).await;
    assert!(
        by_number.stdout.contains("was released before"),
        "{}",
        by_number.stdout
    );
}

#[tokio::test]
async fn a_replayed_event_that_is_still_poison_is_parked_again_by_the_running_service() {
    let directory = stopped().await;
    let suite = Running::start(directory.path()).await;
    dead_letters(directory.path(), &["replay", "4", "--service", "notifier"]).await;

    let row = loop {
        // Each look is a process of its own; the service does its part within a second.
        let shown = dead_letters(
            directory.path(),
            &["show", "4", "--json", "--service", "notifier"],
        )
        .await;
        let row: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        if row["state"] == "parked" {
            break row;
        }
    };

    assert_eq!(row["attempts"], 2);
    assert!(
        !row["reason"].to_string().contains("not a reminder"),
        "{row}"
    );
    suite.kill().await;
}

#[tokio::test]
async fn a_key_that_the_relay_parked_is_listed_and_released_by_an_operator() {
    let directory = stopped().await;
    let mut database = database(directory.path()).await;
    sqlx::query(
        "insert into relay_parked (key, bucket, from_position, reason, recorded_at)
         values (x'00000000000000000000000000000001', 1, 7, 'too large', '2026-11-22T10:00:00+00:00')",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let relay =
        async |words: &[&str]| run(operator(&[&["relay"], words].concat(), directory.path())).await;
    let key = "00000000-0000-0000-0000-000000000001";

    let dry = relay(&["release", "--all", "--dry-run"]).await;
    assert!(
        dry.stdout.contains("Nothing was changed."),
        "{}",
        dry.stdout
    );
    let listed = relay(&["parked"]).await;
    assert!(
        listed.stdout.contains(key) && listed.stdout.contains("too large"),
        "{}",
        listed.stdout
    );
    let released = relay(&["release", key]).await;
    assert_eq!(released.code, Some(0), "{}", released.stderr);
    let listed = relay(&["parked", "--json"]).await;
    assert!(
        listed.stdout.contains("\"state\":\"released\""),
        "{}",
        listed.stdout
    );
    let unknown = relay(&["release", "00000000-0000-0000-0000-000000000002"]).await;
    assert!(
        unknown.stderr.contains("is not parked"),
        "{}",
        unknown.stderr
    );
}
