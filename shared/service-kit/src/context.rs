//! What the outermost layer learns about a request, for everything inside.

use std::sync::{Arc, OnceLock};

use axum::http::HeaderMap;
use opentelemetry::trace::TraceContextExt;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

/// What the outermost layer learns about a request; a request extension.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    pub(crate) request_id: Uuid,
    /// The caller's `traceparent`, if it is well-formed.
    pub(crate) incoming: Option<Arc<str>>,
    pub(crate) body_limit: usize,
    /// The hash of the body's canonical JSON, set by the extractor that reads the body.
    pub(crate) body_hash: Arc<OnceLock<[u8; 32]>>,
}

impl RequestContext {
    pub(crate) fn new(headers: &HeaderMap, mint: impl FnOnce() -> Uuid, body_limit: usize) -> Self {
        let sent = headers.get("x-request-id").and_then(|id| id.to_str().ok());
        let request_id = sent
            .and_then(|id| Uuid::try_parse(id).ok())
            .filter(|id| !id.is_nil());
        let incoming = headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok());
        Self {
            request_id: request_id.unwrap_or_else(mint),
            incoming: incoming
                .filter(|value| is_traceparent(value))
                .map(Arc::from),
            body_limit,
            body_hash: Arc::default(),
        }
    }

    /// The `traceparent` that what this request causes should carry: the current span's when traces
    /// are recorded, else the caller's, else one made from the request id and marked as not sampled.
    pub(crate) fn traceparent(&self) -> String {
        let context = Span::current().context();
        let span = context.span();
        let span = span.span_context();
        if span.is_valid() {
            return format!(
                "00-{}-{}-{:02x}",
                span.trace_id(),
                span.span_id(),
                span.trace_flags().to_u8()
            );
        }
        if let Some(incoming) = &self.incoming {
            return incoming.to_string();
        }
        let (_, low) = self.request_id.as_u64_pair();
        format!("00-{}-{low:016x}-00", self.request_id.simple())
    }

    /// The trace that this request belongs to.
    pub(crate) fn trace_id(&self) -> String {
        self.traceparent()
            .split('-')
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    }
}

/// Whether the text is a W3C Trace Context `traceparent`. Versions after 00 may append fields.
pub(crate) fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut hex = |length: usize| {
        parts.next().filter(|part| {
            part.len() == length
                && part
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let (Some(version), Some(trace), Some(span), Some(_flags)) = (hex(2), hex(32), hex(16), hex(2))
    else {
        return false;
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let complete = text.len() == 55 || version != "00";
    version != "ff" && !is_zero(trace) && !is_zero(span) && complete && text.len() <= 256
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_checked() {
        assert!(is_traceparent(TRACEPARENT));
        assert!(is_traceparent(
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later"
        ));
        for text in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319é-b7ad6b7169203331-01",
        ] {
            assert!(!is_traceparent(text), "{text}");
        }
    }

    #[test]
    fn a_sane_request_id_is_kept_and_any_other_replaced() {
        let minted = Uuid::from_u128(7);
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(
                "x-request-id".parse().unwrap(),
                HeaderValue::from_static(text),
            )]);
            RequestContext::new(&headers, || minted, 0).request_id
        };
        let sent = "0198c0de-0000-7000-8000-000000000001";
        assert_eq!(read(sent).to_string(), sent);
        for text in ["", "x", "00000000-0000-0000-0000-000000000000", "a\"b"] {
            assert_eq!(read(text), minted);
        }
    }

    #[test]
    fn there_is_always_a_traceparent() {
        let mut context = RequestContext::new(&HeaderMap::new(), || Uuid::from_u128(7), 0);
        assert!(is_traceparent(&context.traceparent()));
        context.incoming = Some(TRACEPARENT.into());
        assert_eq!(context.traceparent(), TRACEPARENT);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    }
}
