//! Which slot of a series comes next. Pure, and independent of the time: what is due follows from
//! when an occurrence was finished.

pub mod progress;

pub use progress::ProgressStream;
