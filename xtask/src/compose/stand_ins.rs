//! Stand-ins: images under the names of the compose file, of the same programs as `cargo xtask stack` runs,
//! for a machine that can pull none. They do what the file relies on and no more.

mod needs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::images::LABEL;
use super::root_fs::{RootFs, found};
use crate::cache::finished;
use crate::postgres::Binaries;
use crate::root::{cargo, say};
use crate::stack::{daprd_program, kafka_jars, target};
pub(super) use needs::check as check_needs;

const TARGET: &str = "x86_64-unknown-linux-musl";
/// As in the Dockerfile.
const PROFILE: &str = "image";
/// In the Dockerfile: here the image of a service begins.
const LAST_STAGE: &str = "FROM scratch\n";

/// Whoever builds one is not given it by us.
const LICENSES: &str = "A stand-in. `cargo xtask release files` collects the licenses.\n";

const PAUSE: &str = "#!/bin/sh\ntrap 'exit 0' TERM INT\nwhile :; do sleep 3600 & wait $!; done\n";
const POSTGRES: &str = include_str!("stand_ins/postgres.sh");
const KAFKA: [(&str, &str); 5] = [
    ("kafka-configs.sh", "kafka.admin.ConfigCommand"),
    ("kafka-server-start.sh", "kafka.Kafka"),
    ("kafka-storage.sh", "kafka.tools.StorageTool"),
    ("kafka-topics.sh", "org.apache.kafka.tools.TopicCommand"),
    ("kafka-acls.sh", "org.apache.kafka.tools.AclCommand"),
];

/// Makes the image of a part that is not ours.
pub(super) fn make(root: &Path, cache: &Path, image: &str) -> anyhow::Result<()> {
    say(&format!("compose: making a stand-in for {image}"));
    let context = tempfile::tempdir()?;
    let files = RootFs::new(&context.path().join("root"))?;
    let (repository, _) = image.split_once(':').unwrap_or((image, ""));
    let more = match repository {
        "rancher/mirrored-pause" => pause(&files)?,
        "haproxy" => haproxy(&files)?,
        "daprio/daprd" => {
            files.program(&daprd_program(root, cache)?, "/daprd")?;
            "WORKDIR /\n"
        }
        "apache/kafka" => kafka_image(&files, &kafka_jars(root, cache)?, context.path())?,
        "postgres" => postgres(&files, context.path())?,
        _ => bail!("{image} has no stand-in: it has to be pulled"),
    };
    let dockerfile = format!("FROM scratch\nLABEL {LABEL}=1\nCOPY root /\n{more}");
    build(context.path(), &dockerfile, image, &[])
}

/// Makes the images of our own binaries, by the last stage of the Dockerfile.
pub(super) fn make_ours(root: &Path, images: &[&str]) -> anyhow::Result<()> {
    let names: Vec<_> = images.iter().map(|image| package(image)).collect();
    let programs = static_programs(root, &names)?;
    let text = fs::read_to_string(root.join("Dockerfile")).context("Dockerfile")?;
    let stage = text
        .rfind(LAST_STAGE)
        .context("the Dockerfile has no last stage")?;
    let stage = text[stage..].replace("--from=build ", "");
    for (image, name) in images.iter().zip(&names) {
        let context = tempfile::tempdir()?;
        fs::copy(programs.join(name), context.path().join("service"))
            .with_context(|| format!("the program {name}"))?;
        fs::write(context.path().join("licenses.txt"), LICENSES)?;
        build(context.path(), &stage, image, &[("SERVICE", name)])?;
    }
    Ok(())
}

/// `notifier` of `taskledger/notifier:0.1.0`.
fn package(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').map_or(name, |(name, _)| name)
}

/// All in one command, so that what they share is built once.
fn static_programs(root: &Path, names: &[&str]) -> anyhow::Result<PathBuf> {
    say("compose: building static programs");
    let mut command = cargo(root);
    command.args([
        "build",
        "--locked",
        "--profile",
        PROFILE,
        "--target",
        TARGET,
    ]);
    for name in names {
        command.args(["--package", name]);
    }
    finished(
        &mut command,
        "building static programs (needs `rustup target add x86_64-unknown-linux-musl` and musl-tools)",
    )?;
    Ok(target()?.join(TARGET).join(PROFILE))
}

