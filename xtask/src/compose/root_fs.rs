//! Root file systems put together from programs of this machine, each with the libraries that it loads.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// A folder that becomes an image.
#[derive(Debug)]
pub(super) struct RootFs {
    folder: PathBuf,
}

impl RootFs {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("tmp")).context("a folder for an image")?;
        fs::set_permissions(folder.join("tmp"), fs::Permissions::from_mode(0o1777))?;
        let folder = folder.to_path_buf();
        Ok(Self { folder })
    }

    /// A program of this machine at a place, with its libraries where they are here.
    pub(super) fn program(&self, source: &Path, place: &str) -> anyhow::Result<()> {
        self.copy(source, place)?;
        self.libraries(source, None)
    }

    /// The libraries that a program or another library loads, but for those in a folder that comes as a
    /// whole.
    pub(super) fn libraries(&self, of: &Path, whole: Option<&Path>) -> anyhow::Result<()> {
        for library in loaded(of)? {
            let place = library.display().to_string();
            let comes = whole.is_some_and(|folder| library.starts_with(folder));
            if !comes && !self.at(&place).exists() {
                self.copy(&library, &place)?;
            }
        }
        Ok(())
    }

    /// Another name for what is in the image.
    pub(super) fn link(&self, to: &Path, place: &str) -> anyhow::Result<()> {
        symlink(to, self.room(place)?).with_context(|| place.to_owned())
    }

    /// A static shell with the usual small programs.
    pub(super) fn shell(&self) -> anyhow::Result<()> {
        let busybox = found("busybox", "apt-get install busybox-static")?;
        ensure!(
            loaded(&busybox)?.is_empty(),
            "busybox is not static: apt-get install busybox-static"
        );
        self.copy(&busybox, "/bin/busybox")?;
        let output = Command::new(&busybox).arg("--list").output()?;
        for name in String::from_utf8_lossy(&output.stdout).lines() {
            if name != "busybox" {
                self.link(Path::new("/bin/busybox"), &format!("/bin/{name}"))?;
            }
        }
        Ok(())
    }

    /// A folder of this machine with everything below it, links followed. A link to nothing is left out:
    /// distributions link to files of packages that may not be there.
    pub(super) fn tree(&self, source: &Path, place: &str) -> anyhow::Result<()> {
        let entries = fs::read_dir(source).with_context(|| source.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let place = format!("{place}/{}", name.to_string_lossy());
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() => self.tree(&path, &place)?,
                Ok(_) => self.copy(&path, &place)?,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// A file of ours; every program may be run by everybody.
    pub(super) fn text(&self, place: &str, text: &str) -> anyhow::Result<()> {
        let target = self.room(place)?;
        fs::write(&target, text).with_context(|| place.to_owned())?;
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    fn copy(&self, source: &Path, place: &str) -> anyhow::Result<()> {
        let target = self.room(place)?;
        fs::copy(source, target).with_context(|| source.display().to_string())?;
        Ok(())
    }

    fn room(&self, place: &str) -> anyhow::Result<PathBuf> {
        let target = self.at(place);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).with_context(|| place.to_owned())?;
        }
        Ok(target)
    }

    fn at(&self, place: &str) -> PathBuf {
        self.folder.join(place.trim_start_matches('/'))
    }
}

/// Where a program of this machine is.
pub(super) fn found(program: &str, package: &str) -> anyhow::Result<PathBuf> {
    let script = format!("PATH=\"$PATH:/usr/sbin:/sbin\" command -v {program}");
    let output = Command::new("sh").args(["-c", &script]).output()?;
    ensure!(
        output.status.success(),
        "a stand-in image needs {program}, which is not here: {package}"
    );
    let path = String::from_utf8(output.stdout)?;
    Ok(fs::canonicalize(path.trim())?)
}

/// By `ldd`: `name => /path (address)`, and `/path (address)` for the loader itself.
fn loaded(program: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let output = Command::new("ldd")
        .arg(program)
        .output()
        .context("cannot run ldd")?;
    Ok(libraries(&String::from_utf8_lossy(&output.stdout)))
}

fn libraries(said: &str) -> BTreeSet<PathBuf> {
    let path = |line: &str| {
        let (line, _) = line.rsplit_once(" (0x")?;
        let path = line
            .rsplit_once("=> ")
            .map_or(line, |(_, path)| path)
            .trim();
        path.starts_with('/').then(|| PathBuf::from(path))
    };
    said.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_loads_is_read() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\
                    \tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f10)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f11)\n";
        let found: Vec<_> = libraries(said).into_iter().collect();
        let wanted = [
            "/lib/x86_64-linux-gnu/libz.so.1",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(found, wanted.map(PathBuf::from));
        assert!(libraries("\tnot a dynamic executable\n").is_empty());
    }
}
