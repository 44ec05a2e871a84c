//! What holds whenever everything has arrived.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::Value;

use super::user::{User, id};
use super::world::World;

/// All of them.
pub(crate) async fn all(world: &World, user: &User) {
    let tasks = tasks(world).await;
    let series = list(world, "/v1/series").await;
    one_task_of_each_slot(world, &tasks);
    one_open_occurrence(world, user, &tasks, &series);
    reminders_fire_once_and_never_early(world);
    nothing_is_told_of_what_was_closed(world, user, &tasks);
    nothing_that_is_due_waits(world).await;
}

/// What a user sees of everything.
pub(crate) async fn seen(
    world: &World,
) -> (Vec<Value>, Vec<Value>, Vec<Value>, BTreeMap<String, usize>) {
    let path = "/v1/notifications?limit=100";
    let inbox = world.notifier().get(path, StatusCode::OK).await;
    (
        tasks(world).await,
        list(world, "/v1/series").await,
        inbox["items"].as_array().unwrap().clone(),
        world.published(),
    )
}

async fn list(world: &World, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    let sign = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = format!("{path}{sign}limit=200{cursor}");
        let page = world.tasks().get(&page, StatusCode::OK).await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// Those in the trash included; those that were withdrawn are in no list.
async fn tasks(world: &World) -> Vec<Value> {
    let mut tasks = list(world, "/v1/tasks").await;
    tasks.extend(list(world, "/v1/tasks?status=trashed").await);
    tasks
}

fn is_open(task: &Value) -> bool {
    task["status"] == "open" && task["trashed_at"].is_null()
}

fn one_task_of_each_slot(world: &World, tasks: &[Value]) {
    let mut slots = BTreeSet::new();
    for task in tasks {
        let slot = (task["series_id"].to_string(), task["slot"].to_string());
        assert!(
            slots.insert(slot),
            "two tasks of one slot: {task:#}\n{world}"
        );
    }
}

/// Of a series that is made on completion, and those that went on from it, one occurrence is open, unless the
/// user opened another one again; and one is, as long as the series is active.
fn one_open_occurrence(world: &World, user: &User, tasks: &[Value], series: &[Value]) {
    let by_id: BTreeMap<String, &Value> = series.iter().map(|one| (id(one), one)).collect();
    let root = |series: &Value| {
        let mut root = series.as_str().unwrap().to_owned();
        while let Some(before) = by_id[&root]["previous_series_id"].as_str() {
            root = before.to_owned();
        }
        root
    };
    let mut open: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for task in tasks.iter().filter(|task| is_open(task)) {
        open.entry(root(&task["series_id"])).or_default().push(task);
    }
    let mut kept: BTreeMap<String, usize> = BTreeMap::new();
    for (series, count) in &user.kept {
        *kept.entry(root(&Value::from(series.as_str()))).or_default() += count;
    }
    for one in series {
        if one["recurrence"]["generation"] != "on_completion" {
            continue;
        }
        let root = root(&one["id"]);
        let open = open.get(&root).map_or(&[][..], Vec::as_slice);
        let most = 1 + kept.get(&root).copied().unwrap_or_default();
        assert!(
            open.len() <= most,
            "{} are open: {open:#?}\n{world}",
            open.len()
        );
        let goes_on = one["state"] == "active";
        assert!(
            !goes_on || !open.is_empty(),
            "nothing is open: {one:#}\n{world}"
        );
    }
}

fn reminders_fire_once_and_never_early(world: &World) {
    let mut told = BTreeSet::new();
    for event in world.scheduler().published_of("reminder.fired.v1") {
        let change = &event["data"]["change"];
        let time =
            |name: &str| -> DateTime<Utc> { change[name].as_str().unwrap().parse().unwrap() };
        assert!(
            time("fired_at") >= time("scheduled_for"),
            "early: {event:#}\n{world}"
        );
        let once = (change["reminder_id"].to_string(), time("scheduled_for"));
        assert!(told.insert(once), "twice: {event:#}\n{world}");
    }
}

/// What fired after its task was closed was taken back.
fn nothing_is_told_of_what_was_closed(world: &World, user: &User, tasks: &[Value]) {
    for task in tasks {
        let Some(closed) = user.closed.get(&id(task)) else {
            continue;
        };
        for reminder in task["reminders"].as_array().unwrap() {
            let fired = reminder["last_fired_at"].as_str();
            let fired: Option<DateTime<Utc>> = fired.map(|at| at.parse().unwrap());
            assert!(
                fired <= Some(*closed),
                "after it was closed: {task:#}\n{world}"
            );
        }
    }
}

/// What shall be told next lies ahead, or was told.
async fn nothing_that_is_due_waits(world: &World) {
    for reminder in list(world, "/v1/reminders").await {
        if let Some(next) = reminder["next_fire_at"].as_str() {
            let next: DateTime<Utc> = next.parse().unwrap();
            let told = world.about(&reminder["task_id"]);
            assert!(
                next > world.now(),
                "overdue: {reminder:#}\n{told:#?}\n{world}"
            );
        }
    }
}
