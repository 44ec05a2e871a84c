//! What an occurrence takes over from the one before it.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::Fault;
use crate::routes::fields::{Expected, Field, Reader, Unknown};

/// What the next occurrence takes over, as far as it can be chosen: its template says the rest.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = CopyInput)]
pub(super) struct CopyInput {
    /// Always true: each reminder says itself whether it is carried over, by `carry_over`.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    reminders: Field<bool>,
    /// Always false: sub-tasks stay with their occurrence.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    subtasks: Field<bool>,
    /// Always false: tasks have no attachments.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    attachments: Field<bool>,
    /// Always false: tasks have no assignee.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    assignee: Field<bool>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Expected for CopyInput {
    const EXPECTED: &'static str = "an object such as {\"reminders\": true}";
}

impl CopyInput {
    /// Refuses what does not happen, rather than accept it and not do it.
    pub(super) fn check(self, reader: &mut Reader, pointer: &str) {
        reader.unknown(pointer, &self.unknown);
        let members = [
            (
                "reminders",
                self.reminders,
                true,
                "cannot be false: say \"carry_over\": false at each reminder of one occurrence alone",
            ),
            (
                "subtasks",
                self.subtasks,
                false,
                "cannot be true yet: sub-tasks stay with their occurrence; leave this out",
            ),
            (
                "attachments",
                self.attachments,
                false,
                "cannot be true yet: tasks have no attachments; leave this out",
            ),
            (
                "assignee",
                self.assignee,
                false,
                "cannot be true yet: tasks have no assignee; leave this out",
            ),
        ];
        for (name, field, happens, message) in members {
            let pointer = format!("{pointer}/{name}");
            let wanted = reader.optional(&pointer, field);
            if wanted.is_some_and(|wanted| wanted != happens) {
                reader.fault(Fault::new(pointer, "not_supported", message));
            }
        }
    }
}
