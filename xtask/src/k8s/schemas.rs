//! Schemas of everything that we apply, from published packages: Kubernetes' from `PyPI`, Strimzi's written
//! by its own generator from its own model (Maven), Dapr's from the module that the tests build daprd of.

mod fetch;
mod strict;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use jsonschema::Validator;
use serde_json::Value;

use super::object::Object;

/// The oldest version that Strimzi runs on, and the newest that the package has.
pub(super) const KUBERNETES: [&str; 2] = ["1.30", "1.37"];

/// What comparing has brought.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Objects times versions.
    pub(super) count: usize,
    pub(super) findings: Vec<String>,
}

/// Where schemas are.
#[derive(Debug)]
pub(super) struct Schemas {
    kubernetes: PathBuf,
    /// By `apiVersion/kind`.
    custom: BTreeMap<String, Value>,
    /// What the schemas of a version of Kubernetes share.
    shared: BTreeMap<&'static str, Value>,
}

/// The validators of a kind, by what they stand for.
type Validators = Vec<(String, Validator)>;

impl Schemas {
    /// Finds them, and fetches what is missing into the cache.
    pub(super) fn prepare(root: &Path, cache: &Path) -> anyhow::Result<Self> {
        let fetched = fetch::prepare(root, cache)?;
        let mut custom = BTreeMap::new();
        for file in fetched.definitions {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            for definition in Object::parse(&text)? {
                custom.extend(strict::schemas(&definition.body));
            }
        }
        let mut schemas = Self {
            kubernetes: fetched.kubernetes,
            custom,
            shared: BTreeMap::new(),
        };
        for version in KUBERNETES {
            let mut shared = read(&schemas.folder(version).join("_definitions.json"))?;
            schemas.shared.insert(version, shared["$defs"].take());
        }
        Ok(schemas)
    }

    /// Everything in which the objects differ from their schemas.
    pub(super) fn findings(&self, objects: &[Object]) -> anyhow::Result<Comparison> {
        let mut comparison = Comparison::default();
        let mut by_kind: BTreeMap<String, Validators> = BTreeMap::new();
        for object in objects {
            let key = format!("{}/{}", object.api_version, object.kind);
            if !by_kind.contains_key(&key) {
                by_kind.insert(key.clone(), self.validators(&key, object)?);
            }
            for (version, validator) in by_kind.get(&key).into_iter().flatten() {
                comparison.count += 1;
                for error in validator.iter_errors(&object.body) {
                    comparison.findings.push(format!(
                        "{}: {}: {error} ({version})",
                        object.title(),
                        error.instance_path()
                    ));
                }
            }
        }
        Ok(comparison)
    }

    /// An object without a schema is an error: its kind may be misspelled.
    fn validators(&self, key: &str, object: &Object) -> anyhow::Result<Validators> {
        if let Some(schema) = self.custom.get(key) {
            let validator = compiled(schema).with_context(|| key.to_owned())?;
            return Ok(vec![(object.api_version.clone(), validator)]);
        }
        let all = KUBERNETES.map(|version| {
            let schema = read(&self.file(version, object)).with_context(|| {
                format!(
                    "{}: there is no schema of {key} in {version}",
                    object.title()
                )
            });
            let mut schema = schema?;
            schema["$defs"] = self.shared[version].clone();
            let validator = compiled(&schema).with_context(|| key.to_owned())?;
            Ok((format!("Kubernetes {version}"), validator))
        });
        all.into_iter().collect()
    }

    fn folder(&self, version: &str) -> PathBuf {
        self.kubernetes.join(format!("v{version}.0-local-strict"))
    }

    /// `deployment-apps-v1.json`, `service-v1.json`, `ingress-networking-v1.json`.
    fn file(&self, version: &str, object: &Object) -> PathBuf {
        let group = match object.api_version.split_once('/') {
            Some((group, version)) => {
                let group = group.split('.').next().unwrap_or_default();
                format!("{group}-{version}")
            }
            None => object.api_version.clone(),
        };
        let name = format!("{}-{group}.json", object.kind.to_lowercase());
        self.folder(version).join(name)
    }
}

/// The package's schemas refer to a file of theirs, which is made a part of each here.
fn read(file: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_str(
        &text.replace("/api/_definitions.json#", "#"),
    )?)
}

fn compiled(schema: &Value) -> anyhow::Result<Validator> {
    jsonschema::validator_for(schema)
        .map_err(|error| anyhow::anyhow!("a schema is broken: {error}"))
}
