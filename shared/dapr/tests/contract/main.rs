//! Both halves of the contract: publishing to a sidecar that the tests script, and being delivered to.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers are test code too, but clippy knows only test functions"
)]

mod app;
mod bulk_deliveries;
mod bulk_publish;
mod deliveries;
mod doors;
mod fake_sidecar;
mod health;
mod publish;
