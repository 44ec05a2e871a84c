//! What a row's text and age look like in a terminal.

use chrono::TimeDelta;

/// Foreign text: nothing in it may move the cursor, and it may be long.
pub(crate) fn text(text: &str, longest: usize) -> String {
    let mut shown = text.chars().filter(|c| !c.is_control());
    let mut start: String = shown.by_ref().take(longest).collect();
    if shown.next().is_some() {
        start.pop();
        start.push('…');
    }
    start
}

/// How long ago something was, in the largest unit that is full.
pub(crate) fn age(since: TimeDelta) -> String {
    let seconds = since.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `1 event`, `2 events`.
pub(crate) fn events(count: u64) -> String {
    format!("{count} {}", if count == 1 { "event" } else { "events" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_short_line() {
        assert_eq!(text("a\n\u{1b}[31mb", 10), "a[31mb");
        assert_eq!(text("äöüß", 4), "äöüß");
        assert_eq!(text("äöüßa", 4), "äöü…");
    }

    #[test]
    fn an_age_has_one_unit() {
        let ages = [
            (-5, "0s"),
            (59, "59s"),
            (60, "1m"),
            (7_199, "1h"),
            (172_800, "2d"),
        ];
        for (seconds, shown) in ages {
            assert_eq!(age(TimeDelta::seconds(seconds)), shown);
        }
    }
}
