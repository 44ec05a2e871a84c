//! The occurrences of a series: those that have a task, and those to come.

use axum::extract::State;
use event_schema::{Series, SeriesId, SeriesStatus, Status, Task, TaskId};
use event_store::Recorded;
use recurrence::{Occurrence, Slot};
use serde::{Deserialize, Serialize};
use service_kit::extract::{Call, Json, Path, Query};
use service_kit::page::{Cursor, Limit, Page};
use slots::Plan;
use utoipa::ToSchema;

use super::series::find;
use super::time_value::TimeView;
use crate::app::AppState;
use crate::domain::{occurrence, time};
use crate::error::Error;
use crate::store::tasks::{Range, newest_slot, of_series};

/// The most occurrences of one answer: a leap year of days.
const MOST: u16 = 366;

/// Which occurrences of a series.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListOccurrences {
    /// From this date or local time on, in the zone of the series; today when absent.
    #[param(value_type = Option<String>, example = "2027-01-31")]
    from: Option<Bound>,
    /// Up to and with this date or local time.
    #[param(value_type = Option<String>, example = "2027-12-31")]
    to: Option<Bound>,
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 366, default = 50)]
    limit: Limit<MOST>,
    /// Where the previous page ended: its `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Bound(Slot);

impl TryFrom<String> for Bound {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let slot = time::date(&text).map(Slot::Date);
        let slot = slot.or_else(|| time::local(&text).map(Slot::Timed));
        slot.map(Self)
            .ok_or("must be a date or a local time, such as 2027-01-31 or 2027-01-31T09:00")
    }
}

/// An occurrence of a series, with a task or without.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Occurrence)]
pub(super) struct OccurrenceView {
    /// The civil start that names it.
    slot: String,
    /// Its place among all slots of the rule, from 1.
    index: Option<u32>,
    /// `upcoming` while it has no task; then where its task stands, or `trashed`.
    #[schema(value_type = OccurrenceState)]
    state: &'static str,
    /// Its task; null while it has none.
    #[schema(value_type = Option<Uuid>)]
    task_id: Option<TaskId>,
    /// When it should be done: where its task was moved to, if it was.
    due: Option<TimeView>,
}

/// Where an occurrence stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only described")]
enum OccurrenceState {
    Upcoming,
    Open,
    Completed,
    Cancelled,
    Skipped,
    Trashed,
}

/// List a series' occurrences
///
/// In the order of their slots: first those that have a task, then, unless the series is paused or
/// has ended, those to come. Slots that were passed over have none.
#[utoipa::path(
    get, path = "/v1/series/{series_id}/occurrences", tag = "series", operation_id = "list_occurrences",
    params(("series_id" = uuid::Uuid, Path), ListOccurrences),
    responses((status = 200, description = "A page", body = Page<OccurrenceView>))
)]
pub(super) async fn list_occurrences(
    State(app): State<AppState>,
    call: Call,
    Path(series_id): Path<SeriesId>,
    Query(query): Query<ListOccurrences>,
) -> Result<Json<Page<OccurrenceView>>, Error> {
    let series = find(&app, &call, series_id).await?.state;
    let zone = time::zone_of(&series.start);
    let home = time::home(series.home_zone.as_deref());
    let today = time::date_in(zone.unwrap_or(home), app.clock.now());
    let after: Option<String> = query.cursor.map(|cursor| cursor.place()).transpose()?;
    let range = Range {
        from: query.from.map_or(Slot::Date(today), |from| from.0),
        // The text of a cursor is our own; another one is the beginning.
        after: after.and_then(|slot| slot.parse().ok()),
        to: query.to.map(|to| to.0),
        limit: query.limit.get() + 1,
    };
    let database = app.ledger.rows("tasks")?;
    let newest = newest_slot(database, series_id).await?;
    let tasks = of_series(database, series_id, &range).await?;
    let mut items: Vec<OccurrenceView> = tasks.into_iter().map(OccurrenceView::of_task).collect();
    items.extend(upcoming(&series, newest, &range));
    items.truncate(usize::from(range.limit));
    Ok(Json(Page::of(items, query.limit, |item| item.slot.clone())))
}

/// What comes after the newest occurrence, at the civil times that the rule names.
fn upcoming(series: &Series, newest: Option<Slot>, range: &Range) -> Vec<OccurrenceView> {
    match (series.status, Plan::of_series(series)) {
        (SeriesStatus::Active, Ok(plan)) => {
            let newest = occurrence::known_through(series, newest);
            let slots = slots_after(&plan, newest, range);
            let view = |slot| OccurrenceView::to_come(series, slot);
            slots.into_iter().map(view).collect()
        }
        _ => Vec::new(),
    }
}

fn slots_after(plan: &Plan, newest: Option<Slot>, range: &Range) -> Vec<Occurrence> {
    let before_range = range.from.date().pred_opt().map(Slot::Date);
    let after = [newest, range.after, before_range]
        .into_iter()
        .flatten()
        .max();
    let slots = match after {
        Some(after) => plan.occurrences_after(after),
        None => plan.schedule().occurrences(),
    };
    let is_newer = |slot: Slot| newest.is_none_or(|newest| newest < slot);
    slots
        .skip_while(|next| !is_newer(next.slot) || next.slot < range.from)
        .take_while(|next| range.contains(next.slot))
        .take(usize::from(range.limit))
        .collect()
}

impl OccurrenceView {
    fn of_task(Recorded { state: task, .. }: Recorded<Task>) -> Self {
        let home = time::home(task.home_zone.as_deref());
        Self {
            state: state_of(&task),
            index: task.occurrence_index,
            task_id: Some(task.id),
            due: task.due.as_ref().map(|due| TimeView::of(due, home)),
            slot: task.slot.unwrap_or_default(),
        }
    }

    fn to_come(series: &Series, next: Occurrence) -> Self {
        let home = time::home(series.home_zone.as_deref());
        let due = occurrence::due_of(next.slot, &series.start);
        Self {
            slot: next.slot.to_string(),
            index: Some(next.index),
            state: "upcoming",
            task_id: None,
            due: Some(TimeView::of(&due, home)),
        }
    }
}

fn state_of(task: &Task) -> &'static str {
    match (task.trashed_at, task.status) {
        (Some(_), _) => "trashed",
        (None, Status::Open) => "open",
        (None, Status::Completed) => "completed",
        (None, Status::Cancelled) => "cancelled",
        (None, Status::Skipped) => "skipped",
    }
}
