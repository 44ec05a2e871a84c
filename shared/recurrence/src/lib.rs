#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod error;
mod expand;
mod resolve;
mod rule;
mod schedule;
mod slot;

pub use error::RuleError;
pub use resolve::{resolve, tzdb_version};
pub use rule::{ByDay, Frequency, Rule, Until};
pub use schedule::{MonthOverflow, NextSlot, Occurrence, Occurrences, Schedule};
pub use slot::{InvalidSlot, Slot};
