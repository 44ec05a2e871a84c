//! How fast the disk is at the moment: small writes, each flushed.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::latency::{Latencies, Millis};

const BLOCK: [u8; 8192] = [7; 8192];
/// The file is written from its beginning again after so many blocks.
const BLOCKS: u64 = 1024;

/// What 8 kB and an `fdatasync` take.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct FlushProbe {
    pub(crate) flushes_per_second: f64,
    pub(crate) latency_ms: Millis,
}

/// Writes and flushes for so long, in a file of its own in this folder.
pub(crate) fn flush(folder: &Path, how_long: Duration) -> anyhow::Result<FlushProbe> {
    let mut file = tempfile::tempfile_in(folder)?;
    let mut latencies = Latencies::new()?;
    let begun = Instant::now();
    let mut block = 0;
    while begun.elapsed() < how_long {
        let start = Instant::now();
        if block % BLOCKS == 0 {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        latencies.record(start.elapsed());
        block += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let summary = latencies.summary();
    Ok(FlushProbe {
        flushes_per_second: f64::from(u32::try_from(block)?) / seconds,
        latency_ms: summary,
    })
}
