#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod error;
mod expand;
mod resolve;
mod rule;
mod schedule;
mod slot;
mod text;

pub use error::RuleError;
pub use resolve::{WallTime, resolve, tzdb_version, wall_time};
pub use rule::{ByDay, Frequency, Rule, RuleParts, Until};
pub use schedule::{
    DstGap, Fate, MissingDay, MonthOverflow, NextSlot, Occurrence, Occurrences, Schedule, Slots,
};
pub use slot::{InvalidSlot, Slot};
pub use text::{English, Language, language};
