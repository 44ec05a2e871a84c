//! What is watched exists: every metric that `monitoring` names is in docs/monitoring.md and in the code, and
//! every alert has its section there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::finding::Finding;
use super::tree::{Tree, has_extension};

const FOLDER: &str = "monitoring/";
const ALERTS: &str = "monitoring/alerts.yml";
const DOCS: &str = "docs/monitoring.md";
/// Measured by others: Prometheus, Strimzi's exporter, daprd.
const FOREIGN: [&str; 4] = [
    "dapr_component_pubsub_egress_count",
    "dapr_component_pubsub_ingress_count",
    "kafka_consumergroup_lag",
    "up",
];
/// Between expressions.
const KEYWORDS: [&str; 3] = ["and", "or", "unless"];
/// What Prometheus' way of writing adds to a name.
const ENDINGS: [&str; 3] = ["_total", "_seconds", "_bytes"];
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_count", "_sum"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(docs) = tree.text(DOCS) else {
        return Vec::new();
    };
    let measured = measured(tree);
    let documented: BTreeSet<_> = quoted(docs).collect();
    let mut findings = Vec::new();
    let watching = tree.texts().filter(|(path, _)| {
        path.starts_with(FOLDER) && (has_extension(path, "json") || has_extension(path, "yml"))
    });
    for (path, text) in watching {
        for metric in watched(text) {
            let is_foreign = FOREIGN.contains(&metric.as_str());
            let name = if is_foreign {
                metric.as_str()
            } else {
                without(&metric, &OF_HISTOGRAMS)
            };
            if !documented.contains(name) {
                findings.push(Finding::of(
                    path,
                    format!("say in {DOCS} what {name} tells"),
                ));
            }
            let base = without(name, &ENDINGS);
            if !is_foreign && !measured.contains(base) {
                findings.push(Finding::of(path, format!("nothing measures {name}")));
            }
        }
    }
    let sections = docs.lines().filter_map(|line| line.strip_prefix("### "));
    let sections: BTreeSet<_> = sections.map(str::to_owned).collect();
    let alerts = alerts(tree.text(ALERTS).unwrap_or_default());
    for alert in alerts.symmetric_difference(&sections) {
        findings.push(Finding::of(
            DOCS,
            format!("{alert} has to be an alert and a section `### {alert}`"),
        ));
    }
    findings
}

/// `relay_lag` of `"relay.lag"`, wherever it stands in the code of services and shared crates.
fn measured(tree: &Tree) -> BTreeSet<String> {
    let code = tree
        .texts()
        .filter(|(path, _)| has_extension(path, "rs") && !path.starts_with("xtask/"));
    let texts = code.flat_map(|(_, text)| text.split('"'));
    let names = texts.filter(|text| {
        text.contains('.')
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'.' | b'_'))
    });
    names.map(|name| name.replace('.', "_")).collect()
}

fn quoted(docs: &str) -> impl Iterator<Item = &str> {
    docs.split('`').skip(1).step_by(2)
}

fn without<'a>(name: &'a str, endings: &[&str]) -> &'a str {
    let cut = endings.iter().find_map(|ending| name.strip_suffix(ending));
    cut.unwrap_or(name)
}

fn alerts(text: &str) -> BTreeSet<String> {
    let lines = text
        .lines()
        .map(|line| line.trim().trim_start_matches("- "));
    let names = lines.filter_map(|line| line.strip_prefix("alert: "));
    names.map(str::to_owned).collect()
}

/// The metrics of every `expr` of a YAML or JSON text.
fn watched(text: &str) -> BTreeSet<String> {
    let mut expressions = Vec::new();
    if let Ok(body) = serde_saphyr::from_str::<Value>(text) {
        collect(&body, &mut expressions);
    }
    expressions.iter().flat_map(|text| metrics(text)).collect()
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => {
            for (field, value) in fields {
                match value.as_str() {
                    Some(text) if field == "expr" => found.push(text.to_owned()),
                    _ => collect(value, found),
                }
            }
        }
        _ => {}
    }
}

/// Words that are no function, no label, no duration and no keyword.
fn metrics(expression: &str) -> Vec<String> {
    let mut plain = expression.to_owned();
    for (open, close) in [('{', '}'), ('[', ']')] {
        plain = outside(&plain, open, close);
    }
    for grouping in ["by (", "without ("] {
        while let Some((before, after)) = plain.clone().split_once(grouping) {
            let (_, after) = after.split_once(')').unwrap_or_default();
            plain = format!("{before} {after}");
        }
    }
    let is_word = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    let mut found = Vec::new();
    let mut rest = plain.as_str();
    while let Some(start) = rest.find(is_word) {
        let word = &rest[start..];
        let end = word.find(|byte| !is_word(byte)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let is_function = after.trim_start().starts_with('(');
        let is_name = word.starts_with(|first: char| first.is_ascii_lowercase());
        if is_name && !is_function && !KEYWORDS.contains(&word) {
            found.push(word.to_owned());
        }
        rest = after;
    }
    found
}

fn outside(text: &str, open: char, close: char) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for letter in text.chars() {
        if letter == open {
            depth += 1;
        } else if letter == close {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            kept.push(letter);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPRESSION: &str = r#"histogram_quantile(0.99, sum by (service, le) (rate(relay_lag_seconds_bucket{ack!="a_b"}[$__rate_interval]))) > 1 and up == 0"#;

    fn tree(alert: &str, docs: &str, code: &str) -> Tree {
        let rules = format!("rules:\n  - alert: Late\n    expr: '{alert}'\n");
        Tree::from([
            (ALERTS, rules.as_str()),
            (DOCS, docs),
            ("shared/a/src/metrics.rs", code),
        ])
    }

    fn advice(tree: &Tree) -> Vec<String> {
        check(tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn metrics_are_found_among_functions_and_labels() {
        assert_eq!(metrics(EXPRESSION), ["relay_lag_seconds_bucket", "up"]);
    }

    #[test]
    fn a_metric_that_nobody_measures_or_explains_is_found() {
        let docs = "`relay_lag_seconds` `up`\n### Late\n";
        let (alert, code) = ("relay_lag_seconds_bucket > up", r#"meter("relay.lag")"#);
        assert_eq!(advice(&tree(alert, docs, code)), Vec::<String>::new());
        let measured = advice(&tree(alert, docs, r#"meter("relay.late")"#));
        assert_eq!(measured.len(), 1, "{measured:?}");
        assert!(measured[0].contains("nothing measures relay_lag_seconds"));
        let explained = advice(&tree(alert, "`up`\n### Late\n", code));
        assert!(explained[0].contains("what relay_lag_seconds tells"));
    }

    #[test]
    fn an_alert_without_a_section_and_a_section_without_an_alert_are_found() {
        let docs = "`up`\n### Later\n";
        assert_eq!(advice(&tree("up", docs, "")).len(), 2);
    }
}
