//! What compiles Planets (plugins).

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::from_source::Sysroot;
use crate::process;
use crate::workspace::Workspace;

/// The target that Planets (plugins) are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// What compiles Planets (plugins).
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The active toolchain, which has the target.
    Active,
    /// Debian's compiler with a standard library that `setup` built.
    FromSource {
        /// That standard library.
        sysroot: Sysroot,
        /// Folders with the linkers, which Debian's compiler does not have.
        linkers: Vec<PathBuf>,
    },
}

impl Toolchain {
    /// A cargo for building Planets (plugins) at the workspace's root.
    pub(crate) fn cargo(&self, workspace: &Workspace) -> Result<Command> {
        let mut command = workspace.cargo();
        command.env(FLAGS, flags_for(workspace));
        self.lead(&mut command)?;
        Ok(command)
    }

    /// Has a program that calls cargo build Planets (plugins) with this.
    pub(crate) fn lead(&self, command: &mut Command) -> Result<()> {
        if let Self::FromSource { sysroot, linkers } = self {
            let path = env::var_os("PATH").unwrap_or_default();
            let folders = linkers.iter().cloned().chain(env::split_paths(&path));
            command
                .env("RUSTC", sysroot.rustc())
                .env("PATH", env::join_paths(folders)?)
                // `cargo run` put the active toolchain's libraries there, which are not that compiler's.
                .env_remove("LD_LIBRARY_PATH");
        }
        Ok(())
    }

    /// Names a target folder. What one standard library compiled cannot be linked with another one,
    /// even if that was built from the same source.
    pub(crate) fn key(&self) -> Result<String> {
        match self {
            Self::Active => Ok("rustup".to_owned()),
            Self::FromSource { sysroot, .. } => Ok(format!("from-source-{}", sysroot.id()?)),
        }
    }
}

/// The environment variable with the compiler's flags in the form that takes paths with blanks.
pub(crate) const FLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";

/// The compiler's flag that writes `instead` where a path begins with `folder`: the messages of panics are in every Planet
/// (plugin), and where the machine that compiled it keeps its files is nobody's business.
pub(crate) fn without_paths(folder: &Path, instead: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(folder);
    if instead.is_empty() {
        // Or the rest would begin with a slash.
        flag.push(std::path::MAIN_SEPARATOR_STR);
    }
    flag.push("=");
    flag.push(instead);
    flag
}

/// Where cargo keeps the packages of the registry.
pub(crate) fn cargo_home() -> PathBuf {
    let home = || env::home_dir().unwrap_or_default().join(".cargo");
    env::var_os("CARGO_HOME").filter(|folder| !folder.is_empty()).map_or_else(home, PathBuf::from)
}

/// The value of [`FLAGS`] for what is handed to others.
pub(crate) fn flags_for(workspace: &Workspace) -> OsString {
    flags(&[without_paths(&workspace.root, ""), without_paths(&cargo_home(), "cargo")])
}

/// The value of [`FLAGS`]: the user's own flags, and `ours`.
fn flags(ours: &[OsString]) -> OsString {
    let own = env::var_os(FLAGS).unwrap_or_else(|| {
        let flags = env::var_os("RUSTFLAGS").unwrap_or_default();
        let flags: Vec<_> = flags.to_string_lossy().split_whitespace().map(str::to_owned).collect();
        flags.join("\u{1f}").into()
    });
    let all: Vec<&OsStr> =
        [own.as_os_str()].into_iter().filter(|own| !own.is_empty()).chain(ours.iter().map(|flag| &**flag)).collect();
    all.join(OsStr::new("\u{1f}"))
}

/// The toolchain that the user has active.
#[derive(Debug)]
pub(crate) struct Active {
    sysroot: PathBuf,
}

impl Active {
    /// Asks `rustc`.
    pub(crate) fn read() -> Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let sysroot = process::output(Command::new(rustc).args(["--print", "sysroot"]))
            .context("no working Rust toolchain was found")?;
        Ok(Self { sysroot: sysroot.trim_end().into() })
    }

    /// Whether it has a standard library for [`TARGET`].
    pub(crate) fn has_target(&self) -> bool {
        let library = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        library.read_dir().is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
        })
    }

    /// What it calls itself.
    pub(crate) fn name(&self) -> String {
        self.sysroot.file_name().unwrap_or(self.sysroot.as_os_str()).to_string_lossy().into_owned()
    }

    /// Folders with `wasm-component-ld` and `wasm-ld`: the toolchain's own for its host, else none if
    /// both are on PATH.
    pub(crate) fn linkers(&self) -> Result<Vec<PathBuf>> {
        let hosts = self.sysroot.join("lib/rustlib");
        let own = hosts.read_dir().into_iter().flatten().flatten().find_map(|host| {
            let folders = [host.path().join("bin"), host.path().join("bin/gcc-ld")];
            let complete = folders[0].join("wasm-component-ld").is_file() && folders[1].join("wasm-ld").is_file();
            complete.then(|| folders.to_vec())
        });
        if let Some(folders) = own {
            return Ok(folders);
        }
        for (program, from) in
            [("wasm-component-ld", "`cargo install wasm-component-ld`"), ("wasm-ld", "Debian's package `lld`")]
        {
            process::find(&[program]).with_context(|| {
                format!("the linker `{program}` was not found: a toolchain from rustup has it, or get it from {from}")
            })?;
        }
        Ok(Vec::new())
    }
}
