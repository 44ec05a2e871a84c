//! `taskledger dead-letters`: events that could not be processed, in an operator's hands.

mod choice;
mod list;
mod remove;
mod replay;
mod row;
mod show;

use std::io;

use event_schema::App;
use event_store::DeadLetterTable;

use crate::config::DeadLettersCommand;
use crate::location::Location;

/// Runs the subcommand.
pub async fn run(command: DeadLettersCommand) -> anyhow::Result<()> {
    let outcome = match command {
        DeadLettersCommand::List(config) => list::run(&config).await,
        DeadLettersCommand::Show(config) => show::run(&config).await,
        DeadLettersCommand::Replay(config) => replay::run(&config).await,
        DeadLettersCommand::Drop(config) => remove::run(&config).await,
    };
    outcome.or_else(seen_enough)
}

/// Whoever reads, such as `head`, may stop doing so.
pub(crate) fn seen_enough(error: anyhow::Error) -> anyhow::Result<()> {
    match error.downcast_ref::<io::Error>() {
        Some(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    }
}

async fn table(service: App, location: &Location) -> anyhow::Result<DeadLetterTable> {
    Ok(DeadLetterTable::new(location.open(service).await?, service))
}

/// What is said of a number that nothing has.
fn unknown(service: App, id: i64) -> anyhow::Error {
    anyhow::anyhow!(
        "{} has no dead letter {id}: it was processed or dropped, or never was; see `taskledger dead-letters list`",
        service.id()
    )
}
