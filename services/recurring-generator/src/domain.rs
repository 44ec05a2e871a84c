//! Which slot of a series comes next. Pure: what is due follows from when an occurrence was finished, or,
//! on schedule, from the time that comes as an argument.

pub mod progress;

pub use progress::ProgressStream;
