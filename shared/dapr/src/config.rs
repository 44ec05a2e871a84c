//! Settings of a service's side of the sidecar.

use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::SecretString;

/// How the sidecar should hand events over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeliveryMode {
    /// Many events of one partition per request.
    #[default]
    Bulk,
    /// One event per request.
    Single,
}

/// Where the sidecar is and how to talk with it.
#[derive(Args, Clone, Debug)]
#[group(id = "dapr")]
pub struct Config {
    /// The sidecar's URL; wins over the port.
    #[arg(long, env = "DAPR_HTTP_ENDPOINT")]
    pub dapr_http_endpoint: Option<String>,

    /// The sidecar's HTTP port on this machine.
    #[arg(long, env = "DAPR_HTTP_PORT", default_value_t = 3500)]
    pub dapr_http_port: u16,

    /// What we show to the sidecar; not empty.
    #[arg(long, env = "DAPR_API_TOKEN", hide_env_values = true, value_parser = token)]
    pub dapr_api_token: Option<SecretString>,

    /// What the sidecar must show to us; without it anybody who reaches the listener may deliver,
    /// and it has to be on loopback. Not empty.
    #[arg(long, env = "APP_API_TOKEN", hide_env_values = true, value_parser = token)]
    pub app_api_token: Option<SecretString>,

    /// The pub/sub component.
    #[arg(long, env = "PUBSUB_NAME", default_value = "pubsub")]
    pub pubsub_name: String,

    /// How the sidecar should hand events over.
    #[arg(
        long = "dapr-delivery",
        env = "DAPR_DELIVERY",
        value_enum,
        default_value_t
    )]
    pub delivery: DeliveryMode,

    /// The most events of one bulk delivery.
    #[arg(long, env = "DAPR_BULK_MAX_MESSAGES", default_value_t = 256)]
    pub bulk_max_messages: u32,

    /// How long the sidecar may wait for a bulk delivery to fill, in milliseconds.
    #[arg(long, env = "DAPR_BULK_MAX_AWAIT_MS", default_value_t = 5)]
    pub bulk_max_await_ms: u32,

    /// How long a publish may take before it counts as failed.
    #[arg(long, env = "DAPR_PUBLISH_TIMEOUT", default_value = "5s", value_parser = humantime::parse_duration)]
    pub publish_timeout: Duration,

    /// How long the handling of one event may take before the sidecar is asked to retry. Below the
    /// handler timeout of the resiliency policy, or the same event is handled twice at a time.
    #[arg(long, env = "DAPR_HANDLER_TIMEOUT", default_value = "3s", value_parser = humantime::parse_duration)]
    pub handler_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dapr_http_endpoint: None,
            dapr_http_port: 3500,
            dapr_api_token: None,
            app_api_token: None,
            pubsub_name: "pubsub".to_owned(),
            delivery: DeliveryMode::Bulk,
            bulk_max_messages: 256,
            bulk_max_await_ms: 5,
            publish_timeout: Duration::from_secs(5),
            handler_timeout: Duration::from_secs(3),
        }
    }
}

impl Config {
    /// The sidecar's URL.
    pub(crate) fn endpoint(&self) -> String {
        match &self.dapr_http_endpoint {
            Some(endpoint) if !endpoint.is_empty() => endpoint.clone(),
            _ => format!("http://127.0.0.1:{}", self.dapr_http_port),
        }
    }
}

/// An empty secret is a mistake of who made it, and would be no protection.
fn token(text: &str) -> Result<SecretString, &'static str> {
    if text.is_empty() {
        return Err("a token must not be empty: make the secret anew, or leave the setting out");
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        dapr: Config,
    }

    #[test]
    fn an_empty_token_is_refused() {
        for flag in ["--app-api-token", "--dapr-api-token"] {
            let refused = Flags::try_parse_from(["service", flag, ""]).err().unwrap();
            let said = refused.to_string();
            assert!(said.contains(flag), "{said}");
            assert!(said.contains("a token must not be empty"), "{said}");
            assert!(Flags::try_parse_from(["service", flag, "t"]).is_ok());
        }
    }

    #[test]
    fn the_default_is_what_no_flags_give() {
        let parsed = Flags::parse_from(["service"]).dapr;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn an_endpoint_wins_over_the_port() {
        let parsed = Flags::parse_from(["service", "--dapr-http-port", "3600"]).dapr;
        assert_eq!(parsed.endpoint(), "http://127.0.0.1:3600");

        let parsed =
            Flags::parse_from(["service", "--dapr-http-endpoint", "http://dapr:3500"]).dapr;
        assert_eq!(parsed.endpoint(), "http://dapr:3500");
    }

    #[test]
    fn tokens_are_not_shown() {
        let parsed = Flags::parse_from(["service", "--app-api-token", "hunter2"]).dapr;
        assert!(!format!("{parsed:?}").contains("hunter2"));
    }
}
