//! The command line: every setting a flag and an environment variable.

mod dead_letters;
mod relay;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use secrecy::SecretString;
use service_kit::config::{AuthConfig, LogFormat, TelemetryConfig};

use crate::location::Location;
pub use dead_letters::{
    ChoiceConfig, DeadLettersCommand, DropConfig, FilterConfig, ListConfig, ReplayConfig,
    ShowConfig, When,
};
pub use relay::{ParkedConfig, RelayCommand, ReleaseConfig};

/// Tasks, recurring series, reminders and notifications, every change kept as an event.
///
/// Without a subcommand it runs the whole suite on this machine.
#[derive(Debug, Parser)]
#[command(name = "taskledger", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    up: UpConfig,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the whole suite on this machine (the default).
    Up(Box<UpConfig>),
    /// Asks the running suite whether it can work: exits 0, or 1 with one line that says why not.
    Health(HealthConfig),
    /// Looks at the events that the services tell each other.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Looks after the ledgers of the services.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Looks after events that could not be processed.
    #[command(subcommand)]
    DeadLetters(Box<DeadLettersCommand>),
    /// Looks after keys whose events the sidecar refuses for good.
    #[command(subcommand)]
    Relay(RelayCommand),
}

/// Where the suite is asked.
#[derive(Clone, Debug, Args)]
pub struct HealthConfig {
    /// Address of the suite's /readyz; on loopback that is its public address.
    #[arg(long, env = "TASKLEDGER_OPS_LISTEN", default_value = "127.0.0.1:8080", value_parser = resolve)]
    pub ops_listen: SocketAddr,
}

/// How the suite runs.
#[derive(Clone, Debug, Args)]
pub struct UpConfig {
    /// Address of the REST interface of all services, with a number or a name as the host.
    #[arg(long, env = "TASKLEDGER_LISTEN", default_value = "127.0.0.1:8080", value_parser = resolve)]
    pub listen: SocketAddr,

    /// Directory of everything the suite keeps. Only one suite at a time uses it.
    #[arg(long, env = "TASKLEDGER_DATA_DIR", default_value = "./taskledger-data")]
    pub data_dir: PathBuf,

    /// Address of /healthz, /readyz and /metrics. On loopback they are on the public address too.
    #[arg(long, env = "TASKLEDGER_OPS_LISTEN", value_parser = resolve)]
    pub ops_listen: Option<SocketAddr>,

    /// What to log, as comma-separated directives such as `info,sqlx=warn`.
    #[arg(long, env = "RUST_LOG", default_value = "warn")]
    pub log_filter: String,

    /// Form of the log: `auto` is pretty on a terminal and JSON elsewhere.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,

    /// Address of an OpenTelemetry collector (OTLP over HTTP, without TLS).
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,

    /// Who may ask.
    #[command(flatten)]
    pub auth: AuthConfig,
}

/// Looks at the events that the services tell each other.
#[derive(Clone, Debug, Subcommand)]
pub enum EventsCommand {
    /// Shows events as they happen, one line each. Works beside a running suite.
    Tail(TailConfig),
}

/// What `events tail` shows.
#[derive(Clone, Debug, Args)]
pub struct TailConfig {
    /// Only this topic.
    #[arg(long)]
    pub topic: Option<String>,

    /// Begins with the oldest event that is kept, not with the next.
    #[arg(long)]
    pub from_start: bool,

    /// Ends when everything that is there was shown.
    #[arg(long)]
    pub no_follow: bool,

    /// The raw CloudEvents, one JSON object per line.
    #[arg(long)]
    pub json: bool,

    /// Directory of the suite.
    #[arg(long, env = "TASKLEDGER_DATA_DIR", default_value = "./taskledger-data")]
    pub data_dir: PathBuf,
}

