#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod api;
mod broker;
mod config;
mod delivery;
mod envelope;
mod error;
mod json;
mod scope;
mod sidecar;
mod token;

pub use broker::{Broker, GroupPosition, Headers, NewRecord, Record, Tail};
pub use config::{AppBinding, Config, RetryPolicy, Scopes};
pub use error::Error;
pub use sidecar::LocalSidecar;
