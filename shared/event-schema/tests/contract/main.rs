//! Can old and new understand each other.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail where it stands"
)]

mod compatibility;
mod decoding;
mod files;
mod golden;
mod robustness;
mod summaries;
