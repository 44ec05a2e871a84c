#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod plan;
mod turn;

pub use plan::{FLOATING, Plan, PlanError, slot_of};
pub use turn::{Finished, Turn};
