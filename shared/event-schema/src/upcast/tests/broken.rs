//! A registry with a fault is refused, in a sentence that names type and version.

use super::chores::{Chore, ChoreEvent, envelope, step, today};
use crate::registry::Family;
use crate::upcast::{Upcast, unchanged};
use crate::{DecodeError, EventSet, EventType, decode};
use serde_json::value::RawValue;

const MADE: Upcast = step("chore.made.v1/1.0.0", 1, "chore.made.v2/2.0.0", unchanged);
const RENAMED: Upcast = step(
    "chore.renamed.v1/1.0.0",
    1,
    "chore.renamed.v2/2.0.0",
    unchanged,
);

/// What the check says of the chores with this past.
fn fault(upcasts: &[Upcast]) -> String {
    let family = Family {
        upcasts: Vec::leak(upcasts.to_vec()),
        ..Family::of::<ChoreEvent>()
    };
    family
        .check()
        .map_or_else(|error| error.to_string(), |()| "sound".to_owned())
}

#[test]
fn a_broken_chain_is_named_with_its_version() {
    let made = "chore.made.v1/1.0.0";
    for (first, second, expected) in [
        (MADE, RENAMED, "sound"),
        (
            step(made, 1, "chore.made.v4/4.0.0", unchanged),
            RENAMED,
            "chore.made.v1/1.0.0 leads to chore.made.v4/4.0.0, which is no version of the family",
        ),
        (
            step("made", 1, "chore.made.v2/2.0.0", unchanged),
            RENAMED,
            "made is not `<type>.v<major>/<major>.<minor>.<patch>` with one major in both",
        ),
        (
            step("chore.made.v1/2.0.0", 1, "chore.made.v2/2.0.0", unchanged),
            RENAMED,
            "chore.made.v1/2.0.0 is not `<type>.v<major>/<major>.<minor>.<patch>` with one major in both",
        ),
        (
            step(made, 1, "chore.made.v2/two", unchanged),
            RENAMED,
            "chore.made.v2/two is not `<type>.v<major>/<major>.<minor>.<patch>` with one major in both",
        ),
        (
            step(made, 0, "chore.made.v2/2.0.0", unchanged),
            RENAMED,
            "chore.made.v1/1.0.0 carries version 0 of the state, but chore.made.v2/2.0.0 carries 4",
        ),
        (
            step(made, 5, "chore.made.v2/2.0.0", unchanged),
            RENAMED,
            "chore.made.v1/1.0.0 carries version 5 of the state, but chore.made.v2/2.0.0 carries 4",
        ),
        (
            step(
                "chore.made.v2/2.0.0",
                1,
                "chore.renamed.v2/2.0.0",
                unchanged,
            ),
            RENAMED,
            "chore.made.v2/2.0.0 is what is written today: no step begins there",
        ),
        (
            step("chore.made.v1/1.1.0", 1, "chore.made.v2/2.0.0", unchanged),
            RENAMED,
            "chore.made.v1/1.0.0 has no step, though later minors are known",
        ),
        (
            step(
                "chore.lost.v1/1.0.0",
                1,
                "chore.renamed.v2/2.0.0",
                unchanged,
            ),
            RENAMED,
            "chore.made.v1/1.0.0 has no step, though chore.made.v2 is known",
        ),
    ] {
        let said = fault(&[first, second]);

        assert!(said.ends_with(expected), "{said}");
    }
}

#[test]
fn a_fork_a_circle_and_a_jump_are_named() {
    for (upcasts, expected) in [
        (
            vec![
                MADE,
                RENAMED,
                step("chore.made.v1/1.0.0", 2, "chore.made.v2/2.0.0", unchanged),
            ],
            "chore.made.v1/1.0.0 has two steps out of it",
        ),
        (
            vec![
                step("chore.made.v1/1.0.0", 1, "chore.lost.v1/1.0.0", unchanged),
                step("chore.lost.v1/1.0.0", 1, "chore.made.v1/1.0.0", unchanged),
            ],
            "chore.made.v1/1.0.0 leads round in a circle",
        ),
        (
            vec![
                step("chore.made.v1/1.0.0", 1, "chore.made.v1/1.2.0", unchanged),
                step("chore.made.v1/1.2.0", 1, "chore.made.v2/2.0.0", unchanged),
            ],
            "chore.made.v1/1.0.0 does not lead to the next minor but to chore.made.v1/1.2.0",
        ),
        (
            vec![
                step("chore.made.v1/1.0.0", 3, "chore.made.v1/1.1.0", unchanged),
                step("chore.made.v1/1.1.0", 2, "chore.made.v2/2.0.0", unchanged),
            ],
            "chore.made.v1/1.0.0 carries version 3 of the state, but chore.made.v1/1.1.0 carries 2",
        ),
        (
            vec![
                MADE,
                RENAMED,
                step("chore.made.v1/1.0.1", 1, "chore.made.v2/2.0.0", unchanged),
            ],
            "chore.made.v1/1.0.1 stands beside another with its minor",
        ),
    ] {
        let said = fault(&upcasts);

        assert!(said.ends_with(expected), "{said}");
        assert!(
            said.starts_with("the steps between versions of events are broken: "),
            "{said}"
        );
    }
}

/// The chores with a step to nowhere, in a service that did not check.
#[derive(Clone, Debug)]
struct Stranded;

impl EventSet for Stranded {
    type State = Chore;
    const TYPES: &'static [EventType] = ChoreEvent::TYPES;
    const UPCASTS: &'static [Upcast] = &[
        step("chore.made.v1/1.0.0", 1, "chore.made.v9/9.0.0", unchanged),
        step(
            "chore.renamed.v1/1.0.0",
            1,
            "chore.renamed.v1/1.1.0",
            unchanged,
        ),
        step(
            "chore.renamed.v1/1.1.0",
            1,
            "chore.renamed.v1/1.0.0",
            unchanged,
        ),
    ];

    fn event_type(&self) -> &'static EventType {
        &Self::TYPES[0]
    }

    fn change_json(&self) -> serde_json::Result<Box<RawValue>> {
        Ok(RawValue::NULL.to_owned())
    }

    fn from_change(_: &str, _: &RawValue, _: &Chore) -> Option<serde_json::Result<Self>> {
        Some(Ok(Self))
    }
}

#[test]
fn an_event_that_no_step_leads_from_is_an_error_and_never_skipped() {
    for event_type in ["chore.made.v1", "chore.renamed.v1"] {
        let data = serde_json::json!({
            "actor": today().actor, "change": {}, "chore": { "id": Chore::ID, "owner_id": Chore::ID, "name": "" },
        });

        let read = decode::<Stranded>(&envelope(event_type, Some("1.0.0"), &data));

        let Err(DecodeError::Stranded { version }) = read else {
            panic!("{event_type}: {read:?}")
        };
        assert_eq!(version, format!("{event_type}/1.0.0"));
    }
}
