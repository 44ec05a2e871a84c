#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod time;

pub use time::{UnknownZone, time_of};
