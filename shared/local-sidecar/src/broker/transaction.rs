//! One transaction of the writer: records, offsets, deletions.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection};

use super::partition::Partition;
use super::record::NewRecord;
use super::writer::{Append, Delete, Progress};

/// Inserts go by rows of these counts, so that only a few statements are ever prepared.
const ROWS_PER_INSERT: [usize; 3] = [64, 8, 1];

/// How far groups have come. The newest progress of a group in a partition wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets(BTreeMap<(Arc<str>, i64), u64>);

impl Offsets {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn note(&mut self, progress: Progress) {
        self.0.insert(
            (progress.group, progress.partition_id),
            progress.next_offset,
        );
    }
}

/// Where the partitions end after a transaction.
#[derive(Debug, Default)]
pub(super) struct Ends(BTreeMap<i64, (Arc<Partition>, u64)>);

impl Ends {
    /// Tells everybody who waits for records.
    pub(super) fn publish(&self) {
        for (partition, end) in self.0.values() {
            partition.end.send_replace(*end);
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction<'a> {
    pub(super) appends: &'a [Append],
    pub(super) offsets: &'a Offsets,
    pub(super) deletes: &'a [Delete],
    /// Whether what we know of the ends may be behind the file.
    pub(super) in_doubt: bool,
}

type Row<'a> = (i64, i64, &'a NewRecord);

impl<'a> Transaction<'a> {
    /// All or nothing.
    pub(super) async fn run(self, connection: &mut SqliteConnection) -> sqlx::Result<Ends> {
        let mut tx = connection.begin_with("begin immediate").await?;
        let mut ends = self.ends(&mut tx).await?;
        let rows = self.place(&mut ends);
        if self.in_doubt {
            try_to_write(&mut tx).await?;
        }
        insert(&mut tx, &rows).await?;
        for (id, (_, end)) in &ends.0 {
            sqlx::query("update partitions set next_offset = $2 where partition_id = $1")
                .bind(id)
                .bind(end.cast_signed())
                .execute(&mut *tx)
                .await?;
        }
        self.save_offsets(&mut tx).await?;
        for position in self.deletes.iter().flat_map(|delete| &delete.positions) {
            sqlx::query("delete from records where position = $1")
                .bind(position)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(ends)
    }

    /// The ends, before the transaction, of the partitions that will grow.
    async fn ends(&self, connection: &mut SqliteConnection) -> sqlx::Result<Ends> {
        let mut ends = Ends::default();
        for (partition, _) in self.appends.iter().flat_map(|append| &append.records) {
            let known = (Arc::clone(partition), partition.end());
            ends.0.entry(partition.id).or_insert(known);
        }
        if self.in_doubt {
            for (id, (_, end)) in &mut ends.0 {
                let stored: i64 = sqlx::query_scalar(
                    "select next_offset from partitions where partition_id = $1",
                )
                .bind(id)
                .fetch_one(&mut *connection)
                .await?;
                *end = stored.cast_unsigned();
            }
        }
        Ok(ends)
    }

    /// Gives every record its position.
    fn place(&self, ends: &mut Ends) -> Vec<Row<'a>> {
        let mut rows = Vec::new();
        for append in self.appends {
            for (partition, record) in &append.records {
                if let Some((_, end)) = ends.0.get_mut(&partition.id) {
                    rows.push((partition.position(*end), append.timestamp, record));
                    *end += 1;
                }
            }
        }
        rows
    }

    async fn save_offsets(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        for ((group, partition_id), next_offset) in &self.offsets.0 {
            sqlx::query(
                "insert into offsets (consumer_group, partition_id, next_offset)
                 values ($1, $2, $3)
                 on conflict (consumer_group, partition_id)
                 do update set next_offset = excluded.next_offset",
            )
            .bind(&**group)
            .bind(partition_id)
            .bind(next_offset.cast_signed())
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}

/// A record that is gone again before the commit: whoever heals must have written something.
async fn try_to_write(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    for statement in [
        "insert into records (position, timestamp) values (-1, 0)",
        "delete from records where position = -1",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, rows: &[Row<'_>]) -> sqlx::Result<()> {
    let mut rest = rows;
    for count in ROWS_PER_INSERT {
        while let Some((chunk, later)) = rest.split_at_checked(count) {
            let values = vec!["(?, ?, ?, ?, ?)"; count].join(", ");
            let sql = format!(
                "insert into records (position, timestamp, key, value, headers) values {values}"
            );
            let query = chunk.iter().fold(sqlx::query(AssertSqlSafe(sql)), bind);
            query.execute(&mut *connection).await?;
            rest = later;
        }
    }
    Ok(())
}

fn bind<'a>(
    query: Query<'a, Sqlite, SqliteArguments>,
    (position, timestamp, record): &Row<'a>,
) -> Query<'a, Sqlite, SqliteArguments> {
    let headers = (!record.headers.is_empty())
        .then(|| serde_json::to_string(&record.headers).unwrap_or_default());
    query
        .bind(*position)
        .bind(*timestamp)
        .bind(record.key.as_deref())
        .bind(record.value.as_deref())
        .bind(headers)
}

#[cfg(test)]
mod tests {
    use tokio::sync::{oneshot, watch};

    use super::*;

    async fn connection() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(include_str!("schema.sql"))
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::query("insert into partitions (partition_id, topic, partition) values (1, 't', 0)")
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    }

    fn append(partition: &Arc<Partition>, records: usize) -> Append {
        let records = vec![(Arc::clone(partition), NewRecord::default()); records];
        Append {
            records,
            timestamp: 0,
            progress: None,
            done: oneshot::channel().0,
        }
    }

    #[tokio::test]
    async fn after_a_write_in_doubt_the_file_says_where_a_partition_ends() {
        let mut connection = connection().await;
        let end = watch::Sender::new(0);
        let partition = Arc::new(Partition {
            id: 1,
            topic: "t".to_owned(),
            number: 0,
            end,
        });
        let (appends, offsets) = ([append(&partition, 75)], Offsets::new());
        let transaction = Transaction {
            appends: &appends,
            offsets: &offsets,
            deletes: &[],
            in_doubt: false,
        };
        // It reached the disk, but nobody was told.
        transaction.run(&mut connection).await.unwrap();

        assert!(transaction.run(&mut connection).await.is_err());
        let again = Transaction {
            in_doubt: true,
            ..transaction
        };
        again.run(&mut connection).await.unwrap().publish();

        assert_eq!(partition.end(), 150);
    }
}
