#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod on_schedule;
mod plan;
mod turn;

pub use on_schedule::Made;
pub use plan::{Plan, PlanError, slot_of};
pub use turn::{Finished, Turn};
