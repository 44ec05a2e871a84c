//! What a person does, and what they must see.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod main_job;
mod refusals;
mod requests;
mod series;
mod zones;
