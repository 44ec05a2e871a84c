#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod aggregate;
mod answer;
mod app_role;
mod batch;
mod catalog;
mod clock_correction;
mod dead_letters;
mod error;
mod gather;
mod head;
mod history;
mod lane;
mod ledger;
mod metrics;
mod parked_keys;
mod projection;
mod rebuild;
mod relay;
mod replay;
mod store;
mod submission;
mod take_over;
mod timers;
mod unit;
mod verify;

#[cfg(feature = "bench")]
#[doc(hidden)]
pub use batch::bench;

pub use aggregate::{Aggregate, StateOf, Timer};
pub use answer::{Answer, Context, IdempotencyKey, Inbound, Outcome, SubjectError};
pub use app_role::{AppRole, AppRoleError};
pub use catalog::Catalog;
pub use clock_correction::{correct_clock, keep_clock_correct};
pub use dead_letters::{
    BulkReplay, DeadLetterFilter, DeadLetterState, DeadLetterTable, Dropped, ReplayProgress,
    Replayed,
};
pub use error::Error;
pub use gather::gather;
pub use head::StreamRef;
pub use history::{FoundHead, Recorded, RecordedEvent};
pub use lane::{Lane, LaneLimits};
pub use ledger::Ledger;
pub use parked_keys::ParkedKeyTable;
pub use projection::{Projection, StreamChange, Tables};
pub use rebuild::{Progress, Rebuild, RebuildError, Rebuilt, Stale};
pub use relay::{Relay, RelayPass};
pub use store::dead_letters::rows::{DeadLetterCount, DeadLetterGroup, DeadLetterRow};
pub use store::relay_parked::ParkedKeyRow;
pub use store::trip::{Trip, Way};
pub use timers::DueTimer;
pub use unit::Unit;
pub use verify::{Verification, Verifier};

/// The ledger's own tables; a service names them before its own when it opens its database.
pub const MIGRATIONS: database::MigrationSet = database::migrations!(
    "event-store": "0001_ledger", "0002_relay_release", "0003_dead_letters", "0004_state_version",
    "0005_relay_replicas", "0006_room_for_heads", "0007_projections", "0008_turns"
);
