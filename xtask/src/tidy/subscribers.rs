//! Every subscription of the topic contract has its file and its function, and there are no others.

use event_schema::{App, Topic};

use super::finding::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    App::ALL
        .into_iter()
        .flat_map(|app| check_app(tree, app))
        .collect()
}

fn check_app(tree: &Tree, app: App) -> Vec<Finding> {
    let src = format!("services/{}/src", app.id());
    if !tree.contains(&format!("{src}/subscribers.rs")) {
        return Vec::new(); // The rooms check has said so.
    }
    let folder = format!("{src}/subscribers");
    let mut found = Vec::new();
    for topic in Topic::ALL {
        let path = format!("{folder}/{}.rs", file_stem(topic));
        let subscribed = topic.contract().consumers.contains(&app);
        match tree.source(&path) {
            Some(_) if !subscribed => {
                let advice = "the topic contract does not let this service subscribe: add it there";
                found.push(Finding::of(&path, advice));
            }
            Some(source) => {
                let function = format!("on_{}", file_stem(topic));
                if !source.code.contains(&format!("fn {function}(")) {
                    found.push(Finding::of(&path, format!("has no `fn {function}(`")));
                }
            }
            None if subscribed => {
                let advice = format!("missing: the topic contract lets {} subscribe", app.id());
                found.push(Finding::of(&path, advice));
            }
            None => {}
        }
    }
    for file in tree.below(&folder).filter(|file| !file.contains('/')) {
        if !Topic::ALL
            .into_iter()
            .any(|topic| file == format!("{}.rs", file_stem(topic)))
        {
            let advice = "no topic has this name: a subscriber's file is named after its topic";
            found.push(Finding::of(&format!("{folder}/{file}"), advice));
        }
    }
    found
}

fn file_stem(topic: Topic) -> String {
    topic.name().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    const SRC: &str = "services/task-api/src";

    fn subscribers(files: &[(&str, &str)]) -> Vec<String> {
        let tree: Tree = files
            .iter()
            .map(|(file, text)| (format!("{SRC}/{file}"), *text))
            .collect();
        lines(&check(&tree))
            .iter()
            .map(|line| line[SRC.len() + 1..].to_owned())
            .collect()
    }

    const TABLE: (&str, &str) = ("subscribers.rs", "");
    const REMINDERS: (&str, &str) = (
        "subscribers/reminder_events.rs",
        "pub async fn on_reminder_events(app: &AppState) {}",
    );
    const RECURRING: (&str, &str) = (
        "subscribers/recurring_events.rs",
        "pub async fn on_recurring_events(app: &AppState) {}",
    );
    #[test]
    fn the_subscriptions_of_the_contract_are_fine() {
        assert_eq!(
            subscribers(&[TABLE, REMINDERS, RECURRING]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_missing_subscriber_is_found() {
        let found = subscribers(&[TABLE, REMINDERS]);
        assert_eq!(found, ["subscribers/recurring_events.rs:1"]);
    }

    #[test]
    fn a_subscriber_without_its_function_is_found() {
        let other = (
            "subscribers/recurring_events.rs",
            "pub async fn handle() {} // fn on_recurring_events(",
        );
        assert_eq!(
            subscribers(&[TABLE, REMINDERS, other]),
            ["subscribers/recurring_events.rs:1"]
        );
    }

    #[test]
    fn a_subscriber_that_the_contract_does_not_know_is_found() {
        let own = (
            "subscribers/task_events.rs",
            "pub async fn on_task_events() {}",
        );
        let odd = ("subscribers/weather.rs", "");
        let found = subscribers(&[TABLE, REMINDERS, RECURRING, own, odd]);
        assert_eq!(
            found,
            ["subscribers/task_events.rs:1", "subscribers/weather.rs:1"]
        );
    }
}
