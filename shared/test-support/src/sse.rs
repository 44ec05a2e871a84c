//! Reading server-sent events.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;

/// A stream that says nothing for so long has nothing to say.
const PATIENCE: Duration = Duration::from_secs(10);

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The event's name; empty for a comment.
    pub event: String,
    /// Its `id`.
    pub id: String,
    /// Its data, lines joined.
    pub data: String,
    /// The text of a comment, such as a heartbeat.
    pub comment: String,
}

/// Reads an answer event by event.
#[derive(Debug)]
pub struct SseReader {
    /// The answer's headers.
    pub headers: HeaderMap,
    body: Body,
    text: String,
}

impl SseReader {
    /// Reads an answer that has just begun.
    pub fn new(answer: Response<Body>) -> Self {
        let (parts, body) = answer.into_parts();
        Self {
            headers: parts.headers,
            body,
            text: String::new(),
        }
    }

    /// The next event that is no comment; `None` at the end of the stream.
    pub async fn next_event(&mut self) -> Option<SseEvent> {
        loop {
            let event = self.next().await?;
            if event.comment.is_empty() {
                return Some(event);
            }
        }
    }

    /// The next event or comment; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                return Some(parse(&block));
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame())
                .await
                .expect("the stream says something")?
                .expect("the stream is whole");
            if let Ok(bytes) = frame.into_data() {
                self.text
                    .push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
            }
        }
    }
}

fn parse(block: &str) -> SseEvent {
    let mut event = SseEvent::default();
    for line in block.trim_end().lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => value.clone_into(&mut event.comment),
            "event" => value.clone_into(&mut event.event),
            "id" => value.clone_into(&mut event.id),
            "data" if event.data.is_empty() => value.clone_into(&mut event.data),
            "data" => event.data = format!("{}\n{value}", event.data),
            _ => {}
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_and_comments_are_told_apart() {
        let body = ": heartbeat\n\nevent: a\nid: 7\ndata: {}\n\nevent: b\ndata: 1\ndata: 2\n\n";
        let mut reader = SseReader::new(Response::new(Body::from(body)));

        assert_eq!(reader.next().await.unwrap().comment, "heartbeat");
        let first = reader.next_event().await.unwrap();
        assert_eq!((first.event.as_str(), first.id.as_str()), ("a", "7"));
        assert_eq!(reader.next_event().await.unwrap().data, "1\n2");
        assert_eq!(reader.next().await, None);
    }
}
