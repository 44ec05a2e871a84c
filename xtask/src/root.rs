//! Where the workspace is, its cargo, and how we talk to the person in front of it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the root `Cargo.toml`.
pub(crate) fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// Cargo in the workspace, without what the cargo that runs us has told us about ourselves: build scripts
/// look at these variables, and crates would be built again each time.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// One line for the person who ran the command.
#[expect(
    clippy::print_stderr,
    reason = "a command-line tool talks to its terminal"
)]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
