//! What this machine has to have for stand-ins: all that is missing is said at once, before minutes are
//! spent on the first of them.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;

use super::super::root_fs::found;
use super::TARGET;
use crate::stack::missing_programs;

/// Besides what a stack needs, and the packages that bring them.
const PROGRAMS: [(&str, &str); 3] = [
    ("busybox", "busybox: apt-get install busybox-static"),
    ("haproxy", "haproxy: apt-get install haproxy"),
    ("musl-gcc", "musl-gcc: apt-get install musl-tools"),
];

/// Says all that is missing.
pub(in crate::compose) fn check(root: &Path) -> anyhow::Result<()> {
    let mut missing = missing_programs();
    missing.extend(absent(&PROGRAMS).map(ToOwned::to_owned));
    if !has_target(root) {
        missing.push(format!("Rust's {TARGET}: rustup target add {TARGET}"));
    }
    ensure!(
        missing.is_empty(),
        "stand-in images need what is not here:\n  {}",
        missing.join("\n  ")
    );
    Ok(())
}

fn absent<'a>(programs: &'a [(&str, &str)]) -> impl Iterator<Item = &'a str> {
    let here = |program: &str, package: &str| found(program, package).is_ok();
    programs
        .iter()
        .filter(move |(program, package)| !here(program, package))
        .map(|(_, package)| *package)
}

/// For the compiler that builds what is below `root`.
fn has_target(root: &Path) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(root);
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let folder = rustc
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    Path::new(String::from_utf8_lossy(&folder).trim()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_that_is_missing_is_named_with_its_package() {
        let programs = [
            ("no-such-program", "the first package"),
            ("sh", "the shell"),
            ("nor-this-one", "the second package"),
        ];

        let named: Vec<_> = absent(&programs).collect();

        assert_eq!(named, ["the first package", "the second package"]);
    }
}
