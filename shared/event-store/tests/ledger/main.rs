//! What the ledger promises, run on every database that can be had.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod ahead;
mod alone;
mod app_role;
mod clock_correction;
mod cursors;
mod dead_letters;
mod faults;
mod fixture;
mod idempotency;
mod inbox;
mod lane;
mod long_stream;
mod parked_keys;
mod projections;
mod rebuild;
mod relay;
mod replicas;
mod server;
mod sidecar;
mod stale;
mod take_over;
mod timers;
mod two_rebuilds;
mod upcasting;
mod verify;
