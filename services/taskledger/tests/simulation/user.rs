//! What a user does: anything, at any time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::world::World;

/// Series that a user begins; more make a seed slow and nothing else.
const MOST_SERIES: usize = 4;
const RULES: [&str; 6] = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=MO,WE",
    "FREQ=MONTHLY",
    "FREQ=DAILY;COUNT=3",
];
const ZONES: [&str; 4] = [
    "Asia/Tokyo",
    "America/Los_Angeles",
    "Europe/Berlin",
    "Pacific/Kiritimati",
];

/// What a user does, in some seed.
pub(crate) const EVERYTHING: [&str; 17] = [
    "begin",
    "complete",
    "skip",
    "cancel",
    "trash",
    "open again",
    "touch",
    "rule",
    "pause",
    "resume",
    "end",
    "except",
    "template",
    "move",
    "dismiss",
    "acknowledge",
    "snooze",
];

/// What the user remembers, for who checks.
#[derive(Default)]
pub(crate) struct User {
    begun: usize,
    /// When each task was closed that is closed now.
    pub(crate) closed: BTreeMap<String, DateTime<Utc>>,
    /// How many more may be open in a series and those that go on from it, because the user opened one again
    /// and was told that both stay, by the series of the task.
    pub(crate) kept: BTreeMap<String, usize>,
    /// What was accepted at least once.
    pub(crate) done: BTreeSet<&'static str>,
}

impl User {
    /// Does one thing, or lets time pass.
    pub(crate) async fn act(&mut self, world: &mut World) {
        match world.random.below(22) {
            0..=2 => self.begin(world).await,
            3..=7 => self.finish(world).await,
            8 => self.open_again(world).await,
            9 => self.touch(world).await,
            10..=11 => self.rule(world).await,
            12 => self.pause_or_resume(world).await,
            13..=14 => self.series(world).await,
            15 => self.move_home(world).await,
            16..=17 => self.answer(world).await,
            _ => {
                let hours = [1, 5, 13, 24, 24, 72][world.random.below(6)];
                world.pass(TimeDelta::hours(hours) + TimeDelta::minutes(7));
            }
        }
    }

    /// Asks, and is answered well or told what is wrong.
    async fn ask(
        &mut self,
        world: &mut World,
        what: &'static str,
        (method, path): (Method, &str),
        body: &Value,
    ) -> Option<Value> {
        let request = world.tasks().request(method.clone(), path).json(body);
        let answer = request.send().await;
        world.note(&format!("{method} {path} {body} → {}", answer.status));
        assert!(!answer.status.is_server_error(), "{world}");
        let accepted = answer.status.is_success();
        if accepted {
            self.done.insert(what);
        }
        accepted.then(|| answer.json())
    }

    async fn begin(&mut self, world: &mut World) {
        if self.begun >= MOST_SERIES {
            return;
        }
        let day = (world.now() + TimeDelta::days(i64::try_from(world.random.below(4)).unwrap()))
            .date_naive();
        let due = match world.random.below(3) {
            0 => json!({ "date": day }),
            1 => json!({ "local": format!("{day}T09:00"), "time_zone": "floating" }),
            _ => json!({ "local": format!("{day}T09:00"), "time_zone": "Europe/Berlin" }),
        };
        let reminder = if due["date"].is_null() {
            json!({ "type": "relative", "to": "due", "offset": "-PT15M" })
        } else {
            json!({ "type": "time_of_day", "to": "due", "days_before": 0, "at": "08:00" })
        };
        let mut recurrence = json!({ "rrule": RULES[world.random.below(RULES.len())] });
        match world.random.below(5) {
            0 => recurrence["generation"] = json!("on_schedule"),
            1 => {
                recurrence["generation"] = json!("on_schedule");
                recurrence["auto_skip_when_late"] = json!(true);
            }
            _ => {}
        }
        let body = json!({ "title": format!("Series {}", self.begun), "due": due,
                           "recurrence": recurrence, "reminders": [{ "trigger": reminder }] });
        let create = (Method::POST, "/v1/tasks");
        if self.ask(world, "begin", create, &body).await.is_some() {
            self.begun += 1;
        }
    }

    async fn finish(&mut self, world: &mut World) {
        let Some(task) = any_task(world, "open").await else {
            return;
        };
        let (what, method, rest) = match world.random.below(8) {
            0 => ("skip", Method::POST, "/skip"),
            1 => ("cancel", Method::POST, "/cancel"),
            2 => ("trash", Method::DELETE, "?scope=this"),
            _ => ("complete", Method::POST, "/complete"),
        };
        let path = path(&task, rest);
        let asked = self.ask(world, what, (method, &path), &json!({})).await;
        if asked.is_some() {
            self.closed.insert(id(&task), world.now());
        }
    }

