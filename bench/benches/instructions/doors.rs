//! What every request on a list or with an idempotency key pays.

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group};
use http::Method;
use service_kit::extract::request_hash;
use service_kit::page::Cursor;
use uuid::Uuid;

use crate::CALLS;
use crate::fixture::{id, now, task};

type Place = (chrono::DateTime<chrono::Utc>, Uuid);

#[library_benchmark]
#[bench::of_a_list(Cursor::of(&(now(), id(1))))]
fn cursor_read(cursor: Cursor) -> Cursor {
    for _ in 0..CALLS {
        let place: Place = black_box(&cursor).place().expect("a cursor of ours");
        black_box(place);
    }
    cursor
}

#[library_benchmark]
#[bench::create(serde_json::to_vec(&task(1)).expect("a task has a JSON form"))]
fn idempotency_hash(body: Vec<u8>) -> Vec<u8> {
    for _ in 0..CALLS {
        black_box(request_hash(&Method::POST, "/v1/tasks", black_box(&body)));
    }
    body
}

library_benchmark_group!(
    name = requests,
    benchmarks = [cursor_read, idempotency_hash]
);
