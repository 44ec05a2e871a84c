//! `notifications`: the inbox, sorted and counted.

mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, Utc};
use database::{Error, Tx, on};
use event_schema::{Notification, NotificationKind};
use event_store::{FoundHead, Projection, Recorded, StreamChange, Tables, Trip};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::NotificationStream;

/// Which notifications are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those that are unread.
    pub unread: bool,
    /// Only those of one kind.
    pub kind: Option<NotificationKind>,
}

/// A place in the list, which is sorted from the newest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    created_at: DateTime<Utc>,
    notification_id: Uuid,
}

impl Place {
    /// The place of a notification.
    pub fn of(notification: &Notification) -> Self {
        Self {
            created_at: notification.created_at,
            notification_id: notification.id.as_uuid(),
        }
    }

    /// Before every notification.
    fn top() -> Self {
        let end = NaiveDate::from_ymd_opt(9999, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
        Self {
            created_at: end.unwrap_or_default().and_utc(),
            notification_id: Uuid::max(),
        }
    }
}

/// How many notifications a user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Those that are unread.
    pub unread: i64,
    /// All.
    pub total: i64,
}

/// The owner's notifications after a place, newest first.
pub async fn list(
    tx: &mut Tx,
    owner_id: Uuid,
    filter: Filter,
    after: Option<Place>,
    limit: u32,
) -> Result<Vec<Recorded<Notification>>, Error> {
    let place = after.unwrap_or_else(Place::top);
    let kind = filter.kind.map_or("", NotificationKind::name);
    // Two texts, because only a condition without a parameter finds the partial index.
    let text = if filter.unread {
        "select s.stream_id, s.version, s.state, s.state_version
           from notifications n
           join stream s on s.kind = 'notification' and s.stream_id = n.notification_id
          where n.owner_id = $1
            and n.read_at is null
            and ($2 = '' or n.kind = $2)
            and (n.created_at, n.notification_id) < ($3, $4)
          order by n.created_at desc, n.notification_id desc
          limit $5 + 0"
    } else {
        "select s.stream_id, s.version, s.state, s.state_version
           from notifications n
           join stream s on s.kind = 'notification' and s.stream_id = n.notification_id
          where n.owner_id = $1
            and ($2 = '' or n.kind = $2)
            and (n.created_at, n.notification_id) < ($3, $4)
          order by n.created_at desc, n.notification_id desc
          limit $5 + 0"
    };
    let rows: Vec<FoundHead> = on!(tx, conn => sqlx::query_as(text)
        .bind(owner_id).bind(kind).bind(place.created_at).bind(place.notification_id)
        .bind(i64::from(limit)).fetch_all(conn).await)?;
    rows.iter().map(FoundHead::read).collect()
}

/// Counts the owner's notifications.
pub async fn count(tx: &mut Tx, owner_id: Uuid) -> Result<Counts, Error> {
    let (unread, total): (i64, i64) = on!(tx, conn => sqlx::query_as(
        "select count(*) filter (where read_at is null), count(*)
           from notifications
          where owner_id = $1"
    ).bind(owner_id).fetch_one(conn).await)?;
    Ok(Counts { unread, total })
}

/// The projection that keeps the table.
#[derive(Clone, Copy, Debug)]
pub struct Notifications;

impl Projection for Notifications {
    fn name(&self) -> &'static str {
        "notifications"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["notifications"]
    }

    fn apply<'a>(
        &'a self,
        trip: &'a mut Trip<'_>,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), Error>> {
        let notifications = changes
            .iter()
            .filter_map(StreamChange::state::<NotificationStream>);
        rows::apply(trip, into, notifications.collect()).boxed()
    }
}
