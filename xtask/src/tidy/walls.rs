//! Who may use whom, from `cargo metadata`: the walls between the crates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::finding::Finding;

/// A package of the workspace and what it uses of ours.
#[derive(Debug)]
pub(super) struct Package {
    name: String,
    manifest: String,
    normal: BTreeSet<String>,
    dev: BTreeSet<String>,
}

const SERVICES: [&str; 4] = [
    "task-api",
    "reminder-scheduler",
    "recurring-generator",
    "notifier",
];

/// Every crate that services stand on, in the order in which they build on each other.
const SHARED: [&str; 10] = [
    "event-schema",
    "recurrence",
    "slots",
    "reminder-plan",
    "clock",
    "database",
    "dapr-client",
    "event-store",
    "service-kit",
    "local-sidecar",
];

/// What each package may use of ours outside of tests; `None` for a package without a rule.
fn allowed(package: &str) -> Option<Vec<&'static str>> {
    Some(match package {
        "event-schema" | "recurrence" | "clock" | "database" => vec![],
        "dapr-client" | "xtask" => vec!["event-schema"],
        "slots" | "reminder-plan" => vec!["event-schema", "recurrence"],
        "event-store" => vec!["event-schema", "clock", "database", "dapr-client"],
        "service-kit" => {
            vec![
                "event-schema",
                "clock",
                "database",
                "dapr-client",
                "event-store",
            ]
        }
        "local-sidecar" => vec!["event-schema", "clock", "database"],
        "test-support" => SHARED.to_vec(),
        "suite-tests" => [SHARED.as_slice(), &["test-support", "taskledger"]].concat(),
        "taskledger" => [SHARED.as_slice(), &SERVICES].concat(),
        // Measures the real stack as the suite's tests find it.
        "bench" => [SHARED.as_slice(), &SERVICES, &["suite-tests", "taskledger"]].concat(),
        service if SERVICES.contains(&service) => SHARED.to_vec(),
        _ => return None,
    })
}

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages
        .iter()
        .flat_map(|package| check_package(packages, package))
        .collect()
}

fn check_package(packages: &[Package], package: &Package) -> Vec<Finding> {
    let Package { name, manifest, .. } = package;
    let Some(allowed) = allowed(name) else {
        let advice = format!("{name} has no rule: say in xtask/src/tidy/walls.rs what it may use");
        return vec![Finding::of(manifest, advice)];
    };
    let mut found = Vec::new();
    for used in package
        .normal
        .iter()
        .filter(|used| !allowed.contains(&used.as_str()))
    {
        found.push(Finding::of(
            manifest,
            format!("{name} must not use {used}; it may use {allowed:?}"),
        ));
    }
    for used in package.dev.iter().filter(|used| *used != name) {
        if SERVICES.contains(&used.as_str()) && !allowed.contains(&used.as_str()) {
            let advice =
                format!("the tests of {name} must not use {used}: services meet over HTTP only");
            found.push(Finding::of(manifest, advice));
        } else if stands_on(packages, used, name) {
            let advice = format!(
                "{used} is built on {name}: as a dev-dependency it would bring a second copy of it"
            );
            found.push(Finding::of(manifest, advice));
        }
    }
    found
}

/// Whether the package `upper` stands on `lower`, directly or through others.
fn stands_on(packages: &[Package], upper: &str, lower: &str) -> bool {
    let by_name: BTreeMap<&str, &Package> = packages
        .iter()
        .map(|package| (package.name.as_str(), package))
        .collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![upper];
    while let Some(package) = open.pop() {
        if package == lower {
            return true;
        }
        if seen.insert(package) {
            let next = by_name
                .get(package)
                .into_iter()
                .flat_map(|package| &package.normal);
            open.extend(next.map(String::as_str));
        }
    }
    false
}

/// The packages of the workspace, as cargo sees them.
pub(super) fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    parse(root, &metadata).context("cargo metadata has another shape than expected")
}

