//! Settings: every one a flag and an environment variable.

use clap::Parser;
use service_kit::config::AuthConfig;
use service_kit::service::ServiceConfig;

/// Settings of notifier.
#[derive(Clone, Debug, Parser)]
#[command(name = "notifier", version, about, after_help = service_kit::probe::HELP)]
pub struct Config {
    /// What every service has: listeners, database, sidecar, telemetry.
    #[command(flatten)]
    pub service: ServiceConfig,

    /// Who may ask.
    #[command(flatten)]
    pub auth: AuthConfig,
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
        let config = Config::try_parse_from(["notifier", "--database-url", "sqlite://notifier.db"]);
        assert!(config.is_ok());
    }
}
