//! Whose process the server is: PostgreSQL refuses to run as root.

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The account that the server runs as; `None` when we are not root and run it ourselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    pub(crate) fn choose() -> anyhow::Result<Self> {
        if id(&["-u"])? != 0 {
            return Ok(Self(None));
        }
        let mut known = UNPRIVILEGED
            .iter()
            .filter_map(|name| Some((id(&["-u", name]).ok()?, id(&["-g", name]).ok()?)));
        let account = known.next().with_context(|| {
            format!("root cannot run PostgreSQL, and none of the users {UNPRIVILEGED:?} exists")
        })?;
        Ok(Self(Some(account)))
    }

    /// A command that runs as this account.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Self(Some((user, group))) = self {
            command.uid(user).gid(group);
        }
        command
    }

    /// Hands a folder over to this account.
    pub(crate) fn own(self, folder: &Path) -> io::Result<()> {
        match self {
            Self(Some((user, group))) => chown(folder, Some(user), Some(group)),
            Self(None) => Ok(()),
        }
    }
}

fn id(arguments: &[&str]) -> anyhow::Result<u32> {
    let output = Command::new("id")
        .args(arguments)
        .output()
        .context("cannot run id")?;
    ensure!(output.status.success(), "id {arguments:?} failed");
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}
