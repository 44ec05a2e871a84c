//! Timers by the rules of today: what a state says of its timers may depend on more than the state.

use database::Tx;
use uuid::Uuid;

use crate::store::past::{Past, Wanted};
use crate::store::{events, timers};
use crate::{Aggregate, Error, Ledger, StreamRef, Trip};

/// How many streams are looked at while the lane waits.
const PAGE: u16 = 256;

impl Ledger {
    /// Makes the timers of `A`'s streams what their states say now; returns how many were others.
    ///
    /// The lane writes the timers of a stream when it changes. What follows from its state may be another
    /// time by now: after an update of the rules of time zones, or of the code. Streams that have no
    /// timer are not looked at. Call it at the start of a service whose timers depend on such rules.
    pub async fn renew_timers<A: Aggregate>(&self) -> Result<usize, Error> {
        let (mut renewed, mut after) = (0, Uuid::nil());
        loop {
            let mut tx = self.core.database.begin().await?;
            events::lock_lane(&mut tx).await?;
            let page = timers::streams_after(&mut tx, A::KIND, after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = *last;
            let wanted = wanted::<A>(&mut tx, &page).await?;
            let mut trip = Trip::on(&mut tx);
            timers::replace(&mut trip, &wanted).await?;
            let others = trip.end().await?.number("timers").unwrap_or_default();
            renewed += usize::try_from(others).unwrap_or_default();
            tx.commit().await?;
        }
        if renewed > 0 {
            self.core.timers_changed.notify_waiters();
            self.core.timers_changed.notify_one();
        }
        Ok(renewed)
    }
}

async fn wanted<A: Aggregate>(tx: &mut Tx, page: &[Uuid]) -> Result<Vec<timers::Wanted>, Error> {
    let page: Vec<StreamRef> = page.iter().map(|id| StreamRef::of::<A>(*id)).collect();
    let wanted = Wanted {
        streams: &page,
        ..Wanted::default()
    };
    let heads = Past::load(tx, &wanted).await?.heads;
    let mut timers = Vec::with_capacity(page.len());
    for (stream, mut head) in heads {
        match head.state::<A>() {
            Ok(state) => timers.push((stream, state.map(A::timers).unwrap_or_default())),
            // Its own commands say what is wrong with it; the others need not wait for that.
            Err(error) => {
                tracing::warn!(%error, "the timers of a stream stay as they are: {error}");
            }
        }
    }
    Ok(timers)
}
