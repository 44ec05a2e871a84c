//! The doc comment of an event tells who publishes and who reads it, and says the same as the contract.

use event_schema::{App, all_events};

#[test]
fn the_doc_of_a_published_event_names_its_producer() {
    for event_type in all_events().filter(|known| known.topic.is_some()) {
        let from = format!("From {}", event_type.producer.id());
        assert!(
            event_type.doc.contains(&from),
            "{}: the doc lacks {from:?}",
            event_type.name
        );
    }
}

#[test]
fn the_doc_of_an_event_names_no_reader_that_may_not_subscribe() {
    for event_type in all_events() {
        let readers: &[App] = event_type
            .topic
            .map_or(&[], |topic| topic.contract().consumers);
        let (_, named) = event_type.doc.split_once("read by").unwrap_or_default();
        for app in App::ALL.into_iter().filter(|app| named.contains(app.id())) {
            assert!(
                readers.contains(&app),
                "{}: {} may not subscribe",
                event_type.name,
                app.id()
            );
        }
        let promised = !readers.is_empty();
        assert_eq!(
            promised,
            !named.is_empty(),
            "{}: say who it is read by",
            event_type.name
        );
    }
}

#[test]
fn each_consumer_of_a_topic_reads_one_of_its_events() {
    for topic in event_schema::Topic::ALL {
        for app in topic.contract().consumers {
            let reads = all_events().any(|known| {
                let (_, named) = known.doc.split_once("read by").unwrap_or_default();
                known.topic == Some(topic) && named.contains(app.id())
            });
            assert!(
                reads,
                "{} subscribes to {} and reads nothing",
                app.id(),
                topic.name()
            );
        }
    }
}
