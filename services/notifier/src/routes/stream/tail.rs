//! Following the log for one caller.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::Event;
use chrono::{DateTime, Utc};
use clock::SharedClock;
use event_schema::{Decoded, Envelope, NotificationEvent, UserId, decode};
use event_store::{Ledger, RecordedEvent};
use futures_util::Stream;
use futures_util::stream::unfold;
use service_kit::auth::Caller;
use service_kit::server::Stopping;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;

use crate::error::Error;
use crate::routes::notifications::NotificationView;

/// Events that are read, and held, at once.
const PAGE: u32 = 256;

/// How long and how far a stream goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The pause after which a comment shows that the stream is alive.
    pub(super) heartbeat: Duration,
    /// How often the log is looked at although nothing was committed here: other replicas commit too.
    pub(super) poll: Duration,
    /// The age at which the stream ends, so that connections spread over replicas again.
    pub(super) max_age: Duration,
    /// Places of the log that are read again for a caller who comes back. Further is a resync.
    pub(super) replay: i64,
}

impl Limits {
    pub(super) const USUAL: Self = Self {
        heartbeat: Duration::from_secs(20),
        poll: Duration::from_secs(2),
        max_age: Duration::from_mins(15),
        replay: 10_000,
    };
}

/// A place in the log that moves on, for one caller.
pub(super) struct Tail {
    ledger: Ledger,
    user: UserId,
    position: i64,
    ready: VecDeque<Event>,
    committed: watch::Receiver<i64>,
    stopping: Stopping,
    limits: Limits,
    ends_at: Instant,
    /// When the caller's token ends.
    expires_at: Option<DateTime<Utc>>,
}

impl Tail {
    /// Begins where the caller stopped, or at the end of the log.
    pub(super) async fn begin(
        ledger: Ledger,
        caller: &Caller,
        after: Option<&str>,
        stopping: Stopping,
        limits: Limits,
    ) -> Result<Self, Error> {
        let committed = ledger.committed();
        let last = ledger.last_position().await?;
        let wanted = after.map(str::parse::<i64>);
        let (position, first) = match wanted {
            None => (last, comment(last, "connected")),
            Some(Ok(place))
                if (last.saturating_sub(limits.replay).max(0)..=last).contains(&place) =>
            {
                (place, comment(place, "resumed"))
            }
            Some(_) => (last, resync(last)),
        };
        Ok(Self {
            ledger,
            user: UserId(caller.user_id),
            position,
            ready: VecDeque::from([first]),
            committed,
            stopping,
            limits,
            ends_at: Instant::now() + limits.max_age,
            expires_at: caller.expires_at,
        })
    }

    /// The events, until the stream is too old, its token ends or its listener stops.
    pub(super) fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, |mut tail| async move {
            let event = tail.next().await?;
            Some((Ok(event), tail))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        let stopping = self.stopping.clone();
        let clock = self.ledger.clock().clone();
        let (ends_at, expires_at) = (self.ends_at, self.expires_at);
        tokio::select! {
            biased;
            () = stopping.begun() => None,
            () = sleep_until(ends_at) => None,
            () = expired(clock, expires_at) => None,
            event = self.next_or_heartbeat() => event,
        }
    }

    /// `None` when the log cannot be read: the caller comes back and resumes.
    async fn next_or_heartbeat(&mut self) -> Option<Event> {
        let heartbeat_at = Instant::now() + self.limits.heartbeat;
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            // Marked as seen before the look: what is committed in between wakes the next wait.
            self.committed.borrow_and_update();
            match self.read_page().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => {
                    warn!(%error, "a live stream ends, the log cannot be read: {error}");
                    return None;
                }
            }
            let pause = self.limits.poll.min(heartbeat_at - Instant::now());
            if timeout(pause, self.committed.changed()).await.is_err()
                && Instant::now() >= heartbeat_at
            {
                // The place goes along, so that a quiet stream need not read far after a break.
                return Some(comment(self.position, "heartbeat"));
            }
        }
    }

    /// Reads on and keeps what is the caller's; returns how many events there were.
    async fn read_page(&mut self) -> Result<usize, Error> {
        let page = self.ledger.events_after(self.position, PAGE).await?;
        for recorded in &page {
            self.position = recorded.position;
            if recorded.owner_id == self.user.as_uuid() {
                self.ready.extend(told(recorded));
            }
        }
        Ok(page.len())
    }
}

/// Completes when the token has ended; never without one.
async fn expired(clock: SharedClock, at: Option<DateTime<Utc>>) {
    match at {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What the caller is told of an event of the log.
fn told(recorded: &RecordedEvent) -> Option<Event> {
    // The log is our own: what cannot be read is of another kind.
    let envelope = Envelope::parse(recorded.envelope.as_bytes()).ok()?;
    let Ok(Decoded::Known(event)) = decode::<NotificationEvent>(&envelope) else {
        return None;
    };
    let name = match event.change {
        NotificationEvent::Created(_) => "notification.created",
        NotificationEvent::Read(_) => "notification.read",
        NotificationEvent::Updated(_) => "notification.updated",
        NotificationEvent::Withdrawn(_) => "notification.withdrawn",
        NotificationEvent::Delivered(_)
        | NotificationEvent::Failed(_)
        | NotificationEvent::Expired(_) => return None,
    };
    let view = NotificationView::new(envelope.version(), event.state);
    let event = Event::default().event(name).data(view.json());
    Some(event.id(recorded.position.to_string()))
}

fn comment(position: i64, text: &str) -> Event {
    Event::default().comment(text).id(position.to_string())
}

fn resync(position: i64) -> Event {
    let event = Event::default().event("resync").data("{}");
    event.id(position.to_string())
}
