//! How values look as text in SQLite, for statements that take rows as one JSON argument.

use chrono::{DateTime, SecondsFormat, Utc};

/// The text of a timestamp as sqlx writes it to SQLite; it sorts by time.
pub fn sqlite_timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
