#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose surroundings fail must stop, and a failed check is a panic"
)]

mod auth;
mod environment;
mod fault_proxy;
pub mod fixture;
mod parts;
mod process;
mod request;
mod seed;
mod sidecar;
mod sse;
mod suite;
mod verify;

pub use auth::{JWT_KEY, OTHER_USER, USER, bearer, bearer_signed_with};
pub use environment::TestEnvironment;
pub use fault_proxy::{Fault, FaultProxy};
pub use parts::TestParts;
pub use process::ServiceProcess;
pub use request::{TestRequest, TestResponse};
pub use seed::Random;
pub use sidecar::{Published, RecordingSidecar};
pub use sse::{SseEvent, SseReader};
pub use suite::TestSuite;
