//! What compiles Planets (plugins): cargo and rustc, as the folder of the sources has them.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::failure::Failure;

/// The target that Planets are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Cargo and rustc. Both are looked for as cargo does it: the variables CARGO and RUSTC name others.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    /// Where they are run, since a folder may have a toolchain and a configuration of its own.
    folder: PathBuf,
}

impl Toolchain {
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where it is run.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A cargo that runs there.
    pub(crate) fn cargo(&self) -> Command {
        self.command("CARGO", "cargo")
    }

    fn rustc(&self) -> Command {
        self.command("RUSTC", "rustc")
    }

    fn command(&self, variable: &str, program: &str) -> Command {
        let named = env::var_os(variable).filter(|named| !named.is_empty());
        let mut command = Command::new(named.unwrap_or_else(|| OsString::from(program)));
        command.current_dir(&self.folder);
        command
    }

    /// What rustc calls this machine.
    pub(crate) fn host(&self) -> Result<String, Failure> {
        let text = self.ask(&["-vV"])?;
        let host = text.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(str::to_owned).ok_or_else(|| Failure::failed("rustc does not say what machine this is"))
    }

    /// An error that says what to install unless there is a standard library for [`TARGET`].
    pub(crate) fn check_target(&self) -> Result<(), Failure> {
        let libraries = PathBuf::from(self.ask(&["--print", "target-libdir", "--target", TARGET])?.trim_end());
        let is_library = |file: &OsStr| file.to_string_lossy().starts_with("libstd-");
        let is_there =
            libraries.read_dir().is_ok_and(|files| files.flatten().any(|file| is_library(&file.file_name())));
        // Who has the standard library compiled by cargo needs no other.
        if is_there || env::var_os("CARGO_UNSTABLE_BUILD_STD").is_some() {
            return Ok(());
        }
        let help = if is_on_path("rustup") {
            format!("`rustup target add {TARGET}` installs it")
        } else {
            format!(
                "install Rust with rustup (https://rustup.rs), then `rustup target add {TARGET}`; or look for this target's \
                 standard library where your Rust came from"
            )
        };
        Err(Failure::Failed(format!(
            "planets (plugins) are compiled for {TARGET}, and this Rust has no standard library for it\n  \
             looked in {}\n  help: {help}",
            libraries.display()
        )))
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = command_output(self.rustc().args(arguments))?;
        if !output.status.success() {
            let problem = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::failed(format!("rustc cannot be asked: {}", problem.trim_end())));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Runs a command to its end.
pub(crate) fn command_output(command: &mut Command) -> Result<Output, Failure> {
    command.output().map_err(|error| not_started(command, &error))
}

/// Why a tool cannot be started, and where to get it.
pub(crate) fn not_started(command: &Command, error: &io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        io::ErrorKind::NotFound => Failure::Failed(format!(
            "`{program}` was not found, which compiles planets (plugins)\n  help: install Rust: https://rustup.rs"
        )),
        _ => Failure::Failed(format!("`{program}` cannot be started: {error}")),
    }
}

fn is_on_path(program: &str) -> bool {
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(&file).is_file()))
}
