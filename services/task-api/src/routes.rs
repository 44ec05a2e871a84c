//! Every public path of the service.

mod about;
mod bound;
mod command;
mod exceptions;
mod fields;
mod history;
mod occurrences;
mod preferences;
mod recurrence_input;
mod recurrence_preview;
mod reminder_answers;
mod reminder_input;
mod reminder_list;
mod reminder_view;
mod reminders;
mod reschedule;
mod scope;
mod series;
mod series_changes;
mod series_view;
mod task_list;
mod task_preview;
mod task_view;
mod tasks;
mod time_value;
mod transitions;
mod undo;

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Taskledger",
        description = "Tasks, recurring series, reminders and notifications; every change is kept."
    ),
    tags(
        (name = "tasks", description = "Tasks and occurrences of series"),
        (name = "reminders", description = "Being told about tasks"),
        (name = "series", description = "Series: a rule, and what every task of it starts with"),
        (name = "recurrence", description = "Rules that make tasks repeat"),
        (name = "preferences", description = "What a user prefers"),
        (name = "about", description = "What runs here"),
    )
)]
struct Description;

/// The routes, without layers.
pub fn router(state: AppState) -> Router {
    table().with_state(state).into()
}

/// The description of the routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    table().into_openapi()
}

fn table() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(task_list::list_tasks, tasks::create_task))
        .routes(routes!(
            tasks::get_task,
            tasks::update_task,
            tasks::delete_task
        ))
        .routes(routes!(transitions::complete_task))
        .routes(routes!(transitions::skip_task))
        .routes(routes!(undo::reopen_task))
        .routes(routes!(transitions::cancel_task))
        .routes(routes!(undo::restore_task))
        .routes(routes!(reschedule::reschedule_task))
        .routes(routes!(task_preview::preview_task))
        .routes(routes!(history::get_task_history))
        .routes(routes!(
            reminders::list_task_reminders,
            reminders::add_reminder
        ))
        .routes(routes!(reminder_list::list_reminders))
        .routes(routes!(
            reminders::get_reminder,
            reminders::update_reminder,
            reminders::delete_reminder
        ))
        .routes(routes!(reminder_answers::snooze_reminder))
        .routes(routes!(reminder_answers::dismiss_reminder))
        .routes(routes!(reminder_answers::acknowledge_reminder))
        .routes(routes!(series::list_series, series_changes::create_series))
        .routes(routes!(
            series::get_series,
            series_changes::update_series,
            series_changes::delete_series
        ))
        .routes(routes!(series_changes::pause_series))
        .routes(routes!(series_changes::resume_series))
        .routes(routes!(series_changes::end_series))
        .routes(routes!(occurrences::list_occurrences))
        .routes(routes!(exceptions::except_slot))
        .routes(routes!(recurrence_preview::preview_recurrence))
        .routes(routes!(
            preferences::get_preferences,
            preferences::update_preferences
        ))
        .routes(routes!(about::get_about))
}
