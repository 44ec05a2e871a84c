//! The service as processes of their own beside a broker that repeats and reorders: `kill -9` in the midst
//! of deliveries.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod deliveries;
mod kills;
mod replicas;
mod world;
