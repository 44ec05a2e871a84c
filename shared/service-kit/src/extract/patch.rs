//! The fields of a merge patch.

use serde::{Deserialize, Deserializer};

/// What a merge patch (RFC 7396) says about one field. Use it with `#[serde(default)]` and
/// `#[schema(value_type = Option<T>)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field is absent: leave it.
    #[default]
    Keep,
    /// The field is null: clear it.
    Clear,
    /// The field has a value: set it.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the patch leaves the field alone.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Converts the value to set, if there is one.
    pub fn try_map<U, E>(self, convert: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(convert(value)?),
        })
    }

    /// The field after the patch.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct TaskPatch {
        #[serde(default)]
        due: Patch<u32>,
    }

    #[test]
    fn absent_null_and_value_differ() {
        let read = |text| serde_json::from_str::<TaskPatch>(text).unwrap().due;
        assert_eq!(read("{}"), Patch::Keep);
        assert_eq!(read(r#"{"due":null}"#), Patch::Clear);
        assert_eq!(read(r#"{"due":7}"#), Patch::Set(7));
    }

    #[test]
    fn a_patch_is_applied() {
        assert_eq!(Patch::Keep.apply(Some(1)), Some(1));
        assert_eq!(Patch::Clear.apply(Some(1)), None);
        assert_eq!(Patch::Set(2).apply(Some(1)), Some(2));
    }
}