    async fn open_again(&mut self, world: &mut World) {
        let (status, rest) = [
            ("completed", "/reopen"),
            ("skipped", "/reopen"),
            ("trashed", "/restore"),
        ][world.random.below(3)];
        let Some(task) = any_task(world, status).await else {
            return;
        };
        let path = path(&task, rest);
        let post = (Method::POST, path.as_str());
        let asked = self.ask(world, "open again", post, &json!({})).await;
        let Some(opened) = asked else { return };
        self.closed.remove(&id(&task));
        if opened["successor"]["outcome"] != "withdrawn" && opened["status"] == "open" {
            let series = task["series_id"].as_str().unwrap().to_owned();
            *self.kept.entry(series).or_default() += 1;
        }
    }

    async fn touch(&mut self, world: &mut World) {
        let Some(task) = any_task(world, "open").await else {
            return;
        };
        let note = json!({ "notes": format!("Looked at {}", world.now()) });
        let path = path(&task, "?scope=this");
        self.ask(world, "touch", (Method::PATCH, &path), &note)
            .await;
    }

    async fn rule(&mut self, world: &mut World) {
        let Some(series) = any_series(world, &["active", "paused"]).await else {
            return;
        };
        let rule = RULES[world.random.below(RULES.len())];
        let mut body = json!({ "recurrence": { "rrule": rule } });
        let from = &series["next_slot"];
        if world.chance(30) && from.is_string() {
            body["effective_from"] = from.clone();
        }
        let path = format!("/v1/series/{}", id(&series));
        self.ask(world, "rule", (Method::PATCH, &path), &body).await;
    }

    async fn pause_or_resume(&mut self, world: &mut World) {
        let Some(series) = any_series(world, &["active", "paused"]).await else {
            return;
        };
        let (what, verb) = if series["state"] == "paused" {
            ("resume", "resume")
        } else {
            ("pause", "pause")
        };
        let path = format!("/v1/series/{}/{verb}", id(&series));
        self.ask(world, what, (Method::POST, &path), &json!({}))
            .await;
    }

    /// The template of a series, or one of its slots, or its end.
    async fn series(&mut self, world: &mut World) {
        let Some(series) = any_series(world, &["active", "paused"]).await else {
            return;
        };
        let path = format!("/v1/series/{}", id(&series));
        match world.random.below(5) {
            0 => {
                let end = format!("{path}/end");
                self.ask(world, "end", (Method::POST, &end), &json!({}))
                    .await;
            }
            1 | 2 if series["next_slot"].is_string() => {
                let skip = json!({ "slot": series["next_slot"], "action": "skip" });
                let except = format!("{path}/exceptions");
                self.ask(world, "except", (Method::POST, &except), &skip)
                    .await;
            }
            _ => {
                let title = format!("{} again", series["template"]["title"].as_str().unwrap());
                let title: String = title.chars().take(60).collect();
                let body = json!({ "template": { "title": title } });
                self.ask(world, "template", (Method::PATCH, &path), &body)
                    .await;
            }
        }
    }

    async fn move_home(&mut self, world: &mut World) {
        let zone = ZONES[world.random.below(ZONES.len())];
        let body = json!({ "time_zone": zone });
        let there = (Method::PATCH, "/v1/me/preferences");
        self.ask(world, "move", there, &body).await;
    }

    async fn answer(&mut self, world: &mut World) {
        let (what, state, body) = match world.random.below(3) {
            0 => ("dismiss", "scheduled", json!({})),
            1 => ("acknowledge", "fired", json!({})),
            _ => ("snooze", "scheduled", json!({ "for": "PT3H" })),
        };
        let list = format!("/v1/reminders?state={state}&limit=200");
        let page = world.tasks().get(&list, StatusCode::OK).await;
        let Some(reminder) = any(world, page["items"].as_array().unwrap()) else {
            return;
        };
        let reminder = id(&reminder);
        let path = format!("/v1/reminders/{reminder}/{what}");
        self.ask(world, what, (Method::POST, &path), &body).await;
    }
}

pub(crate) fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}

fn path(task: &Value, rest: &str) -> String {
    format!("/v1/tasks/{}{rest}", id(task))
}

async fn any_task(world: &mut World, status: &str) -> Option<Value> {
    let list = format!("/v1/tasks?status={status}&limit=200");
    let page = world.tasks().get(&list, StatusCode::OK).await;
    any(world, page["items"].as_array().unwrap())
}

async fn any_series(world: &mut World, states: &[&str]) -> Option<Value> {
    let page = world
        .tasks()
        .get("/v1/series?limit=200", StatusCode::OK)
        .await;
    let all = page["items"].as_array().unwrap().iter();
    let fits = |series: &&Value| states.iter().any(|state| series["state"] == *state);
    let all: Vec<Value> = all.filter(fits).cloned().collect();
    any(world, &all)
}

fn any(world: &mut World, all: &[Value]) -> Option<Value> {
    (!all.is_empty()).then(|| all[world.random.below(all.len())].clone())
}
