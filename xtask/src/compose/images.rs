//! Images that the compose file names: pulled and built where that works, put together from this machine's
//! programs where no image can be had.

use std::collections::BTreeSet;
use std::path::Path;

use super::engine::{Engine, docker};
use super::stand_ins;
use crate::root::say;

/// Where images come from.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ImageOptions {
    /// Asks no registry: makes every image from this machine's programs. Without it only what cannot be
    /// pulled is made so.
    #[arg(long)]
    stand_ins: bool,
}

/// Marks an image as made by us under another's name.
pub(super) const LABEL: &str = "taskledger.stand-in";

/// Has every image there.
pub(super) fn prepare(
    root: &Path,
    cache: &Path,
    engine: &Engine,
    options: ImageOptions,
) -> anyhow::Result<()> {
    let listed = engine.ask(&["config", "--images"])?;
    let all: BTreeSet<&str> = listed.lines().collect();
    let (ours, public): (Vec<&str>, Vec<&str>) = all
        .into_iter()
        .partition(|image| image.starts_with("taskledger/"));
    let mut stand_ins = options.stand_ins;
    if stand_ins {
        stand_ins::check_needs(root)?;
    }
    for image in public {
        if is_there(image, options.stand_ins) {
            continue;
        }
        if !stand_ins && !pulled(image) {
            stand_ins = true;
            stand_ins::check_needs(root)?;
        }
        if stand_ins {
            stand_ins::make(root, cache, image)?;
        }
    }
    if stand_ins {
        stand_ins::make_ours(root, &ours)
    } else {
        engine.compose(&["build"])
    }
}

/// A stand-in is there only for whom wants one.
fn is_there(image: &str, stand_in_will_do: bool) -> bool {
    let format = format!("--format={{{{index .Config.Labels {LABEL:?}}}}}");
    match docker(&["image", "inspect", &format, image]) {
        Ok(label) => stand_in_will_do || label.is_empty() || label == "<no value>",
        Err(_) => false,
    }
}

fn pulled(image: &str) -> bool {
    say(&format!("compose: pulling {image}"));
    let outcome = docker(&["pull", "--quiet", image]);
    if let Err(error) = &outcome {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default();
        say(&format!(
            "compose: no image can be pulled, so stand-ins are made: {why}"
        ));
    }
    outcome.is_ok()
}
