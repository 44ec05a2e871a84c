//! A rule in the words of people.

mod english;

use crate::Schedule;

pub use english::English;

/// A language that rules can be told in.
///
/// A language makes the whole sentence, because grammar differs more than words do.
pub trait Language: Sync {
    /// Says when the schedule repeats, as a part of a sentence: "every month on the 31st, or the
    /// last day".
    fn describe(&self, schedule: &Schedule) -> String;
}

/// The languages we speak, by the primary subtag of RFC 5646. The first is spoken to all others.
const LANGUAGES: [(&str, &dyn Language); 1] = [("en", &English)];

/// Returns the language of a tag such as `en-GB`; English for those that we do not speak.
pub fn language(tag: &str) -> &'static dyn Language {
    let primary = tag.split(['-', '_']).next().unwrap_or(tag);
    let found = LANGUAGES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(primary));
    found.map_or(LANGUAGES[0].1, |(_, language)| *language)
}
