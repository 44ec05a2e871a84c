//! Where a task stands among others: under which parent, and how deep.

use event_schema::{Task, TaskId, UserId};

use crate::domain::Fault;

/// How many levels a tree of tasks has at most.
pub const MAX_DEPTH: usize = 5;

/// Checks that a task may stand under a parent.
///
/// `height` is how many levels the task brings with it, itself included; `find` looks a task up.
pub fn check_place(
    owner: UserId,
    task: TaskId,
    height: usize,
    parent: TaskId,
    mut find: impl FnMut(TaskId) -> Option<Task>,
) -> Result<(), Fault> {
    let mut above = 0;
    let mut next = Some(parent);
    while let Some(id) = next {
        if id == task {
            return Err(fault("cycle", "is the task itself or below it"));
        }
        above += 1;
        // Two moves at once may have made a tree deeper than allowed, but never endless.
        if above > 2 * MAX_DEPTH {
            break;
        }
        let ancestor = find(id).filter(|found| found.owner_id == owner);
        next = match ancestor {
            Some(found) if above > 1 || found.trashed_at.is_none() => found.parent_id,
            Some(_) => return Err(fault("parent_trashed", "is in the trash")),
            None if above > 1 => None,
            None => return Err(fault("unknown_parent", "is no task")),
        };
    }
    if above + height > MAX_DEPTH {
        let message = format!("would put tasks more than {MAX_DEPTH} levels deep");
        return Err(fault("too_deep", message));
    }
    Ok(())
}

fn fault(code: &'static str, message: impl Into<String>) -> Fault {
    Fault::new("/parent_id", code, message)
}
