//! A task: what may be asked of it, and what happens then.

mod evolve;

use event_schema::{Task, TaskEvent};
use event_store::Aggregate;
use uuid::Uuid;

pub use evolve::evolve;

/// The streams of tasks.
#[derive(Clone, Copy, Debug)]
pub struct TaskStream;

impl Aggregate for TaskStream {
    const KIND: &'static str = "task";

    type Events = TaskEvent;

    fn evolve(state: Option<Task>, event: &TaskEvent) -> Option<Task> {
        evolve(state, event)
    }

    fn partition_key(task: &Task) -> Uuid {
        task.id.as_uuid()
    }
}
