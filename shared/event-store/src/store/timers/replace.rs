//! Writing: the timers of changed streams become what their states say.

use chrono::{DateTime, Utc};
use database::{Error, Together, rows};
use uuid::Uuid;

use super::{FREE, storable};
use crate::store::to_i64;
use crate::store::trip::{Trip, Way};
use crate::{StreamRef, Timer};

/// By its rows: for a list of keys after `in` SQLite would look at every timer.
pub(super) const SQLITE_DELETE: &str = "delete from timer where rowid in (
     select t.rowid from (values {rows}) as changed cross join timer t
         on t.kind = changed.column1 and t.stream_id = changed.column2
      where hex(t.timer_id) not in (select value from json_each(changed.column3)))";
/// One that stays as it is keeps its lease: its worker is on it.
const SQLITE_UPSERT: &str = "insert into timer (kind, stream_id, timer_id, fire_at, lease_until)
     values {rows}
         on conflict (kind, stream_id, timer_id) do update
        set fire_at = excluded.fire_at, lease_until = excluded.lease_until
      where timer.fire_at <> excluded.fire_at";

/// All timers of a stream.
pub(crate) type Wanted = (StreamRef, Vec<Timer>);

/// Makes the timers of the streams what their states say; tells as `timers` how many it set and removed.
pub(crate) async fn replace(trip: &mut Trip<'_>, wanted: &[Wanted]) -> Result<(), Error> {
    if wanted.is_empty() {
        return Ok(());
    }
    match trip.way() {
        Way::Postgres(together) => {
            postgres(together, wanted);
            let changed = "select (select count(*) from gone_timers)
                                + (select count(*) from written_timers)";
            trip.will_tell("timers", changed, None);
        }
        Way::Sqlite(conn) => {
            let delete = rows::execute(conn, SQLITE_DELETE, wanted, |values, (stream, timers)| {
                values.bind(stream.kind).bind(stream.stream_id);
                values.bind(json(timers));
            });
            let deleted = delete.await?;
            let timers = each(wanted);
            let upsert = rows::execute(conn, SQLITE_UPSERT, &timers, |values, row| {
                let (stream, timer_id, fire_at) = row;
                values.bind(stream.kind).bind(stream.stream_id);
                values.bind(*timer_id).bind(*fire_at).bind(FREE);
            });
            let written = upsert.await?;
            trip.tells("timers", to_i64(deleted + written), None);
        }
    }
    Ok(())
}

/// The timers that stay go as the text of an array: arrays of different lengths cannot be the elements
/// of one.
fn postgres(together: &mut Together, wanted: &[Wanted]) {
    let streams = || wanted.iter().map(|(stream, _)| stream);
    together
        .part(
            "gone_timers",
            "delete from timer t
              using unnest($1::text[], $2::uuid[], $3::text[]) as changed (kind, stream_id, timers)
              where t.kind = changed.kind and t.stream_id = changed.stream_id
                and t.timer_id <> all (changed.timers::uuid[])
             returning 1",
        )
        .bind(streams().map(|stream| stream.kind).collect::<Vec<_>>())
        .bind(streams().map(|stream| stream.stream_id).collect::<Vec<_>>())
        .bind(
            wanted
                .iter()
                .map(|(_, timers)| array(timers))
                .collect::<Vec<_>>(),
        );
    let timers = each(wanted);
    together
        .part(
            "written_timers",
            "insert into timer as t (kind, stream_id, timer_id, fire_at, lease_until)
             select new.*, $5
               from unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[]) as new
                 on conflict (kind, stream_id, timer_id) do update
                set fire_at = excluded.fire_at, lease_until = excluded.lease_until
              where t.fire_at <> excluded.fire_at
             returning 1",
        )
        .bind(
            timers
                .iter()
                .map(|(stream, ..)| stream.kind)
                .collect::<Vec<_>>(),
        )
        .bind(
            timers
                .iter()
                .map(|(stream, ..)| stream.stream_id)
                .collect::<Vec<_>>(),
        )
        .bind(timers.iter().map(|(_, id, _)| *id).collect::<Vec<_>>())
        .bind(timers.iter().map(|(.., at)| *at).collect::<Vec<_>>())
        .bind(FREE);
}

fn each(wanted: &[Wanted]) -> Vec<(StreamRef, Uuid, DateTime<Utc>)> {
    let of_stream = |(stream, timers): &Wanted| {
        let stream = *stream;
        let row = move |timer: &Timer| (stream, timer.timer_id, storable(timer.fire_at));
        timers.iter().map(row).collect::<Vec<_>>()
    };
    wanted.iter().flat_map(of_stream).collect()
}

/// Their ids as the text of a PostgreSQL array.
fn array(timers: &[Timer]) -> String {
    let ids: Vec<String> = timers.iter().map(|one| one.timer_id.to_string()).collect();
    format!("{{{}}}", ids.join(","))
}

/// Their ids as SQLite's `hex` writes them, in JSON.
fn json(timers: &[Timer]) -> String {
    let id = |timer: &Timer| format!("\"{:X}\"", timer.timer_id.as_simple());
    let ids: Vec<String> = timers.iter().map(id).collect();
    format!("[{}]", ids.join(","))
}
