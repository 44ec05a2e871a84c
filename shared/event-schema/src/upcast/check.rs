//! Whether every older version of a family leads to today's, one step at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::{Upcast, chain, destination, is, numbers, split};
use crate::registry::Family;

/// Why events of a version could not be read. A service with such a registry does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the steps between versions of events are broken: {version} {fault}")]
pub struct RegistryError {
    /// The type and its version, `task.updated.v1/1.0.0`.
    pub version: String,
    /// What is wrong with it.
    pub fault: String,
}

fn broken(version: &str, fault: impl Into<String>) -> RegistryError {
    RegistryError {
        version: version.to_owned(),
        fault: fault.into(),
    }
}

/// `task.updated.v1/1.2.0` taken apart: stem, major and minor.
struct Id {
    stem: &'static str,
    major: u32,
    minor: u32,
}

impl Id {
    fn parse(id: &'static str) -> Option<Self> {
        let (name, version) = split(id);
        let (stem, suffix) = name.rsplit_once(".v")?;
        let [major, minor, _] = numbers(version)?;
        (suffix.parse() == Ok(major)).then_some(Self { stem, major, minor })
    }

    fn of(id: &'static str) -> Result<Self, RegistryError> {
        Self::parse(id).ok_or_else(|| {
            let shape = "is not `<type>.v<major>/<major>.<minor>.<patch>` with one major in both";
            broken(id, shape)
        })
    }
}

impl Family {
    /// Checks that every older version of the family leads to today's: without a gap, a fork, a circle
    /// or a step to nowhere, and with a state that only becomes newer.
    pub fn check(&self) -> Result<(), RegistryError> {
        for step in self.upcasts {
            self.check_ends(step)?;
            self.check_way(step)?;
            self.check_state(step)?;
        }
        self.check_gaps()
    }

    fn check_ends(&self, step: &'static Upcast) -> Result<(), RegistryError> {
        let (from, to) = (Id::of(step.from)?, Id::of(step.to)?);
        if self.types.iter().any(|known| is(known, step.from)) {
            return Err(broken(
                step.from,
                "is what is written today: no step begins there",
            ));
        }
        if self
            .upcasts
            .iter()
            .filter(|other| other.from == step.from)
            .count()
            > 1
        {
            return Err(broken(step.from, "has two steps out of it"));
        }
        let same_type = (from.stem, from.major) == (to.stem, to.major);
        if same_type && to.minor != from.minor + 1 {
            return Err(broken(
                step.from,
                format!("does not lead to the next minor but to {}", step.to),
            ));
        }
        Ok(())
    }

    fn check_way(&self, step: &'static Upcast) -> Result<(), RegistryError> {
        if destination(self.types, self.upcasts, step).is_some() {
            return Ok(());
        }
        let end = chain(self.upcasts, step)
            .last()
            .map_or(step.to, |last| last.to);
        if self.upcasts.iter().any(|other| other.from == end) {
            return Err(broken(step.from, "leads round in a circle"));
        }
        Err(broken(
            step.from,
            format!("leads to {end}, which is no version of the family"),
        ))
    }

    fn check_state(&self, step: &'static Upcast) -> Result<(), RegistryError> {
        let next = self.upcasts.iter().find(|next| next.from == step.to);
        let newest = next.map_or(self.state_version, |next| next.state);
        if (1..=newest).contains(&step.state) {
            return Ok(());
        }
        let fault = format!(
            "carries version {} of the state, but {} carries {newest}",
            step.state, step.to
        );
        Err(broken(step.from, fault))
    }

    /// Minors begin at 0 and follow each other, and so do majors, which begin at 1.
    fn check_gaps(&self) -> Result<(), RegistryError> {
        let mut majors: BTreeMap<(&str, u32), BTreeSet<u32>> = BTreeMap::new();
        for id in self.versions() {
            let (name, version) = id;
            let whole = format!("{name}/{version}");
            let parsed = name.rsplit_once(".v").zip(numbers(version));
            let Some(((stem, _), [major, minor, _])) = parsed else {
                return Err(broken(&whole, "is not a version"));
            };
            if !majors.entry((stem, major)).or_default().insert(minor) {
                return Err(broken(&whole, "stands beside another with its minor"));
            }
        }
        for ((stem, major), minors) in &majors {
            if let Some((gap, _)) = (0..)
                .zip(minors)
                .find(|(expected, minor)| expected != *minor)
            {
                let missing = format!("{stem}.v{major}/{major}.{gap}.0");
                return Err(broken(
                    &missing,
                    "has no step, though later minors are known",
                ));
            }
            if *major > 1 && !majors.contains_key(&(*stem, major - 1)) {
                let missing = format!("{stem}.v{}/{}.0.0", major - 1, major - 1);
                return Err(broken(
                    &missing,
                    format!("has no step, though {stem}.v{major} is known"),
                ));
            }
        }
        Ok(())
    }
}
