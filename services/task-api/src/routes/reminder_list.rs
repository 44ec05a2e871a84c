//! The list of reminders: what a user will be told, and what became of the others.

use axum::extract::State;
use event_schema::UserId;
use reminder_plan::State as Standing;
use serde::{Deserialize, Serialize};
use service_kit::extract::{Call, Json, Query};
use service_kit::page::{Cursor, Limit, Page};

use super::bound::Bound;
use super::preferences;
use super::reminder_view::ReminderResource;
use crate::app::AppState;
use crate::error::Error;
use crate::store::reminders::{Filter, Found, list};

/// Which reminders.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListReminders {
    /// `scheduled`, `snoozed`, `fired`, `missed`, `dismissed` or `acknowledged`. Without it, all that are
    /// still to be told.
    #[param(value_type = Option<String>)]
    state: Option<ListedState>,
    /// Told on or after this date (`2027-01-31`, in the zone of your preferences) or instant.
    #[param(value_type = Option<String>)]
    from: Option<Bound>,
    /// Told on or before this date or instant.
    #[param(value_type = Option<String>)]
    to: Option<Bound>,
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Where the previous page ended: its `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct ListedState(Standing);

impl TryFrom<String> for ListedState {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "scheduled" => Ok(Self(Standing::Scheduled)),
            "snoozed" => Ok(Self(Standing::Snoozed)),
            "fired" => Ok(Self(Standing::Fired)),
            "missed" => Ok(Self(Standing::Missed)),
            "dismissed" => Ok(Self(Standing::Dismissed)),
            "acknowledged" => Ok(Self(Standing::Acknowledged)),
            // One that is cancelled stands for no time, and so in no list by time.
            _ => Err("must be scheduled, snoozed, fired, missed, dismissed or acknowledged"),
        }
    }
}

/// A reminder in a list.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = ListedReminder)]
pub(super) struct ListedReminder {
    #[serde(flatten)]
    reminder: ReminderResource,
    /// The title of its task.
    task_title: String,
}

/// List reminders
///
/// In the order of their times: for those still to be told the next one, for the others the last.
#[utoipa::path(
    get, path = "/v1/reminders", tag = "reminders", operation_id = "list_reminders",
    params(ListReminders),
    responses((status = 200, description = "A page", body = Page<ListedReminder>))
)]
pub(super) async fn list_reminders(
    State(app): State<AppState>,
    call: Call,
    Query(query): Query<ListReminders>,
) -> Result<Json<Page<ListedReminder>>, Error> {
    let home = preferences::home_for(&app, &call, [query.from, query.to]).await?;
    let filter = Filter {
        owner: UserId(call.caller.user_id),
        state: query.state.map(|state| state.0),
        from: query.from.map(|bound| bound.first(home)),
        before: query.to.map(|bound| bound.after(home)),
        after: query.cursor.map(|cursor| cursor.place()).transpose()?,
        limit: query.limit.get() + 1,
    };
    let found = list(app.ledger.rows("reminders")?, &filter).await?;
    let page = Page::of(found, query.limit, |found| found.place);
    let next_cursor = page.next_cursor;
    let items = page.items.iter().filter_map(view).collect();
    Ok(Json(Page { items, next_cursor }))
}

fn view(found: &Found) -> Option<ListedReminder> {
    let task = &found.task.state;
    let revision = task.revision(found.task.version);
    Some(ListedReminder {
        reminder: ReminderResource::of(task, revision, found.reminder()?),
        task_title: task.title.clone(),
    })
}
