//! The sidecar's HTTP contract, rule by rule, against an app that the tests script.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the stage is test code too, but clippy knows only test functions"
)]

mod bulk_publish;
mod delivery;
mod errors;
mod publish;
mod restart;
mod retention;
mod retry;
mod stage;
mod with_client;
