//! `taskledger events`: the CloudEvents that the services tell each other.

mod line;

use std::io::{self, Write};

use anyhow::Context as _;
use event_schema::Topic;
use local_sidecar::{Record, Tail};

use crate::config::{EventsCommand, TailConfig};
use crate::data_directory::broker_file;

/// Runs the subcommand.
pub async fn run(command: EventsCommand) -> anyhow::Result<()> {
    match command {
        EventsCommand::Tail(config) => tail(config).await,
    }
}

async fn tail(config: TailConfig) -> anyhow::Result<()> {
    let file = broker_file(&config.data_dir);
    if !file.exists() {
        anyhow::bail!(
            "there are no events in {}: start the suite there first, or name its directory with --data-dir",
            config.data_dir.display()
        );
    }
    let topics = topics(config.topic.as_deref())?;
    let mut tail = Tail::open(&file, &topics, config.from_start).await?;
    loop {
        let records = tail.next_batch().await?;
        if records.is_empty() {
            if config.no_follow {
                return Ok(());
            }
            tail.wait().await;
        }
        match show(&records, config.json) {
            // Whoever reads, such as `head`, has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            shown => shown.context("the events cannot be written")?,
        }
    }
}

/// All topics of the contract, or the one that was named.
fn topics(wanted: Option<&str>) -> anyhow::Result<Vec<String>> {
    let all: Vec<String> = Topic::ALL
        .iter()
        .map(|topic| topic.name().to_owned())
        .collect();
    match wanted {
        None => Ok(all),
        Some(name) if all.iter().any(|topic| topic == name) => Ok(vec![name.to_owned()]),
        Some(name) => {
            anyhow::bail!(
                "there is no topic {name}; the topics are {}",
                all.join(", ")
            )
        }
    }
}

fn show(records: &[Record], json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for record in records {
        if json {
            let bytes = record.value.as_deref().unwrap_or(b"null");
            out.write_all(bytes)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}", line::of(record))?;
        }
    }
    out.flush()
}
