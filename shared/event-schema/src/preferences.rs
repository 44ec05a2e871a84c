//! What a user prefers. Owned by task-api, of which it is what times mean.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event_type::event_set;
use crate::{Changed, State, UserId};

/// What a user prefers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Preferences {
    /// Also the stream id and the partition key.
    pub user_id: UserId,
    /// The IANA zone in which dates and floating times are read; UTC without one.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// How often they changed: the version that the user knows them by. That they were followed does not
    /// count, because it changes nothing that the user could want to change.
    pub changes: u64,
    /// Whether what is open was read anew since that changed.
    pub is_followed: bool,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl State for Preferences {
    const FIELD: &'static str = "preferences";

    fn owner(&self) -> UserId {
        self.user_id
    }
}

event_set! {
    /// What can happen to the preferences of a user.
    pub enum PreferencesEvent of Preferences, by TaskApi {
        /// A user prefers something else. Stays in the ledger of task-api.
        Changed(PreferencesChanged) = "preferences.changed.v1", None, "1.0.0";
        /// What was open when the zone changed is read in the new one. Stays in the ledger of task-api.
        Followed(PreferencesFollowed) = "preferences.followed.v1", None, "1.0.0";
    }
}

/// A user prefers something else. Only what changed is there. It may begin the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PreferencesChanged {
    /// The user.
    pub user_id: UserId,
    /// The `time_zone` of the preferences.
    pub time_zone: Changed<Option<String>>,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// What was open is read in the new zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PreferencesFollowed {
    /// Which zone that is.
    #[serde(default)]
    pub time_zone: Option<String>,
}
