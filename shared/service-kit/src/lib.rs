#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod auth;
pub mod command;
pub mod config;
mod context;
pub mod error;
pub mod etag;
pub mod extract;
pub mod health;
mod kit;
pub mod lifecycle;
pub mod openapi;
pub mod page;
pub mod probe;
pub mod problem;
pub mod server;
pub mod service;
pub mod telemetry;
pub mod timers;

pub use error::{ErrorKind, ProblemError};
pub use kit::Kit;
pub use problem::{FieldError, Problem};

/// Of every process that links the kit: what a request allocates is mostly freed by another thread,
/// which the system's allocator pays for with locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
