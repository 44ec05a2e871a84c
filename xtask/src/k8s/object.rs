//! Objects of a rendered overlay, as a rule asks about them.

use anyhow::Context;
use serde_json::Value;

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) body: Value,
}

impl Object {
    /// Every object of a YAML text.
    pub(super) fn parse(text: &str) -> anyhow::Result<Vec<Self>> {
        let bodies: Vec<Value> = serde_saphyr::from_multiple(text)?;
        bodies.into_iter().map(Self::of).collect()
    }

    fn of(body: Value) -> anyhow::Result<Self> {
        let text = |pointer| {
            let value = body.pointer(pointer).and_then(Value::as_str);
            value
                .map(str::to_owned)
                .with_context(|| format!("an object has no {pointer}: {body}"))
        };
        Ok(Self {
            api_version: text("/apiVersion")?,
            kind: text("/kind")?,
            name: text("/metadata/name")?,
            body,
        })
    }

    /// How findings call it.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// The text at a place; empty when there is none.
    pub(super) fn text(&self, pointer: &str) -> &str {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// The items at a place; none when there is no list.
    pub(super) fn items(&self, pointer: &str) -> &[Value] {
        let value = self.body.pointer(pointer).and_then(Value::as_array);
        value.map_or(&[], Vec::as_slice)
    }

    /// What its pods are made of.
    pub(super) fn pod(&self) -> Option<&Value> {
        self.body.pointer("/spec/template/spec")
    }

    /// An annotation of its pods.
    pub(super) fn annotation(&self, name: &str) -> &str {
        let annotations = self.body.pointer("/spec/template/metadata/annotations");
        let value = annotations.and_then(|all| all.get(name)?.as_str());
        value.unwrap_or_default()
    }
}

/// The objects of a kind.
pub(super) fn of_kind<'a>(objects: &'a [Object], kind: &str) -> impl Iterator<Item = &'a Object> {
    objects.iter().filter(move |object| object.kind == kind)
}

/// The object of this kind and name.
pub(super) fn named<'a>(objects: &'a [Object], kind: &str, name: &str) -> Option<&'a Object> {
    of_kind(objects, kind).find(|object| object.name == name)
}
