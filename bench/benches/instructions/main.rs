//! Instructions of the hot functions, counted by valgrind: `cargo xtask instructions` compares them with
//! `bench/instructions.json`.
//!
//! Every id and time is fixed and nothing is read or written, so that a count changes when the code
//! does. Inputs are made outside of what is counted. Each function is called many times and its results
//! dropped: that a call finds the allocator's page full depends on all that was allocated before, down to
//! the length of the program's path, and costs more than a small function itself.

#![expect(
    clippy::expect_used,
    reason = "a benchmark whose input is wrong may fail where it stands"
)]
#![expect(unused_qualifications, reason = "what the macros of gungraun write")]

mod doors;
mod events;
mod fixture;
mod lane;
mod tasks;

/// How often a function is called for one count.
const CALLS: u32 = 1_000;

use doors::requests;
use events::envelopes;
use gungraun::{Callgrind, LibraryBenchmarkConfig};
use lane::turns;
use tasks::decisions;

gungraun::main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"]));
    library_benchmark_groups = envelopes,
    decisions,
    turns,
    requests
);
