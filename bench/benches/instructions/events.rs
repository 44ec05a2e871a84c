//! Envelopes: built once by the ledger, decoded by every subscriber.

use std::hint::black_box;

use event_schema::{
    Attributes, Changed, Data, Decoded, Envelope, EventId, EventSet, TaskEvent, TaskUpdated, decode,
};
use gungraun::{library_benchmark, library_benchmark_group};
use serde_json::value::{RawValue, to_raw_value};

use crate::CALLS;
use crate::fixture::{BY, id, now, task};

#[library_benchmark]
#[bench::created(many(&created()))]
#[bench::updated(many(&updated()))]
fn envelope_build((event, data): (TaskEvent, Vec<Box<RawValue>>)) -> TaskEvent {
    for data in data {
        black_box(build(&event, black_box(data)));
    }
    event
}

#[library_benchmark]
#[bench::created(bytes(&created()))]
#[bench::updated(bytes(&updated()))]
fn envelope_decode(bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..CALLS {
        let envelope = Envelope::parse(black_box(&bytes)).expect("an envelope of ours");
        let decoded: Decoded<TaskEvent> = decode(&envelope).expect("data of ours");
        black_box((envelope, decoded));
    }
    bytes
}

library_benchmark_group!(
    name = envelopes,
    benchmarks = [envelope_build, envelope_decode]
);

fn build(event: &TaskEvent, data: Box<RawValue>) -> Vec<u8> {
    let event_type = event.event_type();
    let attributes = Attributes {
        id: EventId(id(2)),
        source: "/task-api",
        event_type: event_type.name,
        schema_version: event_type.schema_version,
        subject: id(1),
        time: now(),
        partition_key: id(1),
        version: 7,
        correlation_id: Some("0195c0de-1234-7000-8000-000000000800"),
        causation_id: Some("0195c0de-1234-7000-8000-000000000800"),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    };
    serde_json::to_vec(&Envelope::new(&attributes, data)).expect("an envelope has a JSON form")
}

fn created() -> TaskEvent {
    TaskEvent::Created(Box::new(task(1)))
}

fn updated() -> TaskEvent {
    TaskEvent::Updated(Box::new(TaskUpdated {
        title: Some(Changed {
            from: task(1).title,
            to: "Water the plants in the kitchen".to_owned(),
        }),
        updated_at: now(),
        ..TaskUpdated::default()
    }))
}

fn many(event: &TaskEvent) -> (TaskEvent, Vec<Box<RawValue>>) {
    let data = (0..CALLS).map(|_| serialized(event)).collect();
    (event.clone(), data)
}

fn serialized(event: &TaskEvent) -> Box<RawValue> {
    let change = event.change_json().expect("a change has a JSON form");
    let data = Data {
        actor: BY,
        change,
        state: task(1),
    };
    to_raw_value(&data).expect("data has a JSON form")
}

fn bytes(event: &TaskEvent) -> Vec<u8> {
    build(event, serialized(event))
}
