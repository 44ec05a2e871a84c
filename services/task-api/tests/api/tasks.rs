//! Creating, reading, changing and trashing a task.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::{OTHER_USER, TestSuite};

use crate::{berlin, create, errors, parts, path, suite};

#[tokio::test]
async fn a_task_is_created_with_all_it_can_say() {
    for mut suite in TestSuite::every(parts).await {
        let answer = suite
            .request(Method::POST, "/v1/tasks")
            .json(&json!({
                "title": "  Pay rent ", "notes": "Reference **4711**", "priority": "high",
                "labels": ["money", " home ", "money"],
                "start": {"date": "2027-01-25"}, "due": berlin("2027-01-31T09:00"),
                "deadline": {"date": "2027-02-03"},
                "reminders": [
                    {"trigger": {"type": "relative", "to": "due", "offset": "-P1DT30M"}},
                    {"trigger": {"type": "absolute", "at": {"instant": "2027-01-30T17:00:00Z"}}},
                    {"trigger": {"type": "absolute", "at": berlin("2027-01-30T20:00:05")}}
                ]
            }))
            .send()
            .await
            .expect(StatusCode::CREATED);

        let task = answer.json();
        assert_eq!(answer.header("location"), path(&task, ""));
        assert_eq!(answer.version(), 1);
        assert_eq!(task["version"], 1);
        assert_eq!(task["title"], "Pay rent");
        assert_eq!(task["labels"], json!(["home", "money"]));
        assert_eq!(task["status"], "open");
        assert_eq!(task["start"], json!({"date": "2027-01-25"}));
        assert_eq!(
            task["due"],
            json!({"local": "2027-01-31T09:00", "time_zone": "Europe/Berlin", "instant": "2027-01-31T08:00:00Z"})
        );
        assert_eq!(task["is_overdue"], false);
        assert_eq!(task["reminders"][0]["trigger"]["offset"], "-P1DT30M");
        assert_eq!(
            task["reminders"][2]["trigger"]["at"]["instant"],
            "2027-01-30T19:00:05Z"
        );
        assert_eq!(task["owner_id"], Value::Null);
        assert_eq!(suite.get(&path(&task, ""), StatusCode::OK).await, task);
        suite.run_workers().await;
        assert_eq!(suite.published_types(), ["task.created.v1"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_task_is_read_only_when_it_is_new_to_the_caller() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "Pay rent"})).await;

    let read = |tag: &str| {
        suite
            .request(Method::GET, &path(&task, ""))
            .header("if-none-match", tag)
            .send()
    };

    assert_eq!(read("\"v1\"").await.status, StatusCode::NOT_MODIFIED);
    let stale = read("\"v0\"").await.expect(StatusCode::OK);
    assert_eq!(stale.header("etag"), "\"v1\"");
    suite.finish().await;
}

#[tokio::test]
async fn a_foreign_task_is_answered_like_an_unknown_one() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "Pay rent"})).await;
    let unknown = "/v1/tasks/0198c0de-0000-7000-8000-00000000dead";

    let commands = [
        (Method::GET, ""),
        (Method::GET, "/history"),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::POST, "/complete"),
        (Method::POST, "/skip"),
        (Method::POST, "/reopen"),
        (Method::POST, "/cancel"),
        (Method::POST, "/restore"),
    ];
    for (method, command) in commands {
        let ask = async |path: &str| {
            let request = suite.request(method.clone(), path).user(OTHER_USER);
            let request = if method == Method::PATCH {
                request.json(&json!({"title": "Mine"}))
            } else {
                request
            };
            let mut problem = request.send().await.expect(StatusCode::NOT_FOUND).json();
            for name in ["instance", "trace_id"] {
                problem.as_object_mut().unwrap().remove(name);
            }
            problem
        };
        let foreign = ask(&path(&task, command)).await;
        assert_eq!(foreign, ask(&format!("{unknown}{command}")).await);
        assert_eq!(foreign["code"], "not-found");
    }
    let list = suite.request(Method::GET, "/v1/tasks").user(OTHER_USER);
    assert_eq!(list.send().await.json()["items"], json!([]));
    suite.finish().await;
}

