//! Replaying many dead letters: in order, at a pace, and at any moment as if it had ended there.

use std::num::NonZeroU32;

use clock::Clock;
use database::Tx;
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use crate::store::dead_letters::{LONGEST_TEXT, moves, rows, text};
use crate::{DeadLetterFilter, DeadLetterState, DeadLetterTable, Error, Replayed};

/// Parked rows that are looked at in one transaction, so that the lane never waits long for it.
const MOST_AT_ONCE: u32 = 32;
/// The reason of an event that only waited, when a replay with a pace ended before it.
const STOPPED: &str = "a replay stopped before this event, behind one with: ";

/// Which parked events are replayed, and how fast.
#[derive(Clone, Debug, Default)]
pub struct BulkReplay {
    /// Which. The state is always *parked*.
    pub filter: DeadLetterFilter,
    /// At most so many parked ones, with all that wait behind them.
    pub limit: Option<u64>,
    /// At most so many events a second, those that waited included.
    pub rate: Option<NonZeroU32>,
}

/// How far a replay has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayProgress {
    /// Parked events that were meant when it began.
    pub chosen: u64,
    /// Of those, how many it has decided about.
    pub replayed: u64,
    /// Events that will be delivered again, those that waited included.
    pub released: u64,
    /// Of the replayed, how many stay behind an earlier parked event of their key.
    pub behind: u64,
    /// Whether it has come to its end.
    pub finished: bool,
}

impl DeadLetterTable {
    /// Replays parked events in the order of their numbers, and tells how far it is. Those that are
    /// parked while it works are not meant.
    ///
    /// Whenever it ends, by `stop` or by a kill, every key is in order: where the pace ends it within a
    /// key, the next event of the key is parked itself, with a reason that says so.
    pub async fn replay_all(
        &self,
        replay: &BulkReplay,
        clock: &dyn Clock,
        stop: &CancellationToken,
        mut progress: impl FnMut(&ReplayProgress),
    ) -> Result<ReplayProgress, Error> {
        let mut run = self.begin_replay(replay).await?;
        let mut pace = Pace::new(replay.rate, clock.now());
        while !run.progress.finished {
            let due = clock.sleep_until(pace.next());
            if stop.run_until_cancelled(due).await.is_none() || stop.is_cancelled() {
                break;
            }
            run.step(self, pace.most()).await?;
            pace.stepped(clock.now());
            progress(&run.progress);
        }
        Ok(run.progress)
    }

    async fn begin_replay(&self, replay: &BulkReplay) -> Result<Run, Error> {
        let filter = replay.filter.in_state(DeadLetterState::Parked);
        let mut tx = self.database.read().await?;
        let (count, last) = rows::count(&mut tx, self.app.id(), &filter, rows::ALL_IDS).await?;
        let chosen = count.cast_unsigned().min(replay.limit.unwrap_or(u64::MAX));
        Ok(Run {
            filter,
            ids: (0, last),
            rest: None,
            progress: ReplayProgress {
                chosen,
                finished: chosen == 0,
                ..ReplayProgress::default()
            },
        })
    }
}

struct Run {
    filter: DeadLetterFilter,
    /// Which rows are still to be looked at.
    ids: rows::Ids,
    /// The row at which the last step ended within a key.
    rest: Option<i64>,
    progress: ReplayProgress,
}

impl Run {
    /// Releases at most so many events, in one transaction.
    async fn step(&mut self, table: &DeadLetterTable, most: Option<u32>) -> Result<(), Error> {
        let mut tx = table.begin().await?;
        let mut left = most;
        for _ in 0..MOST_AT_ONCE {
            if left == Some(0) {
                break;
            }
            let Some(id) = self.next(&mut tx, table.app.id()).await? else {
                self.progress.finished = true;
                break;
            };
            let (replayed, rest) = release(&mut tx, table.app.id(), id, left).await?;
            self.rest = rest;
            match replayed {
                Replayed::Released(count) => {
                    self.progress.released += count;
                    left = left.map(|left| left.saturating_sub(count.try_into().unwrap_or(left)));
                }
                Replayed::Behind(_) => self.progress.behind += 1,
                Replayed::Already | Replayed::Unknown => {}
            }
        }
        Ok(tx.commit().await?)
    }

    async fn next(&mut self, tx: &mut Tx, consumer: &str) -> Result<Option<i64>, Error> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        if self.progress.replayed == self.progress.chosen {
            return Ok(None);
        }
        let next = rows::list(tx, consumer, &self.filter, self.ids, 1).await?;
        let Some(row) = next.first() else {
            return Ok(None);
        };
        self.ids.0 = row.dead_letter_id;
        self.progress.replayed += 1;
        Ok(Some(row.dead_letter_id))
    }
}

/// Releases a parked row and what waits behind it up to the next parked one, `most` events. What is left
/// of them stays behind the next of them, which is parked then and returned.
pub(super) async fn release(
    tx: &mut Tx,
    consumer: &str,
    id: i64,
    most: Option<u32>,
) -> Result<(Replayed, Option<i64>), Error> {
    let Some(place) = moves::place(tx, consumer, id).await? else {
        return Ok((Replayed::Unknown, None));
    };
    match (place.behind, place.state.as_str()) {
        (_, "released") => return Ok((Replayed::Already, None)),
        (Some(ahead), _) => {
            // Its turn comes with those that wait.
            moves::set_state(tx, consumer, id, ("waiting", &place.reason)).await?;
            return Ok((Replayed::Behind(ahead), None));
        }
        _ => {}
    }
    let Some(key) = &place.key else {
        moves::set_state(tx, consumer, id, ("released", &place.reason)).await?;
        return Ok((Replayed::Released(1), None));
    };
    let mut end = moves::next_parked(tx, consumer, key, id)
        .await?
        .unwrap_or(i64::MAX);
    let mut rest = None;
    if let Some(most) = most {
        let skip = i64::from(most.saturating_sub(1));
        rest = moves::later(tx, consumer, key, (id, end), skip).await?;
    }
    if let Some(rest) = rest {
        let reason = stopped(&place.reason);
        moves::set_state(tx, consumer, rest, ("parked", &reason)).await?;
        end = rest;
    }
    let released = moves::release(tx, consumer, key, (id, end)).await?;
    Ok((Replayed::Released(released), rest))
}

/// The reason that a replay by the same filter finds again.
fn stopped(reason: &str) -> String {
    let reason = reason.strip_prefix(STOPPED).unwrap_or(reason);
    text(&format!("{STOPPED}{reason}"), LONGEST_TEXT).into_owned()
}
