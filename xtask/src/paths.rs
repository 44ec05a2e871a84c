//! Which service has which public paths: `compose/gateway/paths.map`, the one table. The gateway of compose
//! reads it as it is, and whoever routes elsewhere is compared with it.

use std::path::Path;

use anyhow::Context;

pub(crate) const TABLE: &str = "compose/gateway/paths.map";
/// Who has all other paths.
pub(crate) const DEFAULT: &str = "task-api";

/// Each prefix and the service that has it.
pub(crate) fn table(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(root.join(TABLE)).context(TABLE)?;
    parse(&text)
}

fn parse(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let (prefix, service) = line
            .split_once(' ')
            .with_context(|| format!("{TABLE}: {line:?} is not a path and a service"))?;
        Ok((prefix.to_owned(), service.to_owned()))
    };
    lines.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_prefix_and_a_service() {
        let found = parse("# why\n/v1/a one\n/v1/b two\n").unwrap();
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(found, [pair("/v1/a", "one"), pair("/v1/b", "two")]);
        assert!(parse("/v1/a\n").is_err());
    }
}
