//! `taskledger ledger migrate`: a database is made ready before its service starts.

use std::path::Path;

use tokio::process::Command;

use crate::running::run;

fn ledger(words: &[&str], file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskledger"));
    let url = format!("sqlite://{}", file.display());
    command
        .arg("ledger")
        .args(words)
        .args(["--service", "notifier"]);
    command
        .args(["--database-url", &url])
        .env_remove("TASKLEDGER_DATA_DIR");
    command
}

#[tokio::test]
async fn a_database_is_made_ready_and_again_without_a_change() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notifier.db");
    for _ in 0..2 {
        let migrated = run(ledger(&["migrate"], &file)).await;

        assert_eq!(migrated.code, Some(0), "{}", migrated.stderr);
        assert!(
            migrated.stdout.contains("notifier are up to date"),
            "{}",
            migrated.stdout
        );
    }
    let sound = run(ledger(&["verify"], &file)).await;
    assert_eq!(sound.code, Some(0), "{}", sound.stderr);
}

#[tokio::test]
async fn a_role_is_refused_in_one_sentence_where_there_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notifier.db");
    for (role, reason) in [
        ("notifier", "only PostgreSQL has roles"),
        ("No Role", "lower-case"),
    ] {
        let refused = run(ledger(&["migrate", "--app-role", role], &file)).await;

        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    }
}
