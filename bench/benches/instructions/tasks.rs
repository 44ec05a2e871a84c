//! What task-api decides, and the fold of what was decided.

use std::hint::black_box;

use chrono::TimeDelta;
use event_schema::{Priority, Task, TaskEvent};
use event_store::Aggregate;
use gungraun::{library_benchmark, library_benchmark_group};
use task_api::domain::TaskStream;
use task_api::domain::task::{Command, Edit, TaskError, TaskPatch, decide, evolve};

use crate::CALLS;
use crate::fixture::{BY, due, now, task};

type Decision = Result<Vec<TaskEvent>, TaskError>;

#[library_benchmark]
#[bench::events_20(history())]
fn fold(events: Vec<TaskEvent>) -> Vec<TaskEvent> {
    for _ in 0..CALLS {
        black_box(black_box(&events).iter().fold(None, TaskStream::evolve));
    }
    events
}

#[library_benchmark]
#[bench::create(None, many(&Command::Create(Box::new(task(1)))))]
#[bench::patch(Some(task(1)), many(&patch(1)))]
#[bench::complete(Some(task(1)), many(&complete()))]
fn decide_task(state: Option<Task>, commands: Vec<Command>) -> Option<Task> {
    for command in commands {
        let decision: Decision = decide(black_box(state.as_ref()), command, now());
        drop(black_box(decision));
    }
    state
}

library_benchmark_group!(name = decisions, benchmarks = [fold, decide_task]);

fn many(command: &Command) -> Vec<Command> {
    (0..CALLS).map(|_| command.clone()).collect()
}

/// A task that was created, changed sixteen times, completed, reopened and completed again.
fn history() -> Vec<TaskEvent> {
    let patches = (0..16).map(patch);
    let ends = [complete(), Command::Reopen, complete()];
    let mut events = vec![TaskEvent::Created(Box::new(task(1)))];
    let mut state = evolve(None, &events[0]);
    for command in patches.chain(ends) {
        for event in decide(state.as_ref(), command, now()).expect("the history is legal") {
            state = evolve(state, &event);
            events.push(event);
        }
    }
    assert_eq!(events.len(), 20);
    events
}

pub(crate) fn patch(number: i64) -> Command {
    let priority = if number % 2 == 0 {
        Priority::High
    } else {
        Priority::Low
    };
    Command::Update(Box::new(TaskPatch {
        title: Edit::To(format!("Water the plants, balcony {number}")),
        priority: Edit::To(priority),
        labels: Edit::To(["home".to_owned(), format!("week {number}")].into()),
        due: Edit::To(Some(due(4 + number))),
        ..TaskPatch::default()
    }))
}

pub(crate) fn complete() -> Command {
    Command::Complete {
        completed_at: now() - TimeDelta::minutes(5),
        by: BY,
    }
}
