//! The ledger's tables. Every function borrows a transaction and never commits.
//!
//! PostgreSQL takes whole batches as arrays, and what a batch reads or writes in one trip; SQLite has no
//! network between us and takes many rows per statement.

pub(crate) mod alone;
pub(crate) mod audit;
pub(crate) mod dead_letters;
pub(crate) mod difference;
pub(crate) mod events;
pub(crate) mod idempotency;
pub(crate) mod inbox;
pub(crate) mod past;
pub(crate) mod projections;
pub(crate) mod relay;
pub(crate) mod relay_parked;
pub(crate) mod relay_share;
pub(crate) mod streams;
pub(crate) mod tables;
pub(crate) mod timers;
pub(crate) mod trip;

/// Versions and positions are positive and far below 2^63.
pub(crate) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// See [`to_i64`]; a negative number in the database would be corruption and reads as 0.
pub(crate) fn to_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
