//! When the reminders of a task fire. Pure: the time comes in as an argument.

pub mod plan;
pub mod reminders;

pub use reminders::RemindersStream;
