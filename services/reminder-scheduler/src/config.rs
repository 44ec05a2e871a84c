//! Settings: every one a flag and an environment variable.

use clap::Parser;
use service_kit::service::ServiceConfig;

/// Settings of reminder-scheduler.
#[derive(Clone, Debug, Parser)]
#[command(name = "reminder-scheduler", version, about, after_help = service_kit::probe::HELP)]
pub struct Config {
    /// What every service has: listeners, database, sidecar, telemetry.
    #[command(flatten)]
    pub service: ServiceConfig,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_do_not_collide() {
        Config::command().debug_assert();
    }

    #[test]
    fn only_the_database_must_be_named() {
        let config = Config::try_parse_from([
            "reminder-scheduler",
            "--database-url",
            "sqlite://reminders.db",
        ]);
        assert!(config.is_ok());
    }
}