#[tokio::test]
async fn the_caller_may_choose_the_id_once() {
    let suite = suite().await;
    let body = json!({"id": "0198c0de-0000-7000-8000-000000000001", "title": "Secret"});
    let task = create(&suite, body.clone()).await;
    assert_eq!(task["id"], body["id"]);

    let again = suite
        .post("/v1/tasks", body.clone(), StatusCode::CONFLICT)
        .await;
    assert_eq!(again["code"], "already-exists");

    let request = suite.request(Method::POST, "/v1/tasks").user(OTHER_USER);
    let foreign = request
        .json(&body)
        .send()
        .await
        .expect(StatusCode::CONFLICT);
    assert_eq!(foreign.json()["code"], "already-exists");
    // Whose it is, what it holds and how often it changed are not told.
    let told = |mut problem: Value| {
        for name in ["instance", "request_id", "trace_id"] {
            problem.as_object_mut().unwrap().remove(name);
        }
        problem
    };
    assert_eq!(told(foreign.json()), told(again));
    assert_eq!(foreign.header("etag"), "");
    assert!(!String::from_utf8_lossy(&foreign.body).contains("Secret"));
    suite.finish().await;
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_clears() {
    let mut suite = suite().await;
    let task = create(
        &suite,
        json!({"title": "Pay rent", "notes": "n", "priority": "low", "labels": ["a"],
               "due": berlin("2027-01-31T09:00"), "deadline": {"date": "2027-02-03"}}),
    )
    .await;

    let patch = json!({"title": "Pay", "notes": null, "priority": null, "labels": null, "deadline": null,
                       "due": {"local": "2027-01-31T08:00", "time_zone": "floating"}});
    let changed = suite
        .patch(&path(&task, ""), patch.clone(), StatusCode::OK)
        .await;

    assert_eq!(changed["version"], 2);
    assert_eq!(changed["notes"], "");
    assert_eq!(changed["priority"], "none");
    assert_eq!(changed["labels"], json!([]));
    assert_eq!(changed["deadline"], Value::Null);
    assert_eq!(changed["due"]["instant"], "2027-01-31T08:00:00Z");

    // Nothing new is no event and no version.
    let same = suite.request(Method::PATCH, &path(&task, "")).json(&patch);
    let same = same.send().await.expect(StatusCode::OK);
    assert_eq!((same.version(), same.json()), (2, changed));
    suite.run_workers().await;
    assert_eq!(
        suite.published_types(),
        ["task.created.v1", "task.updated.v1"]
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_patch_of_an_old_version_is_refused_with_the_current_task() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "Pay rent"})).await;
    let patch = async |version, title: &str| {
        let request = suite
            .request(Method::PATCH, &path(&task, ""))
            .if_match(version);
        request.merge_patch(&json!({"title": title})).send().await
    };

    let _first = patch(1, "First").await.expect(StatusCode::OK);
    let refused = patch(1, "Second")
        .await
        .expect(StatusCode::PRECONDITION_FAILED);

    let problem = refused.json();
    assert_eq!(problem["code"], "version-conflict");
    assert_eq!(problem["current"]["title"], "First");
    assert_eq!(problem["current"]["version"], 2);
    for (method, command) in [(Method::DELETE, ""), (Method::POST, "/complete")] {
        let request = suite.request(method, &path(&task, command)).if_match(1);
        let _refused = request.send().await.expect(StatusCode::PRECONDITION_FAILED);
    }
    let _second = patch(2, "Second").await.expect(StatusCode::OK);
    suite.finish().await;
}

