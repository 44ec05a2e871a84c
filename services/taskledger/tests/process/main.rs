//! The suite as a process: what a person at a terminal sees, and what `kill -9` leaves.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop where it stands"
)]

mod dead_letters;
mod kill;
mod migrate;
mod running;
mod start;
mod verify;
