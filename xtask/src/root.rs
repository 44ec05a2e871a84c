//! Where the workspace is, and how we talk to the person in front of it.

use std::path::{Path, PathBuf};

/// The folder of the root `Cargo.toml`.
pub(crate) fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// One line for the person who ran the command.
#[expect(
    clippy::print_stderr,
    reason = "a command-line tool talks to its terminal"
)]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
