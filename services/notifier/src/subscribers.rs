//! Every subscription of the service: topic to function.

pub mod recurring_events;
pub mod reminder_events;
pub mod task_events;
pub mod task_update_events;

use dapr_client::{Config, Subscriptions};
use event_schema::{App, Topic};

use crate::app::AppState;

/// The table. Its topics are those of the topic contract.
pub fn subscriptions(config: &Config) -> Subscriptions<AppState> {
    Subscriptions::new(App::Notifier, config)
        .on(Topic::TaskEvents, task_events::on_task_events)
        .on(
            Topic::TaskUpdateEvents,
            task_update_events::on_task_update_events,
        )
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
            .filter(|topic| topic.contract().consumers.contains(&App::Notifier));

        let table = subscriptions(&Config::default()).topics();

        assert_eq!(table, contract.collect::<Vec<_>>());
    }
}
