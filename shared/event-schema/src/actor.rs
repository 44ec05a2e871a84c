//! Who caused an event.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{App, UserId};

/// Who caused an event: `user:<id>` or `service:<app id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^(user:[0-9a-f-]{36}|service:[a-z-]+)$"))]
pub enum Actor {
    /// A person, through the public API.
    User(UserId),
    /// One of our services, on its own account.
    Service(App),
}

/// Text that names no actor.
#[derive(Debug, thiserror::Error)]
#[error("an actor is user:<uuid> or service:<app id>")]
pub struct ActorError;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Service(app) => write!(f, "service:{}", app.id()),
        }
    }
}

impl FromStr for Actor {
    type Err = ActorError;

    fn from_str(text: &str) -> Result<Self, ActorError> {
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| ActorError),
            Some(("service", id)) => App::from_id(id).map(Self::Service).ok_or(ActorError),
            _ => Err(ActorError),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

impl TryFrom<String> for Actor {
    type Error = ActorError;

    fn try_from(text: String) -> Result<Self, ActorError> {
        text.parse()
    }
}
