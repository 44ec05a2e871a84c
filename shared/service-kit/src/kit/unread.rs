//! What nobody has read of a request whose answer is ready.
//!
//! A connection goes on only after the whole request. When it does not, the caller must be told before
//! it sends the next one: hyper alone closes without a word, and the next request is lost.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::{CONNECTION, EXPECT, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

/// The most that is read and thrown away for the sake of a connection. More is dearer than a new one.
const MOST: u64 = 1024 * 1024;
/// How long it may take to arrive.
const LONGEST: Duration = Duration::from_millis(250);

/// The body of a request, which goes on to the handler and is finished by us if need be.
#[derive(Clone)]
pub(super) struct Unread {
    rest: Arc<Mutex<Rest>>,
    /// A caller that waits for leave to send would take our reading for it.
    waits_for_leave: bool,
}

struct Rest {
    body: Body,
    ended: bool,
}

impl Unread {
    /// Watches the body of a request, if it has one.
    pub(super) fn watch(request: Request) -> (Request, Option<Self>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let waits_for_leave = waits_for_leave(request.headers());
        let (head, body) = request.into_parts();
        let rest = Arc::new(Mutex::new(Rest { body, ended: false }));
        let unread = Self {
            rest,
            waits_for_leave,
        };
        (
            Request::from_parts(head, Body::new(unread.clone())),
            Some(unread),
        )
    }

    /// Reads the rest, or says in the answer that the connection ends with it.
    pub(super) async fn finish(mut self, response: &mut Response) {
        let gone_on = self.is_end_stream() || (self.may_be_read(response) && self.is_read().await);
        if !gone_on {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
    }

    /// Whether there is little, and it is on its way.
    fn may_be_read(&self, response: &Response) -> bool {
        let announced = self.size_hint().upper().is_none_or(|most| most <= MOST);
        let too_slow = response.status() == StatusCode::REQUEST_TIMEOUT;
        announced && !too_slow && !self.waits_for_leave
    }

    async fn is_read(&mut self) -> bool {
        let reading = async {
            let mut read = 0;
            while let Some(frame) = self.frame().await {
                let Ok(frame) = frame else { return false };
                read += frame.data_ref().map_or(0, |data| data.len() as u64);
                if read > MOST {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(LONGEST, reading)
            .await
            .unwrap_or(false)
    }

    /// A panic of a handler leaves nothing half done in here.
    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut rest = self.rest();
        let polled = Pin::new(&mut rest.body).poll_frame(context);
        rest.ended |= matches!(polled, Poll::Ready(None));
        polled
    }

    fn is_end_stream(&self) -> bool {
        let rest = self.rest();
        rest.ended || rest.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.rest().body.size_hint()
    }
}

fn waits_for_leave(headers: &HeaderMap) -> bool {
    let expected = headers.get(EXPECT).map(HeaderValue::as_bytes);
    expected.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
}
