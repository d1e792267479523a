//! The Python that tests write Satellites (native processes of plugins) in: to show that they can be written in any language.

use std::path::Path;

use anyhow::{Result, bail};

use crate::process;

/// Where those tests look for it: they start programs with an environment of their own.
const FOLDERS: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// Finds or installs it.
pub(crate) fn prepare() -> Result<()> {
    if !cfg!(target_os = "linux") || is_there() {
        return Ok(());
    }
    process::apt_install(&["python3"])?;
    match is_there() {
        true => Ok(()),
        false => bail!(
            "there is no `python3` in {}, which tests need\n  help: install Python 3.8 or newer",
            FOLDERS.join(", ")
        ),
    }
}

fn is_there() -> bool {
    FOLDERS.iter().any(|folder| Path::new(folder).join("python3").is_file())
}
