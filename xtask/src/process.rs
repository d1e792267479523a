//! Other programs: finding them, running them, and saying what is being done.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

/// Says what is being done, on standard error.
#[expect(clippy::print_stderr, reason = "progress is what a person at a terminal waits for")]
pub(crate) fn announce(text: impl Display) {
    eprintln!("==> {text}");
}

/// Says why it all ends here, on standard error, causes indented below what they caused.
#[expect(clippy::print_stderr, reason = "it is where errors go")]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  caused by: {cause}");
    }
}

/// Runs `command` with its output going where ours goes, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("`{}` could not be started", show(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", show(command));
    }
    Ok(())
}

/// Runs `command` and returns its standard output; standard error goes where ours goes.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{}` could not be started", show(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", show(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed something that is not UTF-8", show(command)))
}

/// Where the first of `programs` that PATH knows is.
pub(crate) fn find(programs: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    programs.iter().find_map(|program| {
        env::split_paths(&path)
            .map(|folder| folder.join(format!("{program}{}", env::consts::EXE_SUFFIX)))
            .find(|file| fs::metadata(file).is_ok_and(|metadata| metadata.is_file()))
    })
}

/// Whether this process may install packages of the operating system.
pub(crate) fn is_root() -> bool {
    // Asked of `id` because the standard library does not know user ids and a crate for it is not worth compiling.
    let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs Debian packages, and says why where that cannot be done.
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if find(&["apt-get"]).is_none() {
        bail!("this is no Debian system (no `apt-get`), so `{names}` cannot be installed");
    }
    if !is_root() {
        bail!("installing needs root: `apt-get install --no-install-recommends {names}`");
    }
    announce(format_args!("installing Debian packages: {names}"));
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").env_remove("LD_LIBRARY_PATH").arg("-qq").stdin(Stdio::null());
        command
    };
    // Package lists that are there already may be good enough, so a failure here is left to the install.
    let _ = run(apt_get().arg("update"));
    // `--no-remove`: some of these conflict with packages that a person may have chosen, which must not go.
    run(apt_get()
        .args(["-o", "Dpkg::Use-Pty=0", "install", "--yes", "--no-install-recommends", "--no-remove"])
        .args(packages))
}

/// The command line, as a person would type it.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = std::iter::once(program.file_name().unwrap_or(program.as_os_str())).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
