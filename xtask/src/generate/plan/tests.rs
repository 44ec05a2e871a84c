use tempfile::TempDir;

use super::*;
use crate::root::workspace_root;

const SCHEMA: &str = "shared/event-schema/schemas/task.completed.v1/1.0.0.json";

/// A tree with every example and nothing generated yet.
fn tree() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for event_type in all_events() {
        let path = file(GOLDEN, event_type);
        let target = folder.path().join(&path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(workspace_root().join(&path), target).unwrap();
    }
    let components = folder.path().join("dapr-components");
    fs::create_dir_all(&components).unwrap();
    let kafka = "dapr-components/kafka-pubsub.yaml";
    let text = fs::read_to_string(workspace_root().join(kafka)).unwrap();
    let empty = text.replace("  - notifier\n", "");
    fs::write(folder.path().join(kafka), empty).unwrap();
    let alerts = "monitoring/alerts.yml";
    fs::create_dir_all(folder.path().join("monitoring")).unwrap();
    fs::copy(workspace_root().join(alerts), folder.path().join(alerts)).unwrap();
    folder
}

fn generated() -> TempDir {
    let folder = tree();
    Plan::compare(folder.path(), false)
        .unwrap()
        .write(folder.path())
        .unwrap();
    folder
}

/// Changes a schema as an earlier commit might have had it.
fn rewrite(folder: &TempDir, change: impl FnOnce(&mut Value)) {
    let path = folder.path().join(SCHEMA);
    let mut schema = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut schema);
    fs::write(path, schema.to_string()).unwrap();
}

#[test]
fn what_is_missing_is_written_once() {
    let folder = tree();

    let plan = Plan::compare(folder.path(), false).unwrap();
    assert_eq!(plan.refusals(), Vec::<String>::new());
    assert_eq!(
        plan.differences().len(),
        all_events().count() + contract::files(folder.path()).unwrap().len() + 1
    );
    plan.write(folder.path()).unwrap();

    let again = Plan::compare(folder.path(), false).unwrap();
    assert_eq!(again.differences(), Vec::<String>::new());
}

#[test]
fn a_stale_file_is_a_difference_and_may_be_written() {
    let folder = generated();
    fs::write(folder.path().join(CATALOGUE), "by hand").unwrap();
    rewrite(&folder, |schema| {
        schema["description"] = "older words".into();
    });

    let plan = Plan::compare(folder.path(), false).unwrap();

    assert_eq!(plan.differences().len(), 2);
    assert_eq!(plan.refusals(), Vec::<String>::new());
}

#[test]
fn a_schema_that_others_could_not_read_is_refused_unless_it_is_unreleased() {
    let folder = generated();
    rewrite(&folder, |schema| {
        schema["properties"]["note"] = serde_json::json!({});
    });

    let plan = Plan::compare(folder.path(), false).unwrap();
    assert!(
        plan.refusals()[0].contains("data.note was removed"),
        "{:?}",
        plan.refusals()
    );

    let unreleased = Plan::compare(folder.path(), true).unwrap();
    assert_eq!(unreleased.refusals(), Vec::<String>::new());
    assert_eq!(unreleased.differences().len(), 1);
}

#[test]
fn a_checked_in_schema_does_not_change_without_a_new_version() {
    let folder = generated();
    rewrite(&folder, |schema| {
        let parts = &mut schema["$defs"]["Task"]["properties"];
        parts.as_object_mut().unwrap().remove("deadline");
    });

    let refusals = Plan::compare(folder.path(), false).unwrap().refusals();

    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert!(refusals[0].contains("raise the minor"), "{refusals:?}");
    let unreleased = Plan::compare(folder.path(), true).unwrap();
    assert_eq!(unreleased.refusals(), Vec::<String>::new());
}

#[test]
fn files_of_a_version_that_no_step_leads_from_are_refused() {
    let folder = generated();
    for parent in [SCHEMAS, GOLDEN] {
        let path = format!("{parent}/task.completed.v1/0.9.0.json");
        fs::write(folder.path().join(path), "{}").unwrap();
    }

    let refusals = Plan::compare(folder.path(), false).unwrap().refusals();

    assert_eq!(refusals.len(), 2, "{refusals:?}");
    assert!(refusals[0].contains("0.9.0.json: no step leads from this version"));
}

/// The plan for one type, had it a later version by now.
fn as_older(folder: &TempDir) -> Plan {
    let mut plan = Plan::default();
    plan.compare_older(folder.path(), "task.completed.v1/1.0.0")
        .unwrap();
    plan
}

#[test]
fn what_an_older_example_is_read_as_is_written_beside_it() {
    let folder = generated();

    let plan = as_older(&folder);
    assert_eq!(plan.differences().len(), 1, "{:?}", plan.differences());
    plan.write(folder.path()).unwrap();

    assert_eq!(as_older(&folder).differences(), Vec::<String>::new());
    let beside = SCHEMA
        .replace("schemas", "golden")
        .replace(".json", ".current.json");
    let form = fs::read_to_string(folder.path().join(beside)).unwrap();
    let form: Value = serde_json::from_str(&form).unwrap();
    assert_eq!(form["type"], "task.completed.v1");
    assert_eq!(form["data"]["task"]["status"], "completed");
}

#[test]
fn an_older_version_keeps_its_schema_and_its_example() {
    let folder = generated();
    for path in [SCHEMA.to_owned(), SCHEMA.replace("schemas", "golden")] {
        fs::remove_file(folder.path().join(path)).unwrap();
    }

    let refusals = as_older(&folder).refusals();

    assert_eq!(refusals.len(), 2, "{refusals:?}");
    assert!(refusals[0].ends_with("an older version keeps its schema"));
    assert!(refusals[1].ends_with("an older version keeps its example"));
}

#[test]
fn a_missing_example_is_refused() {
    let folder = generated();
    fs::remove_file(folder.path().join(SCHEMA.replace("schemas", "golden"))).unwrap();

    let refusals = Plan::compare(folder.path(), false).unwrap().refusals();

    assert_eq!(refusals.len(), 1);
    assert!(refusals[0].contains("golden/task.completed.v1/1.0.0.json: missing"));
}

#[test]
fn files_of_no_type_are_refused() {
    let folder = generated();
    for parent in [SCHEMAS, GOLDEN] {
        fs::create_dir(folder.path().join(parent).join("task.teleported.v1")).unwrap();
    }

    assert_eq!(
        Plan::compare(folder.path(), false)
            .unwrap()
            .refusals()
            .len(),
        2
    );
}
