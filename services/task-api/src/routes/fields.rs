//! Reading a body field by field, so that one answer names every wrong one.

use event_schema::{MonthOverflow, Priority};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::domain::Fault;
use crate::domain::task::Edit;
use crate::error::Error;

/// More mistakes than this help nobody.
const MAX_FAULTS: usize = 50;

/// Members that an object must not have. Flatten it into a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unknown(Vec<String>);

impl<'de> Deserialize<'de> for Unknown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::<String, Value>::deserialize(deserializer)?;
        Ok(Self(members.into_iter().map(|(name, _)| name).collect()))
    }
}

/// A member of a body as it was sent. Reading it never fails: what is wrong is found by [`Reader`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    Null,
    Is(T),
    /// It is of another type.
    Wrong,
}

/// What a member of a type must be, in the words of people who write bodies.
pub(super) trait Expected {
    const EXPECTED: &'static str;
}

impl Expected for String {
    const EXPECTED: &'static str = "text";
}

impl Expected for u16 {
    const EXPECTED: &'static str = "a whole number";
}

impl<T> Expected for Vec<T> {
    const EXPECTED: &'static str = "a list";
}

impl Expected for Priority {
    const EXPECTED: &'static str = "none, low, medium, high or urgent";
}

impl Expected for MonthOverflow {
    const EXPECTED: &'static str = "clamp or skip";
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        Ok(T::deserialize(value).map_or(Self::Wrong, Self::Is))
    }
}

/// Collects what is wrong with a body.
#[derive(Debug, Default)]
pub(super) struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    /// Notes a fault.
    pub(super) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }

    /// A member that must be there.
    pub(super) fn required<T: Expected>(&mut self, pointer: &str, field: Field<T>) -> Option<T> {
        match self.edit(pointer, field) {
            Edit::To(Some(value)) => Some(value),
            Edit::Keep if self.is_wrong(pointer) => None,
            Edit::Keep | Edit::To(None) => {
                self.fault(Fault::new(pointer, "missing", "is required"));
                None
            }
        }
    }

    /// A member that may be absent or null.
    pub(super) fn optional<T: Expected>(&mut self, pointer: &str, field: Field<T>) -> Option<T> {
        match self.edit(pointer, field) {
            Edit::To(value) => value,
            Edit::Keep => None,
        }
    }

    /// A member of a merge patch: absent keeps, null clears.
    pub(super) fn edit<T: Expected>(&mut self, pointer: &str, field: Field<T>) -> Edit<Option<T>> {
        match field {
            Field::Absent => Edit::Keep,
            Field::Null => Edit::To(None),
            Field::Is(value) => Edit::To(Some(value)),
            Field::Wrong => {
                let message = format!("must be {}", T::EXPECTED);
                self.fault(Fault::new(pointer, "wrong_type", message));
                Edit::Keep
            }
        }
    }

    /// Notes members that an object must not have.
    pub(super) fn unknown(&mut self, object: &str, unknown: &Unknown) {
        for name in &unknown.0 {
            let name = name.replace('~', "~0").replace('/', "~1");
            let pointer = format!("{object}/{name}");
            self.fault(Fault::new(pointer, "unknown_field", "is not a known field"));
        }
    }

    /// The same, of an object that comes back as it was read: what we alone say is not read.
    pub(super) fn unknown_but(&mut self, object: &str, unknown: &Unknown, said: &[&str]) {
        let names = unknown
            .0
            .iter()
            .filter(|name| !said.contains(&name.as_str()));
        self.unknown(object, &Unknown(names.cloned().collect()));
    }

    /// The value, or a fault.
    pub(super) fn check<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.fault(fault)).ok()
    }

    /// A value in its text form, or a fault.
    pub(super) fn parse<T>(
        &mut self,
        pointer: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let value = parse(text);
        if value.is_none() {
            self.fault(Fault::new(
                pointer,
                "invalid_value",
                format!("must be {expected}"),
            ));
        }
        value
    }

    /// Reads a member that is an object: its own pointers begin at it.
    pub(super) fn inside<T>(&mut self, pointer: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut inner = Self::default();
        let value = read(&mut inner);
        for fault in inner.faults {
            let pointer = format!("{pointer}{}", fault.pointer);
            self.fault(Fault { pointer, ..fault });
        }
        value
    }

    /// Whether something is wrong with the member or inside it.
    pub(super) fn is_wrong(&self, pointer: &str) -> bool {
        self.faults.iter().any(|fault| {
            let rest = fault.pointer.strip_prefix(pointer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Refuses the body if anything is wrong.
    pub(super) fn finish(self) -> Result<(), Error> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.faults))
        }
    }
}
