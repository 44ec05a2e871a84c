#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod standing;
mod time;

pub use standing::{Standing, State, first_of, standing};
pub use time::{UnknownZone, instant_of, time_of, wall_of};
