//! What `docker-compose.yml` asks for: Kafka's principals and certificates and Grafana's password beside the planned secrets, and
//! files in the shapes that containers read, written anew from these each time.

use std::fs;
use std::path::Path;

use anyhow::Context;
use event_schema::App;
use serde_json::json;

use super::plan::{keep_or_make, put, put_for};
use super::random::kafka_id;
use crate::certificates::{Authority, Validity};

/// Where the compose file looks, in the repository.
pub(crate) const FOLDER: &str = "compose/secrets";
/// Environments, for the engine's client only.
const ENVIRONMENTS: &str = "env";
/// Files that containers open.
const CONTAINERS: &str = "files";

const KAFKA: &str = "kafka";
const GRAFANA: &str = "grafana";
const ADMIN: &str = "admin";
const AUTHORITY: &str = "ca.pem";
const KEY_STORE: &str = "broker.pem";
const CLUSTER: &str = "cluster-id";

/// A file that is written anew from the kept secrets.
struct Derived {
    folder: &'static str,
    name: String,
    text: String,
}

/// Every file that the compose file may name, below its folder.
pub(crate) fn derived() -> anyhow::Result<Vec<String>> {
    let all = everything(&|_, _| Ok(String::new()))?;
    let path = |file: Derived| format!("{}/{}", file.folder, file.name);
    Ok(all.into_iter().map(path).collect())
}

/// Makes what is missing, and writes what follows; says how many secrets were made.
pub(super) fn write(folder: &Path) -> anyhow::Result<usize> {
    let count = keep_or_make_others(folder)?;
    let read = |secret: &str, key: &str| {
        let path = folder.join(secret).join(key);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(text.trim_end().to_owned())
    };
    for file in everything(&read)? {
        // A container's user has another number than ours: the folder keeps others out, which only we
        // can enter.
        let mode = if file.folder == CONTAINERS {
            0o644
        } else {
            0o600
        };
        put_for(mode, folder, file.folder, &file.name, &file.text)?;
    }
    Ok(count)
}

fn keep_or_make_others(folder: &Path) -> anyhow::Result<usize> {
    let mut made = usize::from(keep_or_make(folder, GRAFANA, "password")?);
    for principal in principals() {
        made += usize::from(keep_or_make(folder, KAFKA, principal)?);
    }
    if !folder.join(KAFKA).join(CLUSTER).exists() {
        put(folder, KAFKA, CLUSTER, &kafka_id()?)?;
        made += 1;
    }
    let there = |name| folder.join(KAFKA).join(name).exists();
    if !there(AUTHORITY) || !there(KEY_STORE) {
        let authority = Authority::make()?;
        let signed = authority.sign(&["kafka", "localhost"], Validity::default())?;
        put(folder, KAFKA, AUTHORITY, authority.certificate())?;
        put(folder, KAFKA, KEY_STORE, &signed.concat())?;
        made += 2;
    }
    Ok(made)
}

fn principals() -> impl Iterator<Item = &'static str> {
    [ADMIN].into_iter().chain(App::ALL.map(App::principal))
}

/// How a kept secret is read, by its name and key.
type Read<'a> = &'a dyn Fn(&str, &str) -> anyhow::Result<String>;

fn everything(read: Read<'_>) -> anyhow::Result<Vec<Derived>> {
    let mut all = Vec::new();
    let mut add = |folder, name: String, text| all.push(Derived { folder, name, text });
    for app in App::ALL {
        let id = app.id();
        let token = |whose: &str| read(&format!("{id}-{whose}-api-token"), "token");
        let tokens = format!(
            "DAPR_API_TOKEN={}\nAPP_API_TOKEN={}\n",
            token("dapr")?,
            token("app")?
        );
        let database = |key: &str| read(&format!("{id}-database"), key);
        let service = format!("DATABASE_URL={}\n{tokens}", database("url")?);
        add(ENVIRONMENTS, id.to_owned(), service);
        add(ENVIRONMENTS, format!("{id}-daprd"), tokens);
        let owner = format!("DATABASE_URL={}\n", database("owner-url")?);
        add(ENVIRONMENTS, format!("{id}-migrate"), owner);
        add(CONTAINERS, format!("{id}-daprd.json"), sidecar(app, read)?);
        for key in ["password", "owner-password"] {
            add(CONTAINERS, format!("{id}-database-{key}"), database(key)?);
        }
    }
    let key = format!("AUTH_JWT_KEY={}\n", read("auth", "jwt-key")?);
    add(ENVIRONMENTS, "auth".to_owned(), key);
    add(
        CONTAINERS,
        "postgres-password".to_owned(),
        read("postgres", "password")?,
    );
    let password = read(GRAFANA, "password")?;
    add(CONTAINERS, "grafana-password".to_owned(), password);
    add(
        CONTAINERS,
        "kafka-ca.pem".to_owned(),
        read(KAFKA, AUTHORITY)? + "\n",
    );
    add(
        CONTAINERS,
        "kafka-broker.pem".to_owned(),
        read(KAFKA, KEY_STORE)? + "\n",
    );
    add(CONTAINERS, "kafka-format".to_owned(), format(read)?);
    add(
        CONTAINERS,
        "kafka-admin.properties".to_owned(),
        administrator(read)?,
    );
    Ok(all)
}

