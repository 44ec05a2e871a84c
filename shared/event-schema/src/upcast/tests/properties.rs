//! Whatever stands in an old event, reading it neither panics nor changes who and where it was.

use proptest::collection::{btree_map, vec};
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use proptest::sample::select;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::chores::{ChoreEvent, VERSIONS, envelope, renamed, today};
use crate::registry::Family;
use crate::{Decoded, Envelope, decode};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        select(vec![
            Value::Null,
            true.into(),
            1.into(),
            u64::MAX.into(),
            i64::MIN.into(),
            0.5.into()
        ]),
        any::<String>().prop_map(Value::from),
    ];
    let names = select(vec![
        "name", "title", "effort", "reason", "minutes", "id", "from", "to",
    ]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(names.clone(), inner, 0..5).prop_map(|members| json!(members)),
        ]
    })
}

fn form(envelope: &Envelope) -> Value {
    Family::of::<ChoreEvent>()
        .current_form(envelope)
        .unwrap()
        .unwrap()
}

/// The envelope as a service of today would have written it.
fn rewritten(envelope: &Envelope) -> Envelope {
    let form = form(envelope);
    Envelope {
        event_type: form["type"].as_str().unwrap().to_owned(),
        dataschema: form["dataschema"].as_str().map(str::to_owned),
        data: to_raw_value(&form["data"]).unwrap(),
        ..envelope.clone()
    }
}

proptest! {
    #[test]
    fn no_json_makes_a_step_panic(
        version in select(VERSIONS.to_vec()),
        change in any_json(),
        state in any_json(),
    ) {
        let data = json!({ "actor": today().actor, "change": change, "chore": state });
        let old = envelope(version.0, Some(version.1), &data);
        let before = old.data.get().to_owned();

        if let Ok(Decoded::Known(read)) = decode::<ChoreEvent>(&old) {
            assert_eq!(read.actor, today().actor);
        }

        assert_eq!(old.data.get(), before);
    }

    #[test]
    fn what_was_brought_to_today_stays_as_it_is(version in select(VERSIONS.to_vec())) {
        let once = rewritten(&renamed(version.0, version.1));
        let twice = rewritten(&once);

        assert_eq!(once.data.get(), twice.data.get());
        assert_eq!(once.event_type, twice.event_type);
        assert_eq!(once.dataschema, twice.dataschema);
    }

    #[test]
    fn a_step_keeps_what_it_does_not_know(
        version in select(VERSIONS.to_vec()),
        title in any::<String>(),
        units in 0..1_000_000_u64,
    ) {
        let mut data: Value = serde_json::from_str(renamed(version.0, version.1).data.get()).unwrap();
        for name in ["name", "title"] {
            if let Some(text) = data["chore"].get_mut(name) {
                *text = title.clone().into();
            }
        }
        match data["chore"].get_mut("effort") {
            Some(Value::Object(effort)) => drop(effort.insert("minutes".to_owned(), (units * 30).into())),
            Some(effort) => *effort = units.into(),
            None => {}
        }

        let old = envelope(version.0, Some(version.1), &data);
        let Ok(Decoded::Known(read)) = decode::<ChoreEvent>(&old) else {
            panic!("{data}")
        };

        assert_eq!(read.state.title, title);
        assert_eq!(read.state.id, today().state.id);
        let expected = if version.1 == "1.0.0" { 30 } else { units * 30 };
        assert_eq!(read.state.effort.minutes, expected);
        assert_eq!((old.subject.as_str(), old.version()), (super::Chore::ID, 7));
    }
}
