//! `monitoring/prometheus-rule.yaml`: the alerts as an object of the Prometheus Operator.

use std::fs;
use std::path::Path;

use anyhow::Context;

pub(super) const PATH: &str = "monitoring/prometheus-rule.yaml";

const ALERTS: &str = "monitoring/alerts.yml";
const HEADER: &str = "# Written by `cargo xtask contract` from monitoring/alerts.yml. Do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: taskledger
  labels:
    app.kubernetes.io/part-of: taskledger
spec:
";

pub(super) fn text(root: &Path) -> anyhow::Result<String> {
    let alerts = fs::read_to_string(root.join(ALERTS)).context(ALERTS)?;
    Ok(HEADER.to_owned() + &indented(&alerts))
}

fn indented(alerts: &str) -> String {
    let lines = alerts.lines().filter(|line| !line.starts_with('#'));
    lines.fold(String::new(), |text, line| text + "  " + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_behind_and_the_rest_is_below_spec() {
        assert_eq!(indented("# Why.\ngroups:\n  - a\n"), "  groups:\n    - a\n");
    }
}
