//! What tasks and series may do. Pure: time and ids come in as arguments.

pub mod duration;
pub mod fields;
pub mod occurrence;
pub mod series;
pub mod snooze;
pub mod task;
pub mod time;

pub use fields::Fault;
pub use series::{SeriesError, SeriesStream};
pub use task::{TaskError, TaskStream};
