//! Every subscription of the service: topic to function.

mod task_events;
mod task_update_events;

use dapr_client::{Config, Subscriptions};
use event_schema::{App, Topic};

use crate::app::AppState;

/// The table. Its topics are those of the topic contract.
pub fn subscriptions(config: &Config) -> Subscriptions<AppState> {
    Subscriptions::new(App::ReminderScheduler, config)
        .on(Topic::TaskEvents, task_events::on_task_events)
        .on(
            Topic::TaskUpdateEvents,
            task_update_events::on_task_update_events,
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_topic_contract() {
        let contract = Topic::ALL
            .into_iter()
            .filter(|topic| topic.contract().consumers.contains(&App::ReminderScheduler));

        let table = subscriptions(&Config::default()).topics();

        assert_eq!(table, contract.collect::<Vec<_>>());
    }
}
