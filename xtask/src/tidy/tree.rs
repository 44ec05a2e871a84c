//! The files of the repository, read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::source::Source;

const SKIPPED: [&str; 3] = ["target", "taskledger-data", "node_modules"];
const HIDDEN_BUT_OURS: [&str; 3] = [".ci", ".cargo", ".github"];
const TEXT: [&str; 8] = ["rs", "md", "sql", "toml", "yaml", "yml", "sh", "json"];

/// Files by path from the root, with `/` between folders.
#[derive(Debug, Default)]
pub(super) struct Tree {
    texts: BTreeMap<String, String>,
    sources: BTreeMap<String, Source>,
}

impl Tree {
    pub(super) fn load(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.load_folder(root, "")?;
        Ok(tree)
    }

    fn load_folder(&mut self, root: &Path, folder: &str) -> anyhow::Result<()> {
        for entry in fs::read_dir(root.join(folder)).with_context(|| folder.to_owned())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            if entry.file_type()?.is_dir() {
                let hidden = name.starts_with('.') && !HIDDEN_BUT_OURS.contains(&name.as_str());
                if !hidden && !SKIPPED.contains(&name.as_str()) {
                    self.load_folder(root, &path)?;
                }
            } else if is_text(&path) {
                let text = fs::read_to_string(entry.path()).with_context(|| path.clone())?;
                self.insert(path, text);
            }
        }
        Ok(())
    }

    fn insert(&mut self, path: String, text: String) {
        if has_extension(&path, "rs") {
            self.sources
                .insert(path.clone(), Source::read(&path, &text));
        }
        self.texts.insert(path, text);
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        self.texts.contains_key(path)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    pub(super) fn source(&self, path: &str) -> Option<&Source> {
        self.sources.get(path)
    }

    /// Every file with its text.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every Rust file.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources
            .iter()
            .map(|(path, source)| (path.as_str(), source))
    }

    /// The paths below a folder, without the folder.
    pub(super) fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let prefix = format!("{folder}/");
        self.texts
            .keys()
            .filter_map(move |path| path.strip_prefix(prefix.as_str()))
    }

    /// The folders that hold a package.
    pub(super) fn packages(&self) -> impl Iterator<Item = &str> {
        self.texts()
            .filter(|(_, text)| text.contains("[package]"))
            .filter_map(|(path, _)| path.strip_suffix("/Cargo.toml"))
    }
}

pub(super) fn has_extension(path: &str, wanted: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| extension == wanted)
}

fn is_text(path: &str) -> bool {
    TEXT.iter().any(|extension| has_extension(path, extension)) || path.starts_with(".ci/")
}

#[cfg(test)]
impl<P: Into<String>, T: Into<String>> FromIterator<(P, T)> for Tree {
    fn from_iter<I: IntoIterator<Item = (P, T)>>(files: I) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.insert(path.into(), text.into());
        }
        tree
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Tree {
    fn from(files: [(&str, &str); N]) -> Self {
        files.into_iter().collect()
    }
}
