//! What a user is told, and what for. Pure: time and ids come in as arguments.

pub mod notification;
pub mod reminder;
pub mod series;
pub mod summary;
pub mod watch;

pub use notification::NotificationStream;
pub use summary::{MissStream, SummaryStream};
pub use watch::WatchStream;