fn parse(root: &Path, metadata: &Value) -> Option<Vec<Package>> {
    let packages = metadata.get("packages")?.as_array()?;
    packages
        .iter()
        .map(|package| parse_package(root, package))
        .collect()
}

fn parse_package(root: &Path, package: &Value) -> Option<Package> {
    let manifest = Path::new(package.get("manifest_path")?.as_str()?);
    let manifest = manifest
        .strip_prefix(root)
        .unwrap_or(manifest)
        .display()
        .to_string();
    let (mut normal, mut dev) = (BTreeSet::new(), BTreeSet::new());
    // A dependency of ours is one with a path.
    let dependencies = package.get("dependencies")?.as_array()?.iter();
    for dependency in dependencies.filter(|dependency| dependency.get("path").is_some()) {
        let name = dependency.get("name")?.as_str()?.to_owned();
        let is_dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
        if is_dev {
            dev.insert(name)
        } else {
            normal.insert(name)
        };
    }
    Some(Package {
        name: package.get("name")?.as_str()?.to_owned(),
        manifest,
        normal,
        dev,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, normal: &[&str], dev: &[&str]) -> Package {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Package {
            name: name.to_owned(),
            manifest: format!("{name}/Cargo.toml"),
            normal: set(normal),
            dev: set(dev),
        }
    }

    fn found(packages: &[Package]) -> Vec<String> {
        check(packages).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_walls_as_designed_are_fine() {
        let packages = [
            package("event-schema", &[], &[]),
            package(
                "event-store",
                &["event-schema", "clock", "database", "dapr-client"],
                &["event-store"],
            ),
            package(
                "task-api",
                &["event-store", "recurrence"],
                &["test-support", "local-sidecar"],
            ),
            package(
                "taskledger",
                &["task-api", "notifier", "local-sidecar"],
                &["test-support"],
            ),
            package("test-support", &["event-store"], &[]),
        ];
        assert_eq!(found(&packages), Vec::<String>::new());
    }

    #[test]
    fn each_wall_holds() {
        for (name, used) in [
            ("event-schema", "clock"),
            ("database", "event-schema"),
            ("dapr-client", "service-kit"),
            ("event-store", "service-kit"),
            ("service-kit", "recurrence"),
            ("local-sidecar", "dapr-client"),
            ("task-api", "notifier"),
            ("task-api", "test-support"),
            ("task-api", "taskledger"),
            ("test-support", "task-api"),
            ("xtask", "database"),
        ] {
            let found = found(&[package(name, &[used], &[])]);
            assert_eq!(found.len(), 1, "{name} → {used}: {found:?}");
        }
    }

    #[test]
    fn a_service_is_not_tested_with_another_service() {
        assert_eq!(found(&[package("task-api", &[], &["notifier"])]).len(), 1);
    }

    #[test]
    fn a_dev_dependency_must_not_stand_on_its_user() {
        let packages = [
            package("clock", &[], &["test-support"]),
            package("event-store", &["clock"], &[]),
            package("test-support", &["event-store"], &[]),
        ];
        assert_eq!(found(&packages).len(), 1);
    }

    #[test]
    fn a_package_without_a_rule_is_found() {
        assert_eq!(found(&[package("novelty", &[], &[])]).len(), 1);
    }

    #[test]
    fn metadata_is_read_by_kind_and_path() {
        let metadata = serde_json::json!({ "packages": [{
            "name": "a",
            "manifest_path": "/root/a/Cargo.toml",
            "dependencies": [
                { "name": "b", "kind": null, "path": "/root/b" },
                { "name": "c", "kind": "dev", "path": "/root/c" },
                { "name": "d", "kind": "build", "path": "/root/d" },
                { "name": "serde", "kind": null }
            ]
        }]});

        let packages = parse(Path::new("/root"), &metadata).unwrap();

        assert_eq!(packages[0].manifest, "a/Cargo.toml");
        assert_eq!(packages[0].normal, ["b", "d"].map(str::to_owned).into());
        assert_eq!(packages[0].dev, ["c"].map(str::to_owned).into());
    }
}
