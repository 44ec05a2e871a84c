//! Which dead letters an operator sees.

use chrono::TimeDelta;
use dapr_client::DeadLetters;
use event_store::{DeadLetterFilter, DeadLetterState};

use super::{ids, parked_with, rows};
use crate::fixture::{Fixture, start_of_test};
use crate::inbox::poison;

/// Four parked events, an hour from each other, alike in nothing; behind the first waits another.
async fn different() -> Vec<Fixture> {
    let fixtures = Fixture::every().await;
    for fixture in &fixtures {
        parked_with(fixture, 1, 1).await;
        for (number, topic) in (2..).zip(["task-events", "task-update-events", "recurring-events"])
        {
            fixture.clock.advance(TimeDelta::hours(1));
            let mut dead = poison(number, b"{}");
            dead.topic = topic.to_owned();
            dead.event_type = Some(format!("type.{number}"));
            dead.subject = Some(format!("subject-{number}"));
            dead.reason = format!("100% of `field_{number}` is WRONG");
            fixture.ledger.park(dead).await.unwrap();
        }
    }
    fixtures
}

#[tokio::test]
async fn every_part_of_a_filter_chooses_its_rows() {
    for fixture in different().await {
        let table = fixture.ledger.dead_letter_table();
        let all = ids(&fixture).await;
        let key = rows(&fixture).await[3].key.clone();
        let at = |hours| Some(start_of_test() + TimeDelta::hours(hours));
        let any = DeadLetterFilter::default;
        let cases = [
            (
                DeadLetterFilter {
                    topic: Some("task-events".to_owned()),
                    ..any()
                },
                vec![0, 1, 2],
            ),
            (
                DeadLetterFilter {
                    event_type: Some("type.3".to_owned()),
                    ..any()
                },
                vec![3],
            ),
            (DeadLetterFilter { key, ..any() }, vec![3]),
            (
                DeadLetterFilter {
                    subject: Some("subject-4".to_owned()),
                    ..any()
                },
                vec![4],
            ),
            (
                DeadLetterFilter {
                    reason: Some("Field_3".to_owned()),
                    ..any()
                },
                vec![3],
            ),
            (
                DeadLetterFilter {
                    reason: Some("0% of".to_owned()),
                    ..any()
                },
                vec![2, 3, 4],
            ),
            (
                DeadLetterFilter {
                    reason: Some("field-3".to_owned()),
                    ..any()
                },
                vec![],
            ),
            (any().in_state(DeadLetterState::Parked), vec![0, 2, 3, 4]),
            (any().in_state(DeadLetterState::Waiting), vec![1]),
            (
                DeadLetterFilter {
                    before: at(1),
                    ..any()
                },
                vec![0, 1],
            ),
            (
                DeadLetterFilter {
                    since: at(2),
                    ..any()
                },
                vec![3, 4],
            ),
            (
                DeadLetterFilter {
                    since: at(1),
                    before: at(3),
                    ..any()
                },
                vec![2, 3],
            ),
            (any(), vec![0, 1, 2, 3, 4]),
        ];
        for (filter, expected) in cases {
            let found = table.list(&filter, 0, 10).await.unwrap();
            let found: Vec<i64> = found.iter().map(|row| row.dead_letter_id).collect();
            let expected: Vec<i64> = expected.into_iter().map(|n: usize| all[n]).collect();
            assert_eq!(found, expected, "{filter:?}");
            let count = table.count(&filter).await.unwrap();
            assert_eq!(count, found.len() as u64, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn a_list_goes_on_after_its_last_row() {
    for fixture in different().await {
        let table = fixture.ledger.dead_letter_table();
        let any = DeadLetterFilter::default();
        let mut pages = Vec::new();
        while let page = table
            .list(&any, pages.last().copied().unwrap_or(0), 2)
            .await
            .unwrap()
            && !page.is_empty()
        {
            assert!(page.len() <= 2);
            pages.extend(page.iter().map(|row| row.dead_letter_id));
        }

        assert_eq!(pages, ids(&fixture).await);
    }
}

#[tokio::test]
async fn a_row_says_behind_which_it_waits_and_what_waits_behind_it() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 3).await;
        let rows = rows(&fixture).await;

        let behind: Vec<Option<i64>> = rows.iter().map(|row| row.behind).collect();
        let parked = Some(rows[0].dead_letter_id);
        assert_eq!(behind, [None, parked, parked, parked]);
        let (count, first) = table.behind(&rows[0], 2).await.unwrap();
        assert_eq!(count, 3);
        assert_eq!(first, rows[1..3]);
    }
}

#[tokio::test]
async fn groups_count_by_reason_and_sizes_by_state() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 3).await;
        parked_with(&fixture, 2, 0).await;

        let groups = table
            .groups(&DeadLetterFilter::default(), 10)
            .await
            .unwrap();
        let groups: Vec<_> = groups
            .iter()
            .map(|group| (group.state.as_str(), group.count))
            .collect();
        assert_eq!(groups, [("waiting", 3), ("parked", 2)]);
        let counts = table.measure().await.unwrap();
        let counts: Vec<_> = counts
            .iter()
            .map(|of| (of.state.as_str(), of.count, of.bytes))
            .collect();
        let bytes = rows(&fixture)
            .await
            .iter()
            .map(|row| row.bytes)
            .sum::<i64>()
            - 2;
        assert_eq!(counts, [("parked", 2, 2), ("waiting", 3, bytes)]);
    }
}