/// Looks after the ledgers of the services.
#[derive(Clone, Debug, Subcommand)]
pub enum LedgerCommand {
    /// Proves that log, heads, timers and projections fit together; exits 1 and names the rows that do
    /// not. Works beside running services.
    Verify(VerifyConfig),
    /// Makes the tables of a projection anew from the log, beside the running service: first new
    /// tables, then a switch in one transaction. Interrupted, it has changed nothing.
    Rebuild(RebuildConfig),
    /// Applies the pending migrations of one service's database. A service on PostgreSQL does not: it
    /// refuses to start while one is pending, and may run as a role that cannot.
    Migrate(MigrateConfig),
}

/// What `ledger migrate` brings up to date.
#[derive(Clone, Debug, Args)]
pub struct MigrateConfig {
    /// The service whose database it is, by its app id.
    #[arg(long)]
    pub service: String,

    /// Its database, `postgres://…` or `sqlite://path/to/file`, opened as the owner of its tables.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,

    /// The role that the service runs as. It is granted to read and write rows, and of the log only to
    /// append.
    #[arg(long)]
    pub app_role: Option<String>,
}

/// What `ledger rebuild` makes.
#[derive(Clone, Debug, Args)]
pub struct RebuildConfig {
    /// The projection: `tasks`, `series` and `reminders` of task-api, `notifications` of notifier.
    #[arg(long)]
    pub projection: String,

    /// Its service, by its app id; needed with --database-url only.
    #[arg(long)]
    pub service: Option<String>,

    /// Where the ledgers are.
    #[command(flatten)]
    pub location: Location,
}

/// What `ledger verify` looks at.
#[derive(Clone, Debug, Args)]
pub struct VerifyConfig {
    /// Only this service, by its app id.
    #[arg(long)]
    pub service: Option<String>,

    /// Where the ledgers are.
    #[command(flatten)]
    pub location: Location,
}

/// The address that is meant; of a name with several, the first that stays on this machine.
fn resolve(text: &str) -> Result<SocketAddr, String> {
    let addresses: Vec<SocketAddr> = text
        .to_socket_addrs()
        .map_err(|error| format!("it has to be HOST:PORT, as in localhost:8080 ({error})"))?
        .collect();
    let loopback = addresses.iter().find(|address| address.ip().is_loopback());
    loopback
        .or(addresses.first())
        .copied()
        .ok_or_else(|| "this host has no address".to_owned())
}

impl Cli {
    /// What to do; running the suite when nothing is said.
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Up(Box::new(self.up)))
    }
}

impl UpConfig {
    /// The suite's part of the telemetry settings.
    pub fn telemetry(&self) -> TelemetryConfig {
        TelemetryConfig {
            log_format: self.log_format,
            log_filter: self.log_filter.clone(),
            otlp_endpoint: self.otlp_endpoint.clone(),
            otlp_trace_ratio: 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_do_not_collide() {
        <Cli as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn nothing_said_means_up() {
        let cli = Cli::try_parse_from(["taskledger", "--listen", "127.0.0.1:9999"]).unwrap();
        let Command::Up(config) = cli.command() else {
            panic!("not up")
        };
        assert_eq!(config.listen.port(), 9999);
    }

    #[test]
    fn a_host_may_have_a_name() {
        let local = resolve("localhost:8080").unwrap();
        assert!(local.ip().is_loopback() && local.port() == 8080, "{local}");
        assert!(resolve("[::1]:8080").is_ok());
        for refused in ["localhost", "8080", "127.0.0.1:99999", ""] {
            let reason = resolve(refused).unwrap_err();
            assert!(reason.contains("HOST:PORT"), "{reason}");
        }
    }

    #[test]
    fn up_said_aloud_is_the_same() {
        let cli = Cli::try_parse_from(["taskledger", "up", "--data-dir", "/tmp/x"]).unwrap();
        let Command::Up(config) = cli.command() else {
            panic!("not up")
        };
        assert_eq!(config.data_dir, PathBuf::from("/tmp/x"));
    }
}
