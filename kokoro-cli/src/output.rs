//! What a command answers, on standard output.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write as _};

use crate::failure::Failure;

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

/// Whether colours are wanted there: on terminals, unless NO_COLOR says otherwise (<https://no-color.org>).
pub(crate) fn colours(place: &impl IsTerminal) -> bool {
    place.is_terminal() && env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}
