//! Every subscription of the service: topic to function.

pub mod recurring_events;
pub mod reminder_events;

use dapr_client::{Config, Subscriptions};
use event_schema::{App, Topic};

use crate::app::AppState;

/// The table. Its topics are those of the topic contract.
pub fn subscriptions(config: &Config) -> Subscriptions<AppState> {
    Subscriptions::new(App::TaskApi, config)
        .on(Topic::ReminderEvents, reminder_events::on_reminder_events)
        .on(
            Topic::RecurringEvents,
            recurring_events::on_recurring_events,
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_topic_contract() {
        let contract = Topic::ALL
            .into_iter()
            .filter(|topic| topic.contract().consumers.contains(&App::TaskApi));

        let table = subscriptions(&Config::default()).topics();

        assert_eq!(table, contract.collect::<Vec<_>>());
    }
}
