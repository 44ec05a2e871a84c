//! What tasks, series and preferences may do. Pure: time and ids come in as arguments.

pub mod duration;
pub mod fields;
pub mod occurrence;
pub mod preferences;
pub mod series;
pub mod snooze;
pub mod task;
pub mod time;

pub use fields::Fault;
pub use preferences::PreferencesStream;
pub use series::{SeriesError, SeriesStream};
pub use task::{TaskError, TaskStream};
