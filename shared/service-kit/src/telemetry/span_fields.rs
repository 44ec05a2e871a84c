//! How a span's fields are kept for the JSON log.

use std::fmt::{self, Debug, Display, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormattedFields;
use tracing_subscriber::fmt::format::{FormatFields, Writer};

/// Writes a span's fields as a JSON object, straight into the text.
///
/// Every request has a span and hardly any a log line, so this is most of what logging costs. The
/// library's own format goes through a sorted map of values. Fields that begin with `otel.` are
/// instructions to the trace's exporter and not kept.
#[derive(Debug)]
pub(super) struct SpanFields;

impl<'w> FormatFields<'w> for SpanFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        writer.write_char('{')?;
        let mut object = Object {
            writer,
            is_empty: true,
            result: Ok(()),
        };
        fields.record(&mut object);
        object.result?;
        object.writer.write_char('}')
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let closed = current.fields.pop() == Some('}');
        if !closed {
            current.fields.push('{'); // It had no fields at all.
        }
        let is_empty = current.fields.len() == 1;
        let mut object = Object {
            writer: current.as_writer(),
            is_empty,
            result: Ok(()),
        };
        fields.record(&mut object);
        object.result?;
        object.writer.write_char('}')
    }
}

/// A JSON object that is being written.
struct Object<'w> {
    writer: Writer<'w>,
    is_empty: bool,
    result: fmt::Result,
}

impl Object<'_> {
    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if field.name().starts_with("otel.") || self.result.is_err() {
            return;
        }
        let comma = if self.is_empty { "" } else { "," };
        self.is_empty = false;
        // The names of our fields need no escapes.
        let begun = write!(self.writer, "{comma}\"{}\":", field.name());
        self.result = begun.and_then(|()| value(&mut self.writer));
    }

    fn text(&mut self, field: &Field, value: impl Display) {
        self.member(field, |writer| {
            writer.write_char('"')?;
            write!(Escaped(writer), "{value}")?;
            writer.write_char('"')
        });
    }
}

impl Visit for Object<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        let number = serde_json::Value::from(value); // JSON has no infinity.
        self.member(field, |writer| write!(writer, "{number}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, format_args!("{value:?}"));
    }
}

/// Escapes what is written to it, as RFC 8259 section 7 wants of a string.
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let must_be_escaped = |char: char| matches!(char, '"' | '\\') || char < ' ';
        let mut rest = text;
        while let Some(at) = rest.find(must_be_escaped) {
            self.0.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                quoted @ (b'"' | b'\\') => write!(self.0, "\\{}", char::from(quoted))?,
                control => write!(self.0, "\\u{control:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing::field;
    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The span of the one line that is logged meanwhile.
    fn span_of_line(log: impl FnOnce()) -> Value {
        let lines = Lines::default();
        let layer = fmt::layer()
            .json()
            .with_span_list(false)
            .fmt_fields(SpanFields);
        let writer = lines.clone();
        let layer = layer.with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, log);
        let bytes = lines.0.lock().unwrap().clone();
        let line: Value = serde_json::from_slice(&bytes).unwrap();
        line["span"].clone()
    }

    #[test]
    fn every_kind_of_value_is_json() {
        let span = span_of_line(|| {
            let span = tracing::info_span!(
                "s",
                text = "a \"quoted\" \\ line\n\u{1} é",
                shown = field::display("d\"d"),
                listed = ?["x"],
                whole = -1_i64,
                big = u64::MAX,
                half = 0.5,
                endless = f64::INFINITY,
                yes = true,
                none = field::Empty,
                otel.kind = "server",
            );
            span.in_scope(|| tracing::info!("here"));
        });
        let expected = json!({
            "name": "s", "text": "a \"quoted\" \\ line\n\u{1} é", "shown": "d\"d",
            "listed": "[\"x\"]", "whole": -1, "big": u64::MAX, "half": 0.5, "endless": null,
            "yes": true,
        });
        assert_eq!(span, expected);
    }

    #[test]
    fn a_field_may_come_later() {
        let span = span_of_line(|| {
            let span = tracing::info_span!("s", early = 1, late = field::Empty);
            span.record("late", "x");
            span.in_scope(|| tracing::info!("here"));
        });
        assert_eq!(span, json!({"name": "s", "early": 1, "late": "x"}));
        let span = span_of_line(|| {
            let span = tracing::info_span!("s", late = field::Empty);
            span.record("late", 2);
            span.in_scope(|| tracing::info!("here"));
        });
        assert_eq!(span, json!({"name": "s", "late": 2}));
        let span = span_of_line(|| {
            tracing::info_span!("s").in_scope(|| tracing::info!("here"));
        });
        assert_eq!(span, json!({"name": "s"}));
    }
}
