//! Lists: pages behind opaque cursors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::ErrorKind;
use crate::problem::Problem;

/// The largest page.
pub const MAX_LIMIT: u16 = 200;
/// The page of a caller who does not say.
pub const DEFAULT_LIMIT: u16 = 50;
/// A cursor longer than this is not ours.
const MAX_CURSOR: usize = 1024;
/// Changes when cursors of before can no longer be read.
const VERSION: u8 = 1;

/// The query parameters of every list. Flatten nothing: list handlers repeat the two fields if they
/// have more, because `serde(flatten)` would lose which parameter was wrong.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    pub limit: Limit,
    /// Where the previous page ended: its `next_cursor`.
    pub cursor: Option<Cursor>,
}

/// How many items a page has at most: 1 to 200 unless a list says otherwise, 50 when absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<const MOST: u16 = MAX_LIMIT>(u16);

impl<const MOST: u16> Limit<MOST> {
    /// The limit as a number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl<const MOST: u16> Default for Limit<MOST> {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl<'de, const MOST: u16> Deserialize<'de> for Limit<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u16::deserialize(deserializer)?;
        if (1..=MOST).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(serde::de::Error::custom(format_args!(
                "must be between 1 and {MOST}"
            )))
        }
    }
}

/// A place in a list, opaque to callers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// The cursor of a place, usually the sort key of a page's last item.
    pub fn of<P: Serialize>(place: &P) -> Self {
        // Places are structs of numbers and strings, which always have a JSON form.
        let json = serde_json::to_vec(&(VERSION, place)).unwrap_or_default();
        Self(URL_SAFE_NO_PAD.encode(json))
    }

    /// The place, or 400 `cursor-invalid` when the cursor was not made for this list.
    pub fn place<P: DeserializeOwned>(&self) -> Result<P, Problem> {
        self.decode().ok_or_else(|| {
            Problem::new(ErrorKind::Malformed, "cursor-invalid")
                .detail("the cursor is not one of this list; start again without it")
        })
    }

    fn decode<P: DeserializeOwned>(&self) -> Option<P> {
        if self.0.len() > MAX_CURSOR {
            return None;
        }
        let json = URL_SAFE_NO_PAD.decode(&self.0).ok()?;
        let (version, place): (u8, P) = serde_json::from_slice(&json).ok()?;
        // A NUL in a place would be an error of the database instead of the caller's.
        let has_nul = json.windows(6).any(|window| window == b"\\u0000");
        (version == VERSION && !has_nul).then_some(place)
    }
}

/// A slice of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items in the list's order.
    pub items: Vec<T>,
    /// Where to go on, or null at the end.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes the page of `limit` items from the `limit + 1` that were asked of the store: the one
    /// too many tells that there is a next page.
    pub fn of<P: Serialize, const MOST: u16>(
        mut items: Vec<T>,
        limit: Limit<MOST>,
        place: impl Fn(&T) -> P,
    ) -> Self {
        let more = items.len() > usize::from(limit.get());
        items.truncate(usize::from(limit.get()));
        let next_cursor = items
            .last()
            .filter(|_| more)
            .map(|last| Cursor::of(&place(last)));
        Self { items, next_cursor }
    }

    /// The same page of other items.
    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(view).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_its_place_back() {
        let cursor = Cursor::of(&("2026-01-31", 7));
        assert_eq!(
            cursor.place::<(String, u32)>().unwrap(),
            ("2026-01-31".to_owned(), 7)
        );
    }

    #[test]
    fn a_cursor_that_is_not_ours_is_refused() {
        let foreign = URL_SAFE_NO_PAD.encode(r#"[2,["2026-01-31",7]]"#);
        let nul = URL_SAFE_NO_PAD.encode(r#"[1,["\u0000",7]]"#);
        let long = "A".repeat(MAX_CURSOR + 1);
        for text in ["", "%", "AAAA", &foreign, &nul, &long, &Cursor::of(&7).0] {
            let problem = Cursor(text.to_owned())
                .place::<(String, u32)>()
                .unwrap_err();
            assert_eq!(problem.to_json()["code"], "cursor-invalid", "{text}");
            assert_eq!(problem.status(), 400);
        }
    }

    #[test]
    fn one_item_too_many_makes_a_next_page() {
        let limit = Limit::<200>(2);
        let page = Page::of(vec![1, 2, 3], limit, |item| *item);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next_cursor.unwrap().place::<i32>().unwrap(), 2);
        assert_eq!(Page::of(vec![1, 2], limit, |item| *item).next_cursor, None);
    }

    #[test]
    fn a_limit_is_between_1_and_200() {
        let read = |query| serde_urlencoded::from_str::<PageQuery>(query).map(|page| page.limit.0);
        assert_eq!(read("").unwrap(), 50);
        assert_eq!(read("limit=200").unwrap(), 200);
        for query in [
            "limit=0",
            "limit=201",
            "limit=-1",
            "limit=x",
            "limit=",
            "limit=1&limit=2",
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
