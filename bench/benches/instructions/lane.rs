//! The lane without its database: what a command stages, and the gates of what is delivered.

use std::hint::black_box;

use clock::TestClock;
use event_schema::App;
use event_store::bench::{Gate, Loaded};
use event_store::{Context, Inbound, Unit};
use gungraun::{library_benchmark, library_benchmark_group};
use task_api::domain::TaskStream;
use task_api::domain::task::{Command, decide};

use crate::CALLS;
use crate::fixture::{context, id, now, task};
use crate::tasks::{complete, patch};

/// What the lane has when it comes to a command.
struct Turn {
    loaded: Loaded,
    command: Command,
    context: Context,
    clock: TestClock,
}

#[library_benchmark]
#[bench::create(turns_of(false, &Command::Create(Box::new(task(1)))))]
#[bench::patch(turns_of(true, &patch(1)))]
#[bench::complete(turns_of(true, &complete()))]
fn stage(turns: Vec<Turn>) {
    for mut turn in turns {
        let command = turn.command;
        let decide = |unit: &mut Unit<'_>| {
            let state = unit.state::<TaskStream>(id(1));
            for event in decide(state.as_ref(), command, unit.now()).expect("the command is legal")
            {
                unit.append::<TaskStream>(id(1), &event);
            }
        };
        let loaded = &mut turn.loaded;
        black_box(loaded.stage(App::TaskApi, &turn.context, &turn.clock, decide));
    }
}

#[library_benchmark]
#[bench::deliveries_256(gates())]
fn gate_check(mut gates: Vec<Gate>) -> Vec<Gate> {
    for gate in &mut gates {
        black_box(black_box(gate).check());
    }
    gates
}

library_benchmark_group!(name = turns, benchmarks = [stage, gate_check]);

fn turns_of(exists: bool, command: &Command) -> Vec<Turn> {
    (0..CALLS).map(|_| turn(exists, command.clone())).collect()
}

/// The task as the lane loads it, or a place where none is.
fn turn(exists: bool, command: Command) -> Turn {
    let state = || serde_json::to_string(&task(1)).expect("a task has a JSON form");
    Turn {
        loaded: Loaded::default().with::<TaskStream>(id(1), exists.then(|| (3, state()))),
        command,
        context: context(),
        clock: TestClock::new(now()),
    }
}

/// Enough for the seeds of their hash tables to make no difference.
fn gates() -> Vec<Gate> {
    (0..64).map(|_| gate()).collect()
}

/// A full bulk delivery: half of it facts, half states of 64 tasks with two versions each. Every
/// seventh was processed before; nothing waits behind a parked event.
fn gate() -> Gate {
    let deliveries: Vec<Inbound> = (0..256).map(inbound).collect();
    let known: Vec<Inbound> = deliveries.iter().step_by(7).cloned().collect();
    Gate::new(&known, &context(), deliveries)
}

fn inbound(number: u32) -> Inbound {
    let fact = number % 2 == 1;
    let subject = id(number % 128);
    Inbound {
        topic: "task-events".to_owned(),
        event_id: id(1_000 + number),
        event_type: "task.completed.v1".to_owned(),
        source: "/task-api".to_owned(),
        subject,
        version: u64::from(2 + number / 128),
        key: subject.to_string(),
        raw: vec![b' '; 1_024],
        fact,
    }
}
