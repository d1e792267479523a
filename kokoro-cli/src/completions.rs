//! `kokoro completions`

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::Cli;
use crate::failure::Failure;
use crate::output;

/// Prints what has a shell complete commands and options.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "kokoro", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
