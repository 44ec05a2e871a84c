//! `taskledger dead-letters drop`.

use std::io::{self, Write};

use clock::{Clock, SystemClock};
use event_schema::App;
use event_store::{DeadLetterFilter, DeadLetterRow, DeadLetterState, DeadLetterTable, Dropped};

use super::row;
use crate::config::DropConfig;
use crate::printable::events;

/// Rows of one read.
const PAGE: u32 = 100;

pub(super) async fn run(config: &DropConfig) -> anyhow::Result<()> {
    let choice = &config.choice;
    choice.check("drop")?;
    let filter = DeadLetterFilter {
        state: Some(config.state.unwrap_or(DeadLetterState::Parked)),
        ..choice.filter.at(SystemClock::new().now())
    };
    let tables = choice.tables().await?;
    let (mut meant, mut counts) = (0, Vec::new());
    for (service, table) in &tables {
        let count = if choice.ids.is_empty() {
            table.count(&filter).await?
        } else {
            choice.named(*service, table).await?.len() as u64
        };
        let count = count.min(choice.limit.map_or(u64::MAX, |limit| limit - meant));
        meant += count;
        counts.push(count);
    }
    if meant > 1 && !(config.yes || choice.all || choice.dry_run) {
        anyhow::bail!(
            "{} would be dropped for good: look at them with --dry-run, and say --yes if that is meant",
            events(meant)
        );
    }
    let mut removal = Removal {
        config,
        gone: 0,
        freed: 0,
    };
    for ((service, table), count) in tables.iter().zip(counts) {
        removal.of_service(*service, table, &filter, count).await?;
    }
    removal.report()
}

struct Removal<'a> {
    config: &'a DropConfig,
    gone: u64,
    freed: u64,
}

impl Removal<'_> {
    /// Drops the oldest that match, as many as there were when the operator was asked.
    async fn of_service(
        &mut self,
        service: App,
        table: &DeadLetterTable,
        filter: &DeadLetterFilter,
        mut left: u64,
    ) -> anyhow::Result<()> {
        if !self.config.choice.ids.is_empty() {
            for row in self.config.choice.named(service, table).await? {
                self.one(service, table, &row).await?;
            }
            return Ok(());
        }
        let mut after = 0;
        while left > 0 {
            let page = table
                .list(filter, after, PAGE.min(left.try_into().unwrap_or(PAGE)))
                .await?;
            let Some(last) = page.last() else { break };
            after = last.dead_letter_id;
            left = left.saturating_sub(page.len() as u64);
            for row in &page {
                self.one(service, table, row).await?;
            }
        }
        Ok(())
    }

    async fn one(
        &mut self,
        service: App,
        table: &DeadLetterTable,
        row: &DeadLetterRow,
    ) -> anyhow::Result<()> {
        if self.config.choice.dry_run {
            return plan(service, table, row).await;
        }
        // One that is gone meanwhile was processed or dropped by somebody else.
        if let Dropped::Gone(freed) = table.discard(row.dead_letter_id).await? {
            self.gone += 1;
            self.freed += freed;
        }
        Ok(())
    }

    fn report(&self) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.config.choice.dry_run {
            return Ok(writeln!(out, "Nothing was changed.")?);
        }
        if self.gone == 0 {
            return Ok(writeln!(
                out,
                "No dead letter is like that; nothing was changed."
            )?);
        }
        write!(out, "{} dropped.", events(self.gone))?;
        if self.freed > 0 {
            write!(
                out,
                " {} behind will be delivered again, at once where the service runs.",
                events(self.freed)
            )?;
        }
        Ok(writeln!(out)?)
    }
}

/// What a drop of this row would do.
async fn plan(service: App, table: &DeadLetterTable, row: &DeadLetterRow) -> anyhow::Result<()> {
    let (count, first) = table.behind(row, row::SOME).await?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}: would drop {}", service.id(), row::sentence(row))?;
    if count > 0 && row.state == "parked" {
        let ids = row::numbers(count, &first);
        match row.behind {
            None => writeln!(out, "  and deliver {} behind it: {ids}", events(count))?,
            Some(ahead) => writeln!(
                out,
                "  and {} behind it stay behind {ahead}: {ids}",
                events(count)
            )?,
        }
    }
    Ok(())
}
