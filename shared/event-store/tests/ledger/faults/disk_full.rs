//! No room for one more event.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use database::Database;
use database::sqlx;
use database::testing::TestDatabase;
use futures_util::future::join_all;

use super::is_unavailable;
use crate::fixture::{Fixture, SETS, TestResult, task};
use crate::server::Server;

/// Too many for the room that is left, of texts that cannot be made smaller.
async fn create_many(fixture: &Fixture, first: u128) -> Vec<TestResult> {
    let tasks = (first..first + 40).map(|id| {
        let mut task = task(id, &format!("{id:05}"), fixture.context().now);
        let words = (0..2000_u128).map(|word| (word * 7919 + id).wrapping_mul(u128::MAX / 3));
        let words: Vec<String> = words.map(|word| word.to_string()).collect();
        task.notes = words.concat();
        fixture.create_task(task)
    });
    join_all(tasks).await
}

/// Fills the disk, makes room, and compares what callers were told with what is there.
async fn fill_and_heal(fixture: &Fixture, fill: impl AsyncFnOnce(), heal: impl AsyncFnOnce()) {
    let before = create_many(fixture, 1).await;
    fill().await;
    let refused = create_many(fixture, 1001).await;
    heal().await;
    let after = create_many(fixture, 2001).await;

    assert!(before.iter().chain(&after).all(Result::is_ok), "{after:?}");
    assert!(refused.iter().any(is_unavailable), "{refused:?}");
    let told = (1_u128..).zip(before).chain((1001..).zip(refused));
    let told = told.chain((2001..).zip(after));
    let done: Vec<String> = told
        .inspect(|(_, outcome)| assert!(outcome.is_ok() || is_unavailable(outcome)))
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(id, _)| format!("{id:05}"))
        .collect();
    assert_eq!(fixture.titles().await, done);
    fixture.assert_dense().await;
}

#[tokio::test]
async fn a_full_sqlite_disk_refuses_loses_nothing_and_heals_without_a_restart() {
    let fixture = Fixture::over(TestDatabase::sqlite(SETS).await);
    let pages = async |count: u32| {
        let Database::Sqlite { writer, .. } = fixture.ledger.database() else {
            unreachable!("a SQLite file")
        };
        let pragma = sqlx::AssertSqlSafe(format!("pragma max_page_count = {count}"));
        sqlx::query(pragma).execute(writer).await.unwrap();
    };

    fill_and_heal(
        &fixture,
        async || pages(1).await,
        async || {
            pages(1_000_000).await;
        },
    )
    .await;
}

/// A small disk of its own, gone when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` when we may not make one.
    fn mount(at: &Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=32m", "tmpfs"])
            .arg(at)
            .status();
        let mounted = mount.is_ok_and(|status| status.success());
        mounted.then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(unmounted.unwrap().success());
    }
}

#[tokio::test]
async fn a_full_postgres_disk_refuses_loses_nothing_and_heals_without_a_restart() {
    let Some(server) = Server::start().await else {
        return;
    };
    let folder = server.folder("small");
    let Some(_disk) = SmallDisk::mount(&folder) else {
        eprintln!("PostgreSQL's disk is not filled: only root can mount a small one");
        return;
    };
    server.own(&folder);
    let tablespace = format!("create tablespace small location '{}'", folder.display());
    server.run(tablespace).await;
    let config = server.database("filled", "tablespace small").await;
    let fixture = Fixture::over(TestDatabase::over(config, SETS).await);
    let ballast = folder.join("ballast");

    fill_and_heal(
        &fixture,
        async || {
            let mut file = std::fs::File::create(&ballast).unwrap();
            while file.write_all(&[1; 8192]).is_ok() {}
        },
        async || std::fs::remove_file(&ballast).unwrap(),
    )
    .await;
}
