//! A projection of two tables, of which one refers to the other.

use std::collections::BTreeSet;

use database::sqlx::SqliteConnection;
use database::{Together, rows};
use event_store::{Projection, StreamChange, Tables, Trip, Way};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::fixture::TestTask;

/// Tasks and their words.
#[derive(Debug)]
pub(super) struct Words;

impl Projection for Words {
    fn name(&self) -> &'static str {
        "words"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["texts", "words"]
    }

    fn apply<'a>(
        &'a self,
        trip: &'a mut Trip<'_>,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), database::Error>> {
        async move {
            let texts: Vec<Text> = changes.iter().filter_map(Text::of).collect();
            match trip.way() {
                Way::Postgres(together) => postgres(together, into, &texts),
                Way::Sqlite(conn) => sqlite(conn, into, &texts).await?,
            }
            Ok(())
        }
        .boxed()
    }
}

struct Text<'a> {
    task_id: Uuid,
    version: i64,
    is_open: bool,
    words: BTreeSet<&'a str>,
}

impl<'a> Text<'a> {
    fn of(change: &'a StreamChange) -> Option<Self> {
        let task = change.state::<TestTask>()?;
        Some(Self {
            task_id: change.stream_id,
            version: i64::try_from(change.version).unwrap(),
            is_open: task.is_open(),
            words: task.title.split(' ').collect(),
        })
    }
}

fn words<'a>(texts: &[Text<'a>]) -> Vec<(Uuid, &'a str)> {
    let of_text = |text: &Text<'a>| {
        let id = text.task_id;
        text.words.clone().into_iter().map(move |word| (id, word))
    };
    texts.iter().flat_map(of_text).collect()
}

fn postgres(together: &mut Together, into: Tables, texts: &[Text<'_>]) {
    let upsert = "insert into texts{} as t (task_id, version, is_open)
                  select * from unnest($1::uuid[], $2::bigint[], $3::bool[])
                      on conflict (task_id) do update
                     set version = excluded.version, is_open = excluded.is_open
                   where t.version < excluded.version";
    together
        .part("written_texts", into.sql(upsert))
        .bind(texts.iter().map(|text| text.task_id).collect::<Vec<_>>())
        .bind(texts.iter().map(|text| text.version).collect::<Vec<_>>())
        .bind(texts.iter().map(|text| text.is_open).collect::<Vec<_>>());
    let insert = "insert into words{} (task_id, word) select * from unnest($1::uuid[], $2::text[])
                      on conflict (task_id, word) do nothing";
    let (tasks, words): (Vec<Uuid>, Vec<&str>) = words(texts).into_iter().unzip();
    let part = together.part("written_words", into.sql(insert));
    part.bind(tasks).bind(words);
}

async fn sqlite(
    conn: &mut SqliteConnection,
    into: Tables,
    texts: &[Text<'_>],
) -> Result<(), database::Error> {
    let upsert = "insert into texts{} as t (task_id, version, is_open) values {rows}
                      on conflict (task_id) do update
                     set version = excluded.version, is_open = excluded.is_open
                   where t.version < excluded.version";
    rows::execute(conn, &into.sql(upsert).0, texts, |values, text| {
        values.bind(text.task_id);
        values.bind(text.version).bind(text.is_open);
    })
    .await?;
    let insert = "insert into words{} (task_id, word) values {rows}
                      on conflict (task_id, word) do nothing";
    rows::execute(conn, &into.sql(insert).0, &words(texts), |values, row| {
        values.bind(row.0).bind(row.1);
    })
    .await?;
    Ok(())
}
