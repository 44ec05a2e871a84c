#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod system;
mod test;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

pub use system::SystemClock;
pub use test::TestClock;

/// A clock that several owners hold.
pub type SharedClock = Arc<dyn Clock>;

/// What `Clock::sleep_until` returns.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Tells the time and mints ids.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current time in whole microseconds.
    fn now(&self) -> DateTime<Utc>;

    /// A new UUIDv7 of the current time, greater than every id this clock minted before.
    fn new_id(&self) -> Uuid;

    /// Adds to what it shows, for good: a correction by a clock that several processes share. The
    /// test clock is right already.
    fn correct(&self, _by: TimeDelta) {}

    /// Completes when `now()` has reached `at`: at once when it already has, perhaps never.
    ///
    /// Dropping the future cancels the wait.
    fn sleep_until(&self, at: DateTime<Utc>) -> Sleep<'_>;
}
