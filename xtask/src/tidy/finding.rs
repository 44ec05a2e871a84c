//! What a check has to say.

use std::fmt;

/// A place that breaks a rule, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    path: String,
    line: usize,
    advice: String,
}

impl Finding {
    pub(super) fn new(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            advice: advice.into(),
        }
    }

    /// About a whole file or folder.
    pub(super) fn of(path: &str, advice: impl Into<String>) -> Self {
        Self::new(path, 1, advice)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// What the tests of a check compare.
#[cfg(test)]
pub(super) fn lines(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|found| format!("{}:{}", found.path, found.line))
        .collect()
}
