//! What an app's answer means.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Consumed.
    Done,
    /// To be tried again, for this reason.
    Failed(String),
    /// Not wanted: to the dead-letter topic at once.
    Dropped(String),
}

#[derive(Deserialize)]
struct Single<'a> {
    #[serde(borrow, default)]
    status: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Bulk<'a> {
    #[serde(borrow)]
    statuses: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "entryId", borrow)]
    entry_id: Cow<'a, str>,
    #[serde(borrow, default)]
    status: Cow<'a, str>,
}

/// The answer to a single delivery. The body counts only on success, and case matters in it.
pub(super) fn single(status: u16, body: &[u8]) -> Verdict {
    match status {
        200..=299 => match serde_json::from_slice::<Single<'_>>(body) {
            Ok(Single { status }) if !status.is_empty() => verdict(&status),
            _ => Verdict::Done,
        },
        404 => Verdict::Dropped("the app answered 404".to_owned()),
        _ => Verdict::Failed(format!("the app answered {status}")),
    }
}

/// The answer to a bulk delivery of these entries.
pub(super) fn bulk(status: u16, body: &[u8], entry_ids: &[String]) -> Vec<Verdict> {
    let all = |verdict: Verdict| vec![verdict; entry_ids.len()];
    match status {
        200..=299 => match serde_json::from_slice::<Bulk<'_>>(body) {
            Ok(answer) => {
                let statuses: BTreeMap<_, _> = answer
                    .statuses
                    .into_iter()
                    .map(|entry| (entry.entry_id, entry.status))
                    .collect();
                let verdict = |id: &String| match statuses.get(id.as_str()) {
                    Some(status) => verdict(status),
                    None => Verdict::Failed("the app did not answer for the entry".to_owned()),
                };
                entry_ids.iter().map(verdict).collect()
            }
            Err(error) => all(Verdict::Failed(format!("unreadable answer: {error}"))),
        },
        404 => {
            tracing::error!("{} events are lost: the app answered 404", entry_ids.len());
            all(Verdict::Done)
        }
        _ => all(Verdict::Failed(format!("the app answered {status}"))),
    }
}

fn verdict(status: &str) -> Verdict {
    match status {
        "SUCCESS" => Verdict::Done,
        "RETRY" => Verdict::Failed("the app asked for a retry".to_owned()),
        "DROP" => Verdict::Dropped("the app dropped it".to_owned()),
        other => Verdict::Failed(format!("the app answered an unknown status {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Failed(_))
    }

    fn dropped(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Dropped(_))
    }

    #[test]
    fn a_single_answer_is_read_as_the_table_says() {
        for body in [
            "",
            "fine",
            "{}",
            "[]",
            r#"{"status":""}"#,
            r#"{"status":"SUCCESS"}"#,
        ] {
            assert_eq!(single(200, body.as_bytes()), Verdict::Done, "{body}");
        }
        assert_eq!(single(204, b""), Verdict::Done);
        assert!(failed(&single(200, br#"{"status":"RETRY"}"#)));
        assert!(failed(&single(200, br#"{"status":"success"}"#)));
        assert!(dropped(&single(200, br#"{"status":"DROP"}"#)));
        assert!(dropped(&single(404, b"")));
        for status in [301, 400, 401, 413, 500, 503] {
            assert!(failed(&single(status, br#"{"status":"DROP"}"#)), "{status}");
        }
    }

    #[test]
    fn a_bulk_answer_is_read_entry_by_entry() {
        let ids = ["0", "1", "2", "3", "4"].map(str::to_owned);
        let body =
            br#"{"statuses":[{"entryId":"0","status":"SUCCESS"},{"entryId":"1","status":"RETRY"},
            {"entryId":"2","status":""},{"entryId":"4","status":"DROP"}]}"#;

        let verdicts = bulk(200, body, &ids);

        assert_eq!(verdicts[0], Verdict::Done);
        assert!(verdicts[1..4].iter().all(failed));
        assert!(dropped(&verdicts[4]));
    }

    #[test]
    fn a_bulk_answer_that_cannot_be_read_fails_every_entry() {
        let ids = ["0", "1"].map(str::to_owned);
        assert!(bulk(200, b"", &ids).iter().all(failed));
        assert!(bulk(200, b"{}", &ids).iter().all(failed));
        assert!(bulk(500, b"", &ids).iter().all(failed));
        assert_eq!(bulk(404, b"", &ids), [Verdict::Done, Verdict::Done]);
    }
}
