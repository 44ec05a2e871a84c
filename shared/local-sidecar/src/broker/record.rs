//! A record, before and after it has a place.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::partition::{self, Partition};

/// Names and values that travel beside a record.
pub type Headers = BTreeMap<String, String>;

/// A record to be appended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// What keeps its order. Without one the record goes to any partition.
    pub key: Option<String>,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
    /// What travels beside it.
    pub headers: Headers,
}

/// A record in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The topic.
    pub topic: String,
    /// The partition of the topic.
    pub partition: u16,
    /// The place in the partition. Offsets increase; retention leaves gaps.
    pub offset: u64,
    /// When it was appended, in whole milliseconds.
    pub timestamp: DateTime<Utc>,
    /// See [`NewRecord::key`].
    pub key: Option<String>,
    /// See [`NewRecord::value`].
    pub value: Option<Bytes>,
    /// See [`NewRecord::headers`].
    pub headers: Headers,
}

#[derive(FromRow)]
pub(super) struct RecordRow {
    position: i64,
    timestamp: i64,
    key: Option<String>,
    value: Option<Vec<u8>>,
    headers: Option<String>,
}

impl RecordRow {
    pub(super) fn into_record(self, partition: &Partition) -> Record {
        Record {
            topic: partition.topic.clone(),
            partition: partition.number,
            offset: partition::offset(self.position),
            timestamp: DateTime::from_timestamp_millis(self.timestamp).unwrap_or_default(),
            key: self.key,
            value: self.value.map(Bytes::from),
            headers: self
                .headers
                .and_then(|json| serde_json::from_str(&json).ok())
                .unwrap_or_default(),
        }
    }
}
