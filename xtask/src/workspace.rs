//! The workspace as cargo sees it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// The workspace that this program belongs to.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds; usually `target`.
    pub(crate) cargo_target: PathBuf,
    /// What `cargo metadata` says about each member.
    pub(crate) packages: Vec<Value>,
}

impl Workspace {
    /// Asks cargo, without the network.
    pub(crate) fn read() -> Result<Self> {
        let folder = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = folder.parent().context("xtask is not in a workspace")?.to_owned();
        let text = process::output(cargo().current_dir(&root).args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ]))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo's metadata is not JSON")?;
        let cargo_target = metadata["target_directory"].as_str().context("cargo's metadata has no target folder")?;
        let packages = metadata["packages"].as_array().context("cargo's metadata has no packages")?;
        Ok(Self { root, cargo_target: cargo_target.into(), packages: packages.clone() })
    }

    /// Where finished things go that people and tests look for under a name of their own. It does not
    /// move with `CARGO_TARGET_DIR`, so that `target/planets` in a document is always `target/planets`.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The cargo that runs us, for building native code at the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// `path` as a person at the repository's root would write it.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