/// What Dapr's secret store reads.
fn sidecar(app: App, read: Read<'_>) -> anyhow::Result<String> {
    let kafka = json!({ "kafka": {
        "saslUsername": app.principal(),
        "saslPassword": read(KAFKA, app.principal())?,
        "caCert": read(KAFKA, AUTHORITY)?,
    }});
    Ok(kafka.to_string())
}

/// Arguments of `kafka-storage.sh format`, one a line, so that no password is in a list of processes.
fn format(read: Read<'_>) -> anyhow::Result<String> {
    let mut lines = vec!["--cluster-id".to_owned(), read(KAFKA, CLUSTER)?];
    for principal in principals() {
        let password = read(KAFKA, principal)?;
        lines.push("--add-scram".to_owned());
        lines.push(format!(
            "SCRAM-SHA-512=[name=\"{principal}\",password=\"{password}\"]"
        ));
    }
    Ok(lines.join("\n") + "\n")
}

fn administrator(read: Read<'_>) -> anyhow::Result<String> {
    Ok(format!(
        "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n\
         sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
         username=\"{ADMIN}\" password=\"{}\";\n\
         ssl.truststore.type=PEM\nssl.truststore.location=/run/secrets/kafka-ca.pem\n",
        read(KAFKA, ADMIN)?
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::plan;
    use super::*;

    fn made() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        folder
    }

    fn make(folder: &Path) -> usize {
        plan::write(folder, "db:5432", "").unwrap() + write(folder).unwrap()
    }

    fn text(folder: &Path, file: &str) -> String {
        fs::read_to_string(folder.join(file)).unwrap()
    }

    #[test]
    fn only_what_containers_open_is_readable_and_no_folder_can_be_entered() {
        let folder = made();
        for file in derived().unwrap() {
            let path = folder.path().join(&file);
            let bits = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let wanted = if file.starts_with(CONTAINERS) {
                0o644
            } else {
                0o600
            };
            assert_eq!(bits(&path), wanted, "{file}");
            assert_eq!(bits(path.parent().unwrap()), 0o700, "{file}");
        }
    }

    #[test]
    fn what_is_there_is_kept_and_what_follows_changes_with_its_secret() {
        let folder = made();
        let all = || {
            derived()
                .unwrap()
                .into_iter()
                .map(|file| text(folder.path(), &file))
        };
        let before: Vec<_> = all().collect();
        assert_eq!(make(folder.path()), 0);
        assert_eq!(all().collect::<Vec<_>>(), before);

        fs::remove_file(folder.path().join("kafka/notifier")).unwrap();
        assert_eq!(make(folder.path()), 1);
        let password = text(folder.path(), "kafka/notifier");
        assert!(text(folder.path(), "files/notifier-daprd.json").contains(&password));
        assert!(text(folder.path(), "files/kafka-format").contains(&password));
    }

    #[test]
    fn a_service_gets_its_own_and_only_its_own() {
        let folder = made();
        let environment = text(folder.path(), "env/notifier");
        let names: Vec<_> = environment
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["DATABASE_URL", "DAPR_API_TOKEN", "APP_API_TOKEN"]);
        let owner = text(folder.path(), "notifier-database/owner-password");
        assert!(!environment.contains(&owner));
        assert!(text(folder.path(), "env/notifier-migrate").contains(&owner));
        let sidecar = text(folder.path(), "env/notifier-daprd");
        assert!(environment.contains(&sidecar) && !sidecar.contains("DATABASE_URL"));
    }

    #[test]
    fn a_new_key_store_is_of_a_new_authority() {
        let folder = made();
        let before = text(folder.path(), "files/kafka-ca.pem");
        fs::remove_file(folder.path().join("kafka/broker.pem")).unwrap();
        make(folder.path());
        assert_ne!(text(folder.path(), "files/kafka-ca.pem"), before);
    }
}
