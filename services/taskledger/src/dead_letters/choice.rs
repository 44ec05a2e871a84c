//! Which events an operator means, and whether that is said clearly enough.

use event_schema::App;
use event_store::{DeadLetterRow, DeadLetterTable};

use super::{table, unknown};
use crate::config::ChoiceConfig;

impl ChoiceConfig {
    /// Refuses what could be meant in two ways.
    pub(super) fn check(&self, verb: &str) -> anyhow::Result<()> {
        let filtered = !self.filter.is_empty() || self.limit.is_some();
        match (self.ids.is_empty(), filtered, self.all) {
            (false, true, _) | (false, _, true) => anyhow::bail!(
                "numbers, filters and --all exclude each other: say which events to {verb} in one way"
            ),
            (true, true, true) => anyhow::bail!(
                "--all and a filter exclude each other: say which events to {verb} in one way"
            ),
            (true, false, false) => anyhow::bail!(
                "say which events to {verb}: their numbers with --service, a filter such as --reason, or --all"
            ),
            (false, ..) if self.service.is_none() => {
                anyhow::bail!("numbers are those of one service: name it with --service")
            }
            _ => Ok(()),
        }
    }

    /// The tables that are meant.
    pub(super) async fn tables(&self) -> anyhow::Result<Vec<(App, DeadLetterTable)>> {
        let mut tables = Vec::new();
        for service in self.location.services(self.service.as_deref())? {
            tables.push((service, table(service, &self.location).await?));
        }
        Ok(tables)
    }

    /// The rows that were named by their numbers; every one has to be there before anything is done.
    pub(super) async fn named(
        &self,
        service: App,
        table: &DeadLetterTable,
    ) -> anyhow::Result<Vec<DeadLetterRow>> {
        let mut ids = self.ids.clone();
        ids.sort_unstable();
        ids.dedup();
        let mut rows = Vec::new();
        for id in ids {
            let row = table.find(id).await?;
            rows.push(row.ok_or_else(|| unknown(service, id))?);
        }
        Ok(rows)
    }
}
