//! The same rows written directly: one connection, a hundred events per transaction, no HTTP and no
//! JSON to read. The rows are made before the clock starts.

use std::time::{Duration, Instant};

use clock::SharedClock;
use database::Database;
use event_schema::{Actor, Priority, Task, TaskId, TimeValue};
use task_api::domain::task::{Command, Edit, TaskPatch};

use crate::cpu::{CpuTime, Meter};
use crate::driver::{Run, Times};
use crate::latency::Latencies;
use crate::mix::{DUE_LOCAL, LABELS, Mix, NOTES, Operation, TIME_ZONE};
use crate::naive::USER;
use crate::rows::{Rows, Versioned};
use crate::store::batch;

const BATCH: usize = 100;
/// Batches that are made in advance, while the clock stands.
const ROUND: usize = 10;

/// Writes for as long as the others are measured. This process is the service here.
pub(crate) async fn run(
    database: &Database,
    times: Times,
    meter: Meter,
    clock: &SharedClock,
) -> anyhow::Result<Run> {
    let mut mix = Mix::new(0);
    let mut latencies = Latencies::new()?;
    rounds(database, &mut mix, times.warm_up, meter, clock, |_| {}).await?;
    let record = |latency| latencies.record(latency);
    let written = rounds(database, &mut mix, times.measured, meter, clock, record).await?;
    let mut run = Run::new(written.events, written.took, written.cpu)?;
    run.latency_ms = Some(latencies.summary());
    Ok(run)
}

#[derive(Debug, Default)]
struct Written {
    events: u64,
    took: Duration,
    cpu: CpuTime,
}

async fn rounds(
    database: &Database,
    mix: &mut Mix<Versioned>,
    how_long: Duration,
    meter: Meter,
    clock: &SharedClock,
    mut record: impl FnMut(Duration),
) -> anyhow::Result<Written> {
    let mut written = Written::default();
    while written.took < how_long {
        let batches = make_round(mix, clock)?;
        let (before, begun) = (meter.read(), Instant::now());
        for batch in &batches {
            let start = Instant::now();
            let mut tx = database.begin().await?;
            batch::write(&mut tx, batch).await?;
            tx.commit().await?;
            record(start.elapsed());
        }
        written.took += begun.elapsed();
        written.cpu = written.cpu + of_writer(meter.read() - before);
        written.events += u64::try_from(batches.iter().map(Vec::len).sum::<usize>())?;
    }
    Ok(written)
}

/// Nothing drives it: what this process uses is what the writer uses.
fn of_writer(cpu: CpuTime) -> CpuTime {
    CpuTime {
        service: cpu.driver,
        driver: 0.0,
        ..cpu
    }
}

fn make_round(mix: &mut Mix<Versioned>, clock: &SharedClock) -> anyhow::Result<Vec<Vec<Rows>>> {
    (0..ROUND).map(|_| make_batch(mix, clock)).collect()
}

/// A hundred commands on different tasks.
fn make_batch(mix: &mut Mix<Versioned>, clock: &SharedClock) -> anyhow::Result<Vec<Rows>> {
    let mut batch: Vec<Rows> = Vec::with_capacity(BATCH);
    for _ in 0..BATCH {
        let (operation, before) = mix.next();
        let command = command(operation, mix, clock)?;
        batch.push(Rows::decide(
            before,
            command,
            Actor::User(USER),
            clock.as_ref(),
        )?);
    }
    for rows in &batch {
        if rows.after.task.is_open() {
            mix.keep(rows.after.clone());
        }
    }
    Ok(batch)
}

fn command(
    operation: Operation,
    mix: &Mix<Versioned>,
    clock: &SharedClock,
) -> anyhow::Result<Command> {
    let (by, now) = (Actor::User(USER), clock.now());
    Ok(match operation {
        Operation::Create => {
            let id = TaskId(clock.new_id());
            let due: TimeValue = serde_json::from_str(&format!(
                r#"{{"local":"{DUE_LOCAL}","time_zone":"{TIME_ZONE}"}}"#
            ))?;
            Command::Create(Box::new(Task {
                notes: NOTES.to_owned(),
                priority: Priority::Medium,
                labels: LABELS.map(str::to_owned).into(),
                due: Some(due),
                ..Task::new(id, USER, mix.title(), by, now)
            }))
        }
        Operation::Patch => Command::Update(Box::new(TaskPatch {
            title: Edit::To(mix.title()),
            ..TaskPatch::default()
        })),
        Operation::Complete => Command::Complete {
            completed_at: now,
            by,
        },
    })
}