#[tokio::test]
async fn a_deleted_task_is_in_the_trash_and_comes_back() {
    let mut suite = suite().await;
    let task = create(&suite, json!({"title": "Pay rent"})).await;

    suite.delete(&path(&task, ""), StatusCode::NO_CONTENT).await;
    suite.delete(&path(&task, ""), StatusCode::NO_CONTENT).await;

    let trashed = suite.get(&path(&task, ""), StatusCode::OK).await;
    assert_eq!(trashed["trashed_at"], "2026-11-22T10:00:00Z");
    let refused = suite
        .patch(
            &path(&task, ""),
            json!({"title": "x"}),
            StatusCode::CONFLICT,
        )
        .await;
    assert_eq!(refused["code"], "illegal-transition");
    assert!(refused["detail"].as_str().unwrap().contains("in the trash"));

    let restored = suite
        .post(&path(&task, "/restore"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(
        (&restored["trashed_at"], &restored["version"]),
        (&Value::Null, &json!(3))
    );
    suite.run_workers().await;
    assert_eq!(
        suite.published_types(),
        ["task.created.v1", "task.trashed.v1", "task.restored.v1"]
    );
    suite.finish().await;
}

#[tokio::test]
async fn fifty_requests_with_one_key_create_one_task() {
    let mut suite = suite().await;
    let body = json!({"title": "Pay rent", "reminders": [
        {"trigger": {"type": "absolute", "at": {"instant": "2027-01-01T00:00:00Z"}}}]});
    let ask = || {
        let request = suite
            .request(Method::POST, "/v1/tasks")
            .idempotency_key("k1");
        tokio::spawn(request.json(&body).send())
    };

    let running: Vec<_> = (0..50).map(|_| ask()).collect();
    let mut bodies = Vec::new();
    let mut replays = 0;
    for answer in running {
        let answer = answer.await.unwrap().expect(StatusCode::CREATED);
        replays += usize::from(answer.header("idempotent-replayed") == "true");
        assert_eq!(answer.version(), 1);
        assert!(answer.header("location").starts_with("/v1/tasks/"));
        bodies.push(answer.body);
    }

    assert_eq!(replays, 49);
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    let list = suite.get("/v1/tasks", StatusCode::OK).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    suite.run_workers().await;
    assert_eq!(suite.published_types(), ["task.created.v1"]);
    suite.finish().await;
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_user() {
    let suite = suite().await;
    let ask = |title: &str| {
        let request = suite
            .request(Method::POST, "/v1/tasks")
            .idempotency_key("k1");
        request.json(&json!({"title": title}))
    };
    let _first = ask("One").send().await.expect(StatusCode::CREATED);

    let other = ask("Two")
        .send()
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.json()["code"], "idempotency-key-reused");
    let _theirs = ask("Two")
        .user(OTHER_USER)
        .send()
        .await
        .expect(StatusCode::CREATED);
    suite.finish().await;
}

#[tokio::test]
async fn a_refused_request_may_use_its_key_again() {
    let suite = suite().await;
    let ask = |body: Value| {
        let request = suite
            .request(Method::POST, "/v1/tasks")
            .idempotency_key("k1");
        request.json(&body).send()
    };
    let _refused = ask(json!({"title": ""}))
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    let _accepted = ask(json!({"title": "One"}))
        .await
        .expect(StatusCode::CREATED);
    suite.finish().await;
}

#[tokio::test]
async fn a_tree_has_five_levels_and_no_cycle() {
    let suite = suite().await;
    let root = create(&suite, json!({"title": "1"})).await;
    let mut levels = vec![root.clone()];
    for level in 2..=5 {
        let parent = &levels.last().unwrap()["id"];
        let child = create(
            &suite,
            json!({"title": level.to_string(), "parent_id": parent}),
        )
        .await;
        assert_eq!(&child["parent_id"], parent);
        levels.push(child);
    }

    let refused = |body: Value| suite.post("/v1/tasks", body, StatusCode::UNPROCESSABLE_ENTITY);
    let sixth = refused(json!({"title": "6", "parent_id": levels[4]["id"]})).await;
    assert_eq!(errors(&sixth), [("/parent_id", "too_deep")]);
    let orphan =
        refused(json!({"title": "x", "parent_id": "0198c0de-0000-7000-8000-00000000dead"})).await;
    assert_eq!(errors(&orphan), [("/parent_id", "unknown_parent")]);

    let under = |parent: &Value| json!({"parent_id": parent["id"]});
    let cycle = suite
        .patch(
            &path(&root, ""),
            under(&levels[4]),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(errors(&cycle), [("/parent_id", "cycle")]);

    // A task brings what is below it.
    let top = create(&suite, json!({"title": "0"})).await;
    let deep = suite
        .patch(
            &path(&root, ""),
            under(&top),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(errors(&deep), [("/parent_id", "too_deep")]);
    suite
        .patch(&path(&levels[1], ""), under(&top), StatusCode::OK)
        .await;

    suite.delete(&path(&top, ""), StatusCode::NO_CONTENT).await;
    let trashed = refused(json!({"title": "x", "parent_id": top["id"]})).await;
    assert_eq!(errors(&trashed), [("/parent_id", "parent_trashed")]);
    suite.finish().await;
}

#[tokio::test]
async fn reminders_keep_their_ids_over_a_patch() {
    let suite = suite().await;
    let trigger = |offset: &str| json!({"type": "relative", "to": "due", "offset": offset});
    let task = create(
        &suite,
        json!({"title": "x", "due": berlin("2027-01-31T09:00"),
               "reminders": [{"trigger": trigger("-PT30M")}, {"trigger": trigger("PT0S")}]}),
    )
    .await;
    let (first, second) = (&task["reminders"][0]["id"], &task["reminders"][1]["id"]);

    let patch = json!({"reminders": [
        {"trigger": trigger("-PT90M")}, {"id": second, "trigger": trigger("-PT1H")}, {"trigger": trigger("-PT30M")}]});
    let changed = suite.patch(&path(&task, ""), patch, StatusCode::OK).await;

    let ids: Vec<_> = (0..3)
        .map(|index| &changed["reminders"][index]["id"])
        .collect();
    assert_eq!((ids[1], ids[2]), (second, first));
    assert!(ids[0] != first && ids[0] != second);
    assert_eq!(changed["reminders"][0]["trigger"]["offset"], "-PT1H30M");

    let unknown = json!({"reminders": [{"id": task["id"], "trigger": trigger("PT0S")}]});
    let refused = suite
        .patch(&path(&task, ""), unknown, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(errors(&refused), [("/reminders/0/id", "unknown_reminder")]);
    suite.finish().await;
}

#[tokio::test]
async fn a_task_becomes_overdue_when_its_due_has_passed() {
    let suite = suite().await;
    let timed = create(
        &suite,
        json!({"title": "t", "due": berlin("2026-11-22T12:00")}),
    )
    .await;
    let dated = create(&suite, json!({"title": "d", "due": {"date": "2026-11-22"}})).await;
    let is_overdue =
        async |task: &Value| suite.get(&path(task, ""), StatusCode::OK).await["is_overdue"].clone();

    suite.advance(chrono::TimeDelta::hours(2));
    assert_eq!(is_overdue(&timed).await, true);
    assert_eq!(is_overdue(&dated).await, false);

    suite.advance(chrono::TimeDelta::hours(12));
    assert_eq!(is_overdue(&dated).await, true);
    suite
        .post(&path(&dated, "/complete"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(is_overdue(&dated).await, false);
    suite.finish().await;
}

#[tokio::test]
async fn what_was_answered_survives_a_restart() {
    let mut suite = suite().await;
    let task = create(&suite, json!({"title": "Pay rent"})).await;
    suite.restart().await;
    assert_eq!(suite.get(&path(&task, ""), StatusCode::OK).await, task);
    suite.finish().await;
}
