//! Which secrets there are, and what each key holds.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::Context;
use event_schema::App;

use super::random;

/// A secret by its name on Kubernetes, and its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedSecret {
    pub(crate) name: String,
    pub(crate) keys: &'static [&'static str],
}

/// Everything that `write` makes. Kafka's passwords and certificates are made by who runs Kafka.
pub(crate) fn planned() -> Vec<PlannedSecret> {
    let mut all = Vec::new();
    let mut plan = |name: String, keys| all.push(PlannedSecret { name, keys });
    for app in App::ALL {
        plan(format!("{}-dapr-api-token", app.id()), &["token"]);
        plan(format!("{}-app-api-token", app.id()), &["token"]);
        let keys = &["password", "owner-password", "role", "url", "owner-url"];
        plan(database(app), keys);
    }
    plan("auth".to_owned(), &["jwt-key"]);
    plan("postgres".to_owned(), &["password"]);
    all
}

/// Makes what is missing and leaves the rest as it is; says how many files were made.
pub(super) fn write(folder: &Path, postgres: &str, options: &str) -> anyhow::Result<usize> {
    let mut made = 0;
    for secret in planned() {
        for key in secret.keys {
            if *key == "role" || key.ends_with("url") {
                continue;
            }
            made += usize::from(keep_or_make(folder, &secret.name, key)?);
        }
    }
    for app in App::ALL {
        let (name, role) = (database(app), app.id().replace('-', "_"));
        put(folder, &name, "role", &role)?;
        for (key, role, password) in [
            ("url", role.clone(), "password"),
            ("owner-url", format!("{role}_owner"), "owner-password"),
        ] {
            let path = folder.join(&name).join(password);
            let password = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let database = app.id().replace('-', "_");
            let question = if options.is_empty() { "" } else { "?" };
            let url =
                format!("postgres://{role}:{password}@{postgres}/{database}{question}{options}");
            put(folder, &name, key, &url)?;
        }
    }
    Ok(made)
}

fn database(app: App) -> String {
    format!("{}-database", app.id())
}

pub(super) fn keep_or_make(folder: &Path, name: &str, key: &str) -> anyhow::Result<bool> {
    if folder.join(name).join(key).exists() {
        return Ok(false);
    }
    put(folder, name, key, &random::secret()?)?;
    Ok(true)
}

/// For the eyes of its owner, from its first byte on.
pub(super) fn put(folder: &Path, name: &str, key: &str, text: &str) -> anyhow::Result<()> {
    put_for(0o600, folder, name, key, text)
}

/// As `put`, for whom the file's own mode lets; its folder is for its owner in any case.
pub(super) fn put_for(
    mode: u32,
    folder: &Path,
    name: &str,
    key: &str,
    text: &str,
) -> anyhow::Result<()> {
    let folder = folder.join(name);
    let path = folder.join(key);
    let written = || {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        let mut file = options.open(&path)?;
        // Whatever the umask leaves of it.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())
    };
    written().with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_planned_is_made_for_its_owner_only_and_kept() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("secrets");

        let made = write(&folder, "db:5432", "").unwrap();

        assert_eq!(made, 4 * 4 + 2);
        for secret in planned() {
            for key in secret.keys {
                let file = folder.join(&secret.name).join(key);
                let permissions = fs::metadata(&file).unwrap().permissions();
                assert_eq!(permissions.mode() & 0o077, 0, "{}", file.display());
            }
        }
        let token = folder.join("notifier-dapr-api-token/token");
        let before = fs::read(&token).unwrap();
        assert_eq!(write(&folder, "db:5432", "").unwrap(), 0);
        assert_eq!(fs::read(&token).unwrap(), before);
    }

    #[test]
    fn an_address_names_role_password_and_database() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "db:5432", "sslmode=require").unwrap();
        let read = |key: &str| fs::read_to_string(root.path().join("task-api-database").join(key));
        let (password, owner) = (read("password").unwrap(), read("owner-password").unwrap());

        assert_ne!(password, owner);
        let expected = format!("postgres://task_api:{password}@db:5432/task_api?sslmode=require");
        assert_eq!(read("url").unwrap(), expected);
        let expected =
            format!("postgres://task_api_owner:{owner}@db:5432/task_api?sslmode=require");
        assert_eq!(read("owner-url").unwrap(), expected);
    }
}
