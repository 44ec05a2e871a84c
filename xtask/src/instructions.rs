//! `cargo xtask instructions`: the instruction counts of the hot functions against the committed ones.

mod baseline;
mod comparison;
mod measurement;
mod toolchain;

use std::path::Path;
use std::process::ExitCode;

use crate::root::say;
use baseline::Baseline;
use comparison::Comparison;
use toolchain::Toolchain;

/// What to do with the counts.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Options {
    /// Writes what was counted to bench/instructions.json instead of failing on it.
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(root: &Path, options: Options) -> anyhow::Result<ExitCode> {
    let toolchain = Toolchain::current()?;
    let known = match Baseline::read(root) {
        // What another compiler made cannot be compared: only replaced.
        Ok(known) if known.toolchain == toolchain => Some(known),
        Ok(_) | Err(_) if options.update => None,
        Ok(known) => {
            say(&known.toolchain.refusal(&toolchain));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error),
    };
    let counted = measurement::count(root)?;
    let known_counts = known.map(|known| known.instructions).unwrap_or_default();
    let comparison = Comparison::of(&known_counts, &counted);
    for line in comparison.lines() {
        say(&line);
    }
    if options.update {
        let count = counted.len();
        Baseline::new(toolchain, counted).write(root)?;
        say(&format!(
            "instructions: wrote {count} counts to {}",
            baseline::FILE
        ));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if comparison.is_accepted() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
