//! What tasks and series may do. Pure: time and ids come in as arguments.

pub mod task;

pub use task::TaskStream;
