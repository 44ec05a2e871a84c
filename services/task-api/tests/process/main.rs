//! The service as a process of its own: what it says when it does not start, and under load `kill -9`, two
//! replicas, a sidecar that fails.
//!
//! Every test under load keeps the callers' own record of what they were answered and compares the log, what the
//! sidecar got, and that record.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test may stop where it stands, and says what it measured"
)]

mod audit;
mod caller;
mod command;
mod compare;
mod kills;
mod load;
mod outage;
mod process;
mod ready;
mod replicas;
mod scale;
mod sidecar;
mod start;
