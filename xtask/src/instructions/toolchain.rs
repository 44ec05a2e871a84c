//! What turned the code into instructions. Counts of two compilers cannot be compared.

use std::process::Command;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

/// The compiler and what it compiles for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Toolchain {
    pub(super) rustc: String,
    pub(super) target: String,
}

impl Toolchain {
    /// The one that cargo uses here.
    pub(super) fn current() -> anyhow::Result<Self> {
        let output = Command::new("rustc")
            .arg("-vV")
            .output()
            .context("cannot run rustc")?;
        ensure!(output.status.success(), "rustc -vV failed");
        Self::parse(&String::from_utf8_lossy(&output.stdout)).context("rustc -vV says too little")
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
            values.next().map(str::to_owned)
        };
        Some(Self {
            rustc: value("release: ")?,
            target: value("host: ")?,
        })
    }

    /// Why counts made by `self` say nothing about what `current` makes, and what to do.
    pub(super) fn refusal(&self, current: &Self) -> String {
        format!(
            "instructions: {} was counted with rustc {} for {}, this is rustc {} for {}: counts of two \
             compilers cannot be compared. Use the compiler of before, or count the unchanged code \
             again with `cargo xtask instructions --update` and commit the file.",
            super::baseline::FILE,
            self.rustc,
            self.target,
            current.rustc,
            current.target
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_read_from_what_it_says_of_itself() {
        let text = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\n\
                    host: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";
        let expected = Toolchain {
            rustc: "1.95.0".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
        };
        assert_eq!(Toolchain::parse(text), Some(expected));
        assert_eq!(Toolchain::parse("rustc 1.95.0"), None);
    }
}
