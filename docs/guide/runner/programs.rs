//! What the commands of the guide run, compiled in this workspace.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{folder, workspace, write};

/// `kokoro`, `cargo` and the programs of the projects that use `kokoro-host`.
#[derive(Debug)]
pub struct Programs {
    /// Has `kokoro` and `cargo`.
    pub(crate) path: PathBuf,
    /// Has a folder for each project.
    pub(crate) projects: PathBuf,
    /// The cargo that runs us.
    pub(crate) cargo: PathBuf,
}

impl Programs {
    /// Compiles what has changed, and puts all into the folder `at`.
    ///
    /// # Errors
    ///
    /// Something does not compile, or a file cannot be written.
    pub fn prepare(at: &Path) -> Result<Self> {
        let cargo = env::var_os("CARGO").context("cargo has to run this: `cargo test -p kokoro-guide`")?;
        let programs = Self { path: at.join("path"), projects: at.join("projects"), cargo: cargo.into() };
        if at.exists() {
            fs::remove_dir_all(at).with_context(|| format!("{} cannot be removed", at.display()))?;
        }
        for artifact in programs.compile()? {
            programs.place(&artifact)?;
        }
        ensure!(programs.path.join("kokoro").exists(), "cargo has built no `kokoro`");
        let shim = programs.path.join("cargo");
        write(&shim, include_str!("cargo.sh"))?;
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755))?;
        Ok(programs)
    }

    /// What cargo says that it has built. A test brings in the features that all tests have, as in `cargo test --workspace`, or else
    /// Wasmtime would be compiled again.
    fn compile(&self) -> Result<Vec<Value>> {
        let mut cargo = Command::new(&self.cargo);
        cargo.current_dir(workspace()).args(["build", "--workspace", "--message-format=json-render-diagnostics"]);
        cargo.args(["--bin=kokoro", "--test=kokoro"]);
        for (name, _) in env::vars_os() {
            // What cargo has told the tests about their package would have build scripts believe that something has changed.
            if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                cargo.env_remove(name);
            }
        }
        for (flag, sources) in [("--bin", "src/bin"), ("--test", "tests")] {
            for project in folder().join("projects").read_dir().into_iter().flatten() {
                for source in project?.path().join(sources).read_dir().into_iter().flatten() {
                    let source = source?.path();
                    let name = source.file_stem().unwrap_or_default().to_string_lossy();
                    cargo.arg(format!("{flag}={name}"));
                }
            }
        }
        let output = cargo.stderr(Stdio::inherit()).output().context("cargo cannot be started")?;
        ensure!(output.status.success(), "what the guide runs does not compile");
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
    }

    /// Links to a program where the commands find it, if it is one of theirs.
    fn place(&self, artifact: &Value) -> Result<()> {
        let Some(executable) = artifact["executable"].as_str() else { return Ok(()) };
        let target = &artifact["target"];
        let name = target["name"].as_str().unwrap_or_default();
        let is_test = target["kind"][0] == "test";
        let manifest = Path::new(artifact["manifest_path"].as_str().unwrap_or_default());
        let link = match manifest.strip_prefix(folder().join("projects")) {
            Ok(project) => {
                let project = self.projects.join(project.parent().unwrap_or(project));
                project.join(if is_test { "tests" } else { "" }).join(name)
            }
            Err(_) if name == "kokoro" && !is_test => self.path.join(name),
            Err(_) => return Ok(()),
        };
        fs::create_dir_all(link.parent().unwrap_or(&link))?;
        symlink(executable, &link).with_context(|| format!("{} cannot be made", link.display()))
    }
}
