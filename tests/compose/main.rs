//! What only containers can show: that each may be restarted under load, and nothing is lost or doubled.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod load;
mod restarts;
