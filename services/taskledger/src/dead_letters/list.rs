//! `taskledger dead-letters list`.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use clock::{Clock, SystemClock};
use event_schema::App;
use event_store::{DeadLetterFilter, DeadLetterTable};

use super::{row, table};
use crate::config::ListConfig;

/// Rows of one read.
const PAGE: u32 = 500;

pub(super) async fn run(config: &ListConfig) -> anyhow::Result<()> {
    let now = SystemClock::new().now();
    let mut filter = config.filter.at(now);
    filter.state = config.state;
    let mut list = List {
        config,
        filter,
        now,
        left: config.limit,
        any: false,
        last: None,
        more: 0,
    };
    for service in config.location.services(config.service.as_deref())? {
        let table = table(service, &config.location).await?;
        if config.summary {
            list.groups(service, &table).await?;
        } else {
            list.rows(service, &table).await?;
        }
    }
    list.end()
}

struct List<'a> {
    config: &'a ListConfig,
    filter: DeadLetterFilter,
    now: DateTime<Utc>,
    left: u32,
    any: bool,
    /// The last row that was shown.
    last: Option<(App, i64)>,
    /// How many there are beside those.
    more: u64,
}

impl List<'_> {
    async fn rows(&mut self, service: App, table: &DeadLetterTable) -> anyhow::Result<()> {
        let mut after = self.config.after_id.unwrap_or(0);
        let mut rest = table.count_after(&self.filter, after).await?;
        while self.left > 0 {
            let page = table.list(&self.filter, after, self.left.min(PAGE)).await?;
            if page.is_empty() {
                break;
            }
            let mut out = io::stdout().lock();
            for row in &page {
                if self.config.json {
                    writeln!(out, "{}", row::json(service, row))?;
                } else {
                    if !self.any {
                        row::heading(&mut out)?;
                    }
                    row::line(&mut out, service, row, self.now)?;
                }
                self.any = true;
                after = row.dead_letter_id;
            }
            let shown = u32::try_from(page.len()).unwrap_or(self.left);
            self.left -= shown;
            rest = rest.saturating_sub(shown.into());
            self.last = Some((service, after));
        }
        self.more += rest;
        Ok(())
    }

    async fn groups(&mut self, service: App, table: &DeadLetterTable) -> anyhow::Result<()> {
        let groups = table.groups(&self.filter, self.config.limit).await?;
        let mut out = io::stdout().lock();
        for group in &groups {
            if self.config.json {
                writeln!(out, "{}", row::group_json(service, group))?;
            } else {
                if !self.any {
                    row::group_heading(&mut out)?;
                }
                row::group_line(&mut out, service, group, self.now)?;
            }
            self.any = true;
        }
        Ok(())
    }

    /// Says what was not shown: on stderr, where it is in nobody's way.
    fn end(&self) -> anyhow::Result<()> {
        if self.more > 0 {
            let (service, id) = self.last.map_or(("", 0), |(app, id)| (app.id(), id));
            writeln!(
                io::stderr(),
                "{} more: narrow the list by a filter or --summary, raise --limit, or go on with --service {service} --after-id {id}",
                self.more
            )?;
        }
        if self.any || self.config.json {
            return Ok(());
        }
        let filtered = !self.config.filter.is_empty() || self.config.state.is_some();
        let sentence = if filtered {
            "No dead letter is like that."
        } else {
            "No event is parked."
        };
        Ok(writeln!(io::stdout(), "{sentence}")?)
    }
}
