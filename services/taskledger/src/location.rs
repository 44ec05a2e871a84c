//! Where the ledgers are that an operator's command looks at.

use std::path::PathBuf;

use clap::Args;
use database::{Config, Database, MigrateMode, MigrationSet};
use event_schema::App;
use secrecy::{ExposeSecret, SecretString};

use crate::data_directory;

/// A directory of the suite, which holds the ledgers of all services, or the database of one of them.
#[derive(Clone, Debug, Args)]
pub struct Location {
    /// Directory of the suite.
    #[arg(long, env = "TASKLEDGER_DATA_DIR", default_value = "./taskledger-data")]
    pub data_dir: PathBuf,

    /// Instead of a directory the database of the service that --service names: `postgres://…` or
    /// `sqlite://path/to/file`.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        conflicts_with = "data_dir"
    )]
    pub database_url: Option<SecretString>,
}

impl Location {
    /// All services whose ledgers are here, or the one that was named.
    pub(crate) fn services(&self, wanted: Option<&str>) -> anyhow::Result<Vec<App>> {
        match wanted {
            Some(name) => Ok(vec![service(name)?]),
            None if self.database_url.is_none() => Ok(App::ALL.to_vec()),
            None => anyhow::bail!(
                "a database is that of one service: name it with --service; the services are {}",
                names()
            ),
        }
    }

    /// The database of a service, which may be running. It is opened as it is: nothing is created and
    /// no migration applied.
    pub(crate) async fn open(&self, service: App) -> anyhow::Result<Database> {
        let config = Config {
            database_migrate: MigrateMode::Check,
            ..Config::for_url(self.url(service)?)
        };
        Ok(Database::connect(&config, &migrations(service)).await?)
    }

    fn url(&self, service: App) -> anyhow::Result<String> {
        if let Some(url) = &self.database_url {
            return Ok(url.expose_secret().to_owned());
        }
        let file = data_directory::database_file(&self.data_dir, service);
        if !file.exists() {
            anyhow::bail!(
                "there is no ledger of {} in {}: start the suite there first, or name its directory with \
                 --data-dir or its database with --database-url",
                service.id(),
                self.data_dir.display()
            );
        }
        Ok(data_directory::sqlite_url(&file))
    }
}

/// What makes the tables of a service.
pub(crate) fn migrations(service: App) -> Vec<MigrationSet> {
    let mut sets = vec![event_store::MIGRATIONS];
    match service {
        App::TaskApi => sets.push(task_api::store::MIGRATIONS),
        App::Notifier => sets.push(notifier::store::MIGRATIONS),
        App::ReminderScheduler => sets.push(reminder_scheduler::store::MIGRATIONS),
        App::RecurringGenerator => {}
    }
    sets
}

/// The service of this app id.
pub(crate) fn service(name: &str) -> anyhow::Result<App> {
    let Some(app) = App::from_id(name) else {
        anyhow::bail!("there is no service {name}; the services are {}", names())
    };
    Ok(app)
}

fn names() -> String {
    App::ALL.map(App::id).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(database_url: Option<&str>) -> Location {
        Location {
            data_dir: PathBuf::from("/nowhere"),
            database_url: database_url.map(SecretString::from),
        }
    }

    #[test]
    fn a_directory_holds_all_services_and_a_database_one() {
        assert_eq!(location(None).services(None).unwrap(), App::ALL);
        let database = location(Some("postgres://host/db"));
        let refused = database.services(None).unwrap_err().to_string();
        assert!(refused.contains("--service"), "{refused}");
        assert_eq!(
            database.services(Some("notifier")).unwrap(),
            [App::Notifier]
        );
        let refused = database.services(Some("tasks")).unwrap_err().to_string();
        assert!(refused.contains("no service tasks"), "{refused}");
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_created() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("task-api.db");
        let url = format!("sqlite://{}", file.display());

        let refused = location(Some(&url)).open(App::TaskApi).await;

        assert!(refused.is_err() && !file.exists(), "{refused:?}");
        assert!(location(None).open(App::TaskApi).await.is_err());
    }
}
