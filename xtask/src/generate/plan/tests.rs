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
    assert_eq!(plan.differences().len(), all_events().count() + 1);
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
