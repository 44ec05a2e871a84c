//! What others take for the same job: installed by npm, each only as far as it can be.

mod jobs;
mod restate;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::case::Side;
use crate::place::Kind;
use crate::report::say;

pub(crate) use restate::Restate;

const FILES: [(&str, &str); 5] = [
    ("package.json", include_str!("../peers/package.json")),
    ("load.mjs", include_str!("../peers/load.mjs")),
    ("pg-boss.mjs", include_str!("../peers/pg-boss.mjs")),
    (
        "graphile-worker.mjs",
        include_str!("../peers/graphile-worker.mjs"),
    ),
    ("restate.mjs", include_str!("../peers/restate.mjs")),
];

/// What could be installed, and where.
#[derive(Debug)]
pub(crate) struct Peers {
    folder: PathBuf,
    found: Vec<Side>,
    /// A sentence for each that could not.
    pub(crate) missing: Vec<String>,
}

impl Peers {
    /// Installs what is not there. Fails only when the folder cannot be written.
    pub(crate) fn install(folder: &Path, database: Kind) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        for (name, text) in FILES {
            fs::write(folder.join(name), text)?;
        }
        let mut peers = Self {
            folder,
            found: Vec::new(),
            missing: Vec::new(),
        };
        say(&format!("peers: npm install in {}", peers.folder.display()));
        if let Err(reason) = npm_install(&peers.folder) {
            peers
                .missing
                .push(format!("npm cannot install everything: {reason}"));
        }
        let installed = |name: &str| peers.folder.join("node_modules").join(name).exists();
        let found = [
            (Side::PgBoss, installed("pg-boss")),
            (Side::GraphileWorker, installed("graphile-worker")),
            (Side::Restate, peers.restate_server().is_some()),
        ];
        for (side, is_there) in found {
            peers.take(side, is_there, database);
        }
        Ok(peers)
    }

    fn take(&mut self, side: Side, is_there: bool, database: Kind) {
        let reason = if !is_there {
            "it could not be installed"
        } else if side != Side::Restate && database == Kind::Sqlite {
            "it knows PostgreSQL only"
        } else {
            return self.found.push(side);
        };
        let sentence = format!("{side} is not compared: {reason}.");
        self.missing.push(sentence);
    }

    /// The program itself: npm's own name for it is a script that would outlive us as its child.
    fn restate_server(&self) -> Option<PathBuf> {
        let packages = fs::read_dir(self.folder.join("node_modules/@restatedev")).ok()?;
        let programs = packages.flatten().filter_map(|package| {
            let name = package.file_name().into_string().ok()?;
            let is_server = name.starts_with("restate-server-");
            is_server.then(|| package.path().join("bin/restate-server"))
        });
        programs.into_iter().find(|program| program.exists())
    }

    /// Who takes part.
    pub(crate) fn sides(&self) -> Vec<Side> {
        [&[Side::Ledger, Side::Timers], self.found.as_slice()].concat()
    }
}

/// Without the packages' own scripts: one of them reports home, and none is needed.
fn npm_install(folder: &Path) -> Result<(), String> {
    let output = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let first = complaint.lines().find(|line| line.starts_with("npm error"));
    Err(first.unwrap_or("it failed").to_owned())
}
