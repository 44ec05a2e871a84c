//! `docker-compose.yml` as a rule asks about it, anchors and merges resolved.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

pub(super) const PATH: &str = "docker-compose.yml";

/// The file.
#[derive(Clone, Debug)]
pub(super) struct ComposeFile {
    pub(super) body: Value,
}

impl ComposeFile {
    /// The one of the repository.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(root.join(PATH)).context(PATH)?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let body = serde_saphyr::from_str(text).context(PATH)?;
        Ok(Self { body })
    }

    /// Every service by its name.
    pub(super) fn services(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.body["services"].as_object().into_iter().flatten();
        all.map(|(name, service)| (name.as_str(), service))
    }

    /// The services that are always there: not those that do one thing, or that a profile brings.
    pub(super) fn lasting(&self) -> Vec<&str> {
        let lasts = |service: &Value| {
            service["restart"] == "unless-stopped" && service.get("profiles").is_none()
        };
        let all = self.services().filter(|(_, service)| lasts(service));
        all.map(|(name, _)| name).collect()
    }

    /// A service; `Null` when there is none of this name.
    pub(super) fn service(&self, name: &str) -> &Value {
        &self.body["services"][name]
    }

    /// A secret's file, as the file says it.
    pub(super) fn secret_file(&self, name: &str) -> Option<&str> {
        self.body["secrets"][name]["file"].as_str()
    }
}

/// The items of a list as text; one text is a list of one.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A text with each `${NAME:-default}` as it is when nobody sets the variable.
pub(super) fn with_defaults(text: &str) -> String {
    let Some((before, rest)) = text.split_once("${") else {
        return text.to_owned();
    };
    let Some((variable, after)) = rest.split_once('}') else {
        return text.to_owned();
    };
    let default = variable.split_once(":-").map_or("", |(_, default)| default);
    format!("{before}{default}{}", with_defaults(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_and_merges_are_resolved() {
        let text = "x-base: &base {a: 1, b: 1}\nservices:\n  one: {<<: *base, b: 2}\n";
        let file = ComposeFile::parse(text).unwrap();
        assert_eq!(*file.service("one"), serde_json::json!({"a": 1, "b": 2}));
        assert_eq!(*file.service("two"), Value::Null);
    }

    #[test]
    fn a_variable_is_its_default() {
        let text = "taskledger/notifier:${VERSION:-0.1.0}";
        assert_eq!(with_defaults(text), "taskledger/notifier:0.1.0");
        assert_eq!(with_defaults("a:${B}-${C:-d}"), "a:-d");
        assert_eq!(with_defaults("postgres:17.6"), "postgres:17.6");
    }
}
