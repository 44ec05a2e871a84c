//! What was seen, beside what was expected.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::differences::DIFFERENCES;

/// A rule of which daprd makes something else than the local sidecar.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) rule: &'static str,
    pub(crate) local: &'static str,
    pub(crate) daprd: &'static str,
    pub(crate) why: &'static str,
}

/// The rules so far.
pub(crate) struct Seen {
    on_daprd: bool,
    rules: BTreeSet<&'static str>,
    wrong: String,
}

impl Seen {
    pub(crate) fn on(on_daprd: bool) -> Self {
        Self {
            on_daprd,
            rules: BTreeSet::new(),
            wrong: String::new(),
        }
    }

    /// Compares with what both sidecars do, or, where they differ, with what the table says of this one.
    pub(crate) fn check(&mut self, rule: &'static str, expected: &str, seen: impl AsRef<str>) {
        assert!(self.rules.insert(rule), "{rule:?} is there twice");
        let listed = DIFFERENCES.iter().find(|listed| listed.rule == rule);
        if let Some(Difference { local, daprd, .. }) = listed
            && (*local != expected || local == daprd)
        {
            let _ = writeln!(self.wrong, "{rule}: the difference that is listed is none");
        }
        let expected = match listed {
            Some(listed) if self.on_daprd => listed.daprd,
            _ => expected,
        };
        let seen = seen.as_ref();
        if seen != expected {
            let _ = writeln!(
                self.wrong,
                "{rule}\n  expected {expected}\n  seen     {seen}"
            );
        }
    }

    /// Fails when anything was not as expected, or a difference belongs to no rule.
    pub(crate) fn judge(self) {
        let unknown = DIFFERENCES
            .iter()
            .filter(|difference| !self.rules.contains(difference.rule));
        let unknown: Vec<_> = unknown.map(|difference| difference.rule).collect();
        assert!(unknown.is_empty(), "differences of no rule: {unknown:?}");
        assert!(self.wrong.is_empty(), "\n{}", self.wrong);
    }
}
