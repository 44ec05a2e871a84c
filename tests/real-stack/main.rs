//! What only the real parts can show: that Kafka, Dapr and PostgreSQL are as the contract says, and refuse
//! the rest.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod access;
mod brokers;
mod database;
mod faults;
mod outage;
mod routes;
mod topics;
