//! A bulk delivery: keys side by side, the events of one key one after the other.

use std::collections::HashMap;

use futures_util::future::join_all;

use super::Ack;
use super::process::Processor;
use super::wire::Received;

/// Processes the entries of a bulk delivery and returns their ids with what became of them, in order.
///
/// Handlers of different keys run together, so that the ledger puts their commands into one
/// transaction. An event waits for the one before it of its key, which may be parked or retried:
/// otherwise it would overtake it. Behind a retry everything of the key is retried.
pub(super) async fn process<S: Clone + Send + Sync + 'static>(
    processor: &Processor<S>,
    entries: Vec<(String, Received)>,
) -> Vec<(String, Ack)> {
    let (ids, events): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
    let mut acks = vec![Ack::Retry; ids.len()];
    let keys = by_key(events).into_iter();
    let processed = join_all(keys.map(|events| in_order(processor, events)));
    for (place, ack) in processed.await.into_iter().flatten() {
        acks[place] = ack;
    }
    ids.into_iter().zip(acks).collect()
}

/// The events of each key with their places, keys in the order of their first events. An event
/// without a key is in nobody's way.
fn by_key(events: Vec<Received>) -> Vec<Vec<(usize, Received)>> {
    let mut groups: Vec<Vec<(usize, Received)>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (place, event) in events.into_iter().enumerate() {
        let group = match &event.key {
            Some(key) => *known.entry(key.clone()).or_insert(groups.len()),
            None => groups.len(),
        };
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push((place, event));
    }
    groups
}

async fn in_order<S: Clone + Send + Sync + 'static>(
    processor: &Processor<S>,
    events: Vec<(usize, Received)>,
) -> Vec<(usize, Ack)> {
    let mut acks = Vec::with_capacity(events.len());
    let mut held_up = false;
    for (place, event) in events {
        let ack = if held_up {
            Ack::Retry
        } else {
            processor.process(event).await
        };
        held_up = ack == Ack::Retry;
        acks.push((place, ack));
    }
    acks
}