fn pause(files: &RootFs) -> anyhow::Result<&'static str> {
    files.shell()?;
    files.text("/pause", PAUSE)?;
    Ok("ENTRYPOINT [\"/pause\"]\n")
}

fn haproxy(files: &RootFs) -> anyhow::Result<&'static str> {
    files.shell()?;
    files.program(
        &found("haproxy", "apt-get install haproxy")?,
        "/bin/haproxy",
    )?;
    Ok("ENV PATH=/bin\n")
}

/// With a Java runtime, and the jars that Maven brings.
fn kafka_image(files: &RootFs, jars: &Path, context: &Path) -> anyhow::Result<&'static str> {
    let java = found("java", "apt-get install default-jre-headless")?;
    let home = java
        .ancestors()
        .nth(2)
        .context("java is not in a folder bin")?;
    files.shell()?;
    files.program(&java, "/opt/java/bin/java")?;
    for folder in ["conf", "lib"] {
        files.tree(&home.join(folder), &format!("/opt/java/{folder}"))?;
    }
    for library in shared_objects(&home.join("lib"))? {
        files.libraries(&library, Some(home))?;
    }
    files.tree(jars, "/opt/kafka/libs")?;
    for (script, class) in KAFKA {
        let text = format!(
            "#!/bin/sh\nexec /opt/java/bin/java $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS \
             $KAFKA_LOG4J_OPTS -cp '/opt/kafka/libs/*' {class} \"$@\"\n"
        );
        files.text(&format!("/opt/kafka/bin/{script}"), &text)?;
    }
    fs::create_dir(context.join("data"))?;
    Ok("COPY --chown=1000:1000 data /var/lib/kafka/data\nENV PATH=/bin\n")
}

/// The server's programs stay where they are, because they look for their files from there.
fn postgres(files: &RootFs, context: &Path) -> anyhow::Result<&'static str> {
    let programs = Binaries::find()?;
    files.shell()?;
    let server = fs::canonicalize(found(&programs.path("postgres").display().to_string(), "")?)?;
    let folder = server.parent().context("postgres is in no folder")?;
    for name in ["postgres", "initdb", "pg_ctl", "pg_isready", "psql"] {
        let program = folder.join(name);
        files.program(&program, &program.display().to_string())?;
        files.link(&program, &format!("/usr/local/bin/{name}"))?;
    }
    for question in ["--sharedir", "--pkglibdir"] {
        let path = ask(&folder.join("pg_config"), question)?;
        files.tree(Path::new(&path), &path)?;
    }
    let zones = Path::new("/usr/share/zoneinfo");
    if zones.exists() {
        files.tree(zones, "/usr/share/zoneinfo")?;
    }
    files.text(
        "/etc/passwd",
        "postgres:x:999:999::/var/lib/postgresql:/bin/sh\n",
    )?;
    files.text("/usr/local/bin/docker-entrypoint.sh", POSTGRES)?;
    fs::create_dir(context.join("data"))?;
    Ok("COPY --chown=999:999 data /var/lib/postgresql/data\n\
        ENV PATH=/usr/local/bin:/bin\n\
        ENTRYPOINT [\"docker-entrypoint.sh\"]\n")
}

fn ask(program: &Path, question: &str) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg(question)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(
        output.status.success(),
        "{} {question} failed",
        program.display()
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn shared_objects(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(shared_objects(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "so") {
            found.push(path);
        }
    }
    Ok(found)
}

/// By the engine's own builder: nothing here needs more, and not every client has `BuildKit`.
fn build(
    context: &Path,
    dockerfile: &str,
    image: &str,
    arguments: &[(&str, &str)],
) -> anyhow::Result<()> {
    fs::write(context.join("Dockerfile"), dockerfile)?;
    let mut command = Command::new("docker");
    command.env("DOCKER_BUILDKIT", "0");
    command.args(["build", "--quiet", "--tag", image]);
    for (name, value) in arguments {
        command.args(["--build-arg", &format!("{name}={value}")]);
    }
    let output = command.arg(context).output().context("cannot run docker")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "building {image}: {said}");
    Ok(())
}
