//! What a command answers, on standard output.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write as _};
use std::sync::OnceLock;

use clap::ColorChoice;

use crate::failure::Failure;

/// What `--color` says. It is said once, before anything is written.
static COLOUR: OnceLock<ColorChoice> = OnceLock::new();

/// Has all output have colours, or none, or where they are wanted.
pub(crate) fn choose_colours(choice: ColorChoice) {
    let _ = COLOUR.set(choice);
}

/// Writes the whole answer. A reader that has gone away, as in `kokoro graph DIR | head -1`, has seen enough.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("the output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Whether colours are wanted there: what `--color` says; else on terminals, unless NO_COLOR says otherwise
/// (<https://no-color.org>).
pub(crate) fn colours(place: &impl IsTerminal) -> bool {
    match COLOUR.get() {
        Some(ColorChoice::Always) => true,
        Some(ColorChoice::Never) => false,
        _ => place.is_terminal() && env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()),
    }
}
